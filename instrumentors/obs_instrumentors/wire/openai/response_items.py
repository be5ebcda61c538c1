"""Input and output items of the Responses API in the conventions' shape."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import fields_besides, plain, unknown_part
from obs_run.base import payload
from obs_run.core import messages

from .chat_messages import audio_part, data_part, named, split_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition


def input_messages(value: Any) -> list[Message] | None:
    """Return what the agent sent: a text, or messages, tool calls and their outputs in order."""
    if isinstance(value, str):
        return [messages.message("user", messages.text(value))]
    return messages.join_answers(_input_message(item) for item in payload.as_list(value)) or None


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


def system_instructions(body: dict[str, Any]) -> list[Part] | None:
    """Return the instructions of a request: their text or items, and the stored prompt with what is put into it."""
    instructions = body.get("instructions")
    parts: list[Part] = []
    if isinstance(instructions, str):
        parts.append(messages.text(instructions))
    for item in payload.as_list(instructions):
        parts += _parts(item)
    prompt = body.get("prompt")
    if prompt is not None:
        stored = unknown_part(prompt, "prompt")
        variables = payload.as_dict(payload.get(prompt, "variables"))
        stored["variables"] = {name: _variable(value) for name, value in variables.items()}
        parts.append(stored)
    return parts or None


def _variable(value: Any) -> Any:
    """Return what a stored prompt is filled with: a text, or an image or file."""
    return value if isinstance(value, str) else _content_part(value)


def tool_name(item: Any) -> str | None:
    """Return the name of the tool that the agent is to run for the model; None where an item asks for none."""
    kind = payload.get_text(item, "type") or ""
    if not _is_agents_call(item, kind):
        return None
    return payload.get_text(item, "name") or kind.removesuffix("_call")


def tool_call_id(item: Any) -> str | None:
    """Return the id of the call that an item asks for, or gives the result of."""
    return payload.get_text(item, "call_id") or payload.get_text(item, "id")


def _is_agents_call(item: Any, kind: str) -> bool:
    """Whether the agent has to make a call: these have an id by which it answers, the provider's own have none."""
    if kind in _FUNCTION_CALLS:
        return True
    if not kind.endswith("_call") or payload.get_text(item, "call_id") is None:
        return False
    if payload.get(item, "execution") == "server":
        return False
    # A shell may also be in a container of the provider's.
    return payload.get(item, "environment", "type") in (None, "local")


def _input_message(item: Any) -> Message:
    role = payload.get_text(item, "role")
    if role is None:
        # Only messages have a role: the outputs of tools are the agent's, everything else was the model's before.
        kind = payload.get_text(item, "type") or ""
        role = _ROLES.get(kind, "tool" if kind.endswith("_output") else "assistant")
    return messages.message(role, *_parts(item))


def _parts(item: Any) -> list[Part]:
    kind = payload.get_text(item, "type") or "message"
    translate = _ITEM_READERS.get(kind)
    if translate is not None:
        return translate(item)
    if kind.endswith("_call"):
        return _tool_call(item) if _is_agents_call(item, kind) else _server_tool_call(item)
    if kind.endswith("_output"):
        return _tool_response(item)
    return [unknown_part(item)]


def _message_parts(item: Any) -> list[Part]:
    item_content = payload.get(item, "content")
    if isinstance(item_content, str):
        return [messages.text(item_content)] if item_content else []
    return [_content_part(part) for part in payload.as_list(item_content)]


def _content_part(raw: Any) -> Part:
    if isinstance(raw, str):
        return messages.text(raw)
    read = _CONTENT_READERS.get(payload.get_text(raw, "type") or "input_text")
    return unknown_part(raw) if read is None else read(raw)


def _text(raw: Any) -> Part:
    part = messages.text(payload.get_text(raw, "text") or "")
    citations = payload.get_list(raw, "annotations")
    if citations:
        part["citations"] = plain(citations)
    return part


def _refusal(raw: Any) -> Part:
    return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}


def _thought(raw: Any) -> Part:
    return messages.reasoning(payload.get_text(raw, "text") or "")


def _input_audio(raw: Any) -> Part:
    return audio_part(payload.get(raw, "input_audio"))


def _attachment(modality: str, raw: Any) -> Part:
    name = payload.get_text(raw, "filename")
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return named(messages.file(modality, file_id), name)
    url = payload.coalesce(
        payload.get(raw, "image_url"),
        payload.get(raw, "file_url"),
        payload.get(raw, "file_data"),
    )
    if not isinstance(url, str):
        return unknown_part(raw)
    return named(data_part(modality, url), name)


def _reasoning(item: Any) -> list[Part]:
    parts: list[Part] = []
    # Open models tell their thoughts, OpenAI's a summary of them.
    for step in (*payload.get_list(item, "summary"), *payload.get_list(item, "content")):
        text = payload.get_text(step, "text")
        if text is not None:
            parts.append(messages.reasoning(text))
    return parts


def _tool_call(item: Any) -> list[Part]:
    return [messages.tool_call(tool_call_id(item), tool_name(item) or "", _arguments(item))]


def _arguments(item: Any) -> Any:
    """Return what a tool is called with; a custom tool, which takes free text, calls that its input."""
    for name in ("arguments", "input", "action", "operation"):
        value = payload.get(item, name)
        if value is not None:
            return plain(value)
    rest = fields_besides(item, "type", "id", "call_id", "name", "status", "environment")
    return rest or None


def _tool_response(item: Any) -> list[Part]:
    """Return what a tool that the agent ran gave: its texts as one; images and files follow as parts of their own."""
    response, attachments = _response_and_attachments(payload.get(item, "output"))
    part = messages.tool_call_response(tool_call_id(item), response)
    status = payload.get_text(item, "status")
    if status is not None and status != "completed":
        part["status"] = status
    return [part, *attachments]


def _response_and_attachments(output: Any) -> tuple[Any, list[Part]]:
    if isinstance(output, str):
        return output, []
    if isinstance(output, (list, tuple)) and all(payload.get(raw, "type") in _CONTENT_READERS for raw in output):
        return split_texts([_content_part(raw) for raw in output])
    if payload.get(output, "type") == "computer_screenshot":
        return {"type": "computer_screenshot"}, [_attachment("image", output)]
    return plain(output), []


def _compaction(item: Any) -> list[Part]:
    encrypted = payload.get_text(item, "encrypted_content")
    return [{"type": "compaction", "id": payload.get_text(item, "id"), "content": encrypted}]


def _server_tool_call(item: Any) -> list[Part]:
    """Return a tool call that the provider made itself, such as a search of the web, and what it gave."""
    kind = str(payload.get(item, "type")).removesuffix("_call")
    call_id = tool_call_id(item)
    name = payload.get_text(item, "name") or kind
    call: Part = {"type": kind, **fields_besides(item, "type", "id", "call_id", "name", *_RESULTS)}
    parts: list[Part] = [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": call}]
    response: Part = {"type": kind}
    attachments: list[Part] = []
    for field in _RESULTS:
        value = payload.get(item, field)
        if value is None:
            continue
        if kind == "image_generation" and field == "result":
            image_format = payload.get_text(item, "output_format")
            mime_type = None if image_format is None else f"image/{image_format}"
            attachments.append(messages.blob("image", mime_type, str(value)))
        else:
            response[field] = _result(value)
    if len(response) > 1:
        parts.append({"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": response})
    return [*parts, *attachments]


def _result(value: Any) -> Any:
    """Return what a tool of the provider's gave; an image in it by its size, as elsewhere."""
    if not isinstance(value, (list, tuple)):
        return plain(value)
    return [_image_or_self(each) for each in value]


def _image_or_self(raw: Any) -> Any:
    url = payload.get_text(raw, "url") if payload.get(raw, "type") == "image" else None
    return plain(raw) if url is None else data_part("image", url)


_FUNCTION_CALLS = ("function_call", "custom_tool_call")
_RESULTS = ("output", "outputs", "results", "result", "revised_prompt", "error")
_ROLES = {"mcp_approval_response": "user"}
"""Of items that the agent's user answers with."""
_CONTENT_READERS: dict[str, Callable[[Any], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "reasoning_text": _thought,
    "summary_text": _thought,
    "input_image": partial(_attachment, "image"),
    "input_file": partial(_attachment, "document"),
    "input_audio": _input_audio,
}
_ITEM_READERS: dict[str, Callable[[Any], list[Part]]] = {
    "message": _message_parts,
    "reasoning": _reasoning,
    "function_call": _tool_call,
    "custom_tool_call": _tool_call,
    "compaction": _compaction,
}
