"""Input and output items of the Responses API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

from .chat_messages import audio_part, data_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition


def input_messages(value: Any) -> list[Message] | None:
    """Return what the agent sent: a text, or messages, tool calls and their outputs in order."""
    if isinstance(value, str):
        return [messages.message("user", messages.text(value))]
    return [_input_message(item) for item in payload.as_list(value)] or None


def output_parts(items: list[Any]) -> list[Part]:
    """Return what the model answered, all items as the parts of one message."""
    parts: list[Part] = []
    for item in items:
        parts += _parts(item)
    return parts


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool; those that the provider runs itself are named by their type."""
    kind = payload.get_text(raw, "type") or "function"
    name = payload.coalesce(payload.get(raw, "name"), payload.get(raw, "server_label"))
    return messages.tool_definition(
        payload.as_text(name) or kind,
        payload.get_text(raw, "description"),
        payload.coalesce(payload.get(raw, "parameters"), payload.get(raw, "format")),
        kind,
    )


def _input_message(item: Any) -> Message:
    role = payload.get_text(item, "role")
    if role is None:
        # Only messages have a role: the outputs of tools are the agent's, everything else was the model's before.
        kind = payload.get_text(item, "type") or ""
        role = "tool" if kind.endswith("_output") else "assistant"
    return messages.message(role, *_parts(item))


def _parts(item: Any) -> list[Part]:
    kind = payload.get_text(item, "type") or "message"
    translate = _ITEM_READERS.get(kind)
    if translate is not None:
        return translate(item)
    if kind.endswith("_call"):
        return _server_tool_call(item)
    # Named and left out: what it holds is not known here.
    return [{"type": kind, "id": payload.get_text(item, "id")}]


def _message_parts(item: Any) -> list[Part]:
    item_content = payload.get(item, "content")
    if isinstance(item_content, str):
        return [messages.text(item_content)] if item_content else []
    return [_content_part(part) for part in payload.as_list(item_content)]


def _content_part(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "input_text"
    if kind in ("input_text", "output_text", "text"):
        return messages.text(payload.get_text(raw, "text") or "")
    if kind == "refusal":
        return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}
    if kind == "input_image":
        return _attachment(raw, "image")
    if kind == "input_file":
        return _attachment(raw, "document")
    if kind == "input_audio":
        return audio_part(payload.get(raw, "input_audio"))
    return {"type": kind}


def _attachment(raw: Any, modality: str) -> Part:
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return messages.file(modality, file_id)
    url = payload.coalesce(
        payload.get(raw, "image_url"),
        payload.get(raw, "file_url"),
        payload.get(raw, "file_data"),
    )
    return data_part(modality, payload.as_text(url) or "")


def _reasoning(item: Any) -> list[Part]:
    parts: list[Part] = []
    # Open models tell their thoughts, OpenAI's a summary of them.
    for step in (*payload.get_list(item, "summary"), *payload.get_list(item, "content")):
        text = payload.get_text(step, "text")
        if text is not None:
            parts.append(messages.reasoning(text))
    return parts


def _tool_call(item: Any) -> list[Part]:
    # A custom tool, which takes free text, calls that its input.
    arguments = payload.coalesce(payload.get(item, "arguments"), payload.get(item, "input"))
    name = payload.get_text(item, "name") or ""
    return [messages.tool_call(payload.get_text(item, "call_id"), name, arguments)]


def _tool_response(item: Any) -> list[Part]:
    output = payload.get(item, "output")
    if isinstance(output, (list, tuple)):
        texts = [payload.get_text(part, "text") or "" for part in output]
        output = "".join(texts)
    return [messages.tool_call_response(payload.get_text(item, "call_id"), output)]


def _compaction(item: Any) -> list[Part]:
    encrypted = payload.get_text(item, "encrypted_content")
    return [{"type": "compaction", "id": payload.get_text(item, "id"), "content": encrypted}]


def _server_tool_call(item: Any) -> list[Part]:
    """Return a tool call that the provider made itself, such as a search of the web."""
    kind = str(payload.get(item, "type")).removesuffix("_call")
    details: Part = {"type": kind}
    for name in ("action", "arguments", "queries", "code", "server_label", "status"):
        value = payload.get(item, name)
        if value is not None:
            details[name] = plain(value)
    call_id = payload.get_text(item, "id")
    name = payload.get_text(item, "name") or kind
    return [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": details}]


def plain(value: Any) -> Any:
    """Return a model of the client as the fields that it has, and anything else as it is."""
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    return value


_ITEM_READERS: dict[str, Callable[[Any], list[Part]]] = {
    "message": _message_parts,
    "reasoning": _reasoning,
    "function_call": _tool_call,
    "custom_tool_call": _tool_call,
    "function_call_output": _tool_response,
    "custom_tool_call_output": _tool_response,
    "compaction": _compaction,
}
