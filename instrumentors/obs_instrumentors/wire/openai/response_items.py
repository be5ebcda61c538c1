"""Input and output items of the Responses API in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

from .chat_messages import data_part

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition


def input_messages(given: Any) -> list[Message] | None:
    """Return what the agent sent: a text, or messages, tool calls and their outputs in order."""
    if isinstance(given, str):
        return [messages.message("user", messages.text(given))]
    return [_input_message(item) for item in payload.as_list(given)] or None


def output_parts(items: list[Any]) -> list[Part]:
    """Return what the model answered, all items as the parts of one message."""
    return [part for item in items for part in _parts(item)]


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool; those that the provider runs itself are named by their type."""
    kind = payload.get_text(raw, "type") or "function"
    return messages.tool_definition(
        payload.as_text(payload.coalesce(payload.get(raw, "name"), payload.get(raw, "server_label"))) or kind,
        payload.get_text(raw, "description"),
        payload.coalesce(payload.get(raw, "parameters"), payload.get(raw, "format")),
        kind,
    )


def _input_message(item: Any) -> Message:
    role = payload.get_text(item, "role")
    if role is None:
        kind = payload.get_text(item, "type") or ""
        role = "tool" if kind.endswith("_output") else "assistant"
    return messages.message(role, *_parts(item))


def _parts(item: Any) -> list[Part]:
    kind = payload.get_text(item, "type") or "message"
    translate = _KINDS.get(kind, _server_call if kind.endswith("_call") else _unknown)
    return translate(item)


def _message_parts(item: Any) -> list[Part]:
    said = payload.get(item, "content")
    if isinstance(said, str):
        return [messages.text(said)] if said else []
    return [_part(each) for each in payload.as_list(said)]


def _part(raw: Any) -> Part:
    kind = payload.get_text(raw, "type") or "input_text"
    if kind in ("input_text", "output_text", "text"):
        return messages.text(payload.get_text(raw, "text") or "")
    if kind == "refusal":
        return {"type": "refusal", "content": payload.get_text(raw, "refusal") or ""}
    if kind in ("input_image", "input_file"):
        return _attachment(raw, "image" if kind == "input_image" else "document")
    if kind == "input_audio":
        sound = payload.get(raw, "input_audio")
        data = payload.get_text(sound, "data") or ""
        return messages.blob("audio", f"audio/{payload.get(sound, 'format') or 'unknown'}", data)
    return {"type": kind}


def _attachment(raw: Any, modality: str) -> Part:
    file_id = payload.get_text(raw, "file_id")
    if file_id is not None:
        return messages.file(modality, file_id)
    places = (payload.get(raw, name) for name in ("image_url", "file_url", "file_data"))
    return data_part(modality, payload.as_text(payload.coalesce(*places)) or "")


def _reasoning(item: Any) -> list[Part]:
    said = [*payload.get_list(item, "summary"), *payload.get_list(item, "content")]
    return [messages.reasoning(text) for each in said if (text := payload.get_text(each, "text"))]


def _tool_call(item: Any) -> list[Part]:
    call = messages.tool_call(
        payload.get_text(item, "call_id"),
        payload.get_text(item, "name") or "",
        payload.coalesce(payload.get(item, "arguments"), payload.get(item, "input")),
    )
    return [call]


def _tool_answer(item: Any) -> list[Part]:
    answer = payload.get(item, "output")
    if isinstance(answer, (list, tuple)):
        answer = "".join(payload.get_text(part, "text") or "" for part in answer)
    return [messages.tool_call_response(payload.get_text(item, "call_id"), messages.parsed(answer))]


def _compaction(item: Any) -> list[Part]:
    sealed = payload.get_text(item, "encrypted_content")
    return [{"type": "compaction", "id": payload.get_text(item, "id"), "content": sealed}]


def _server_call(item: Any) -> list[Part]:
    """Return a tool call that the provider made itself, such as a search of the web."""
    kind = str(payload.get(item, "type")).removesuffix("_call")
    details: Part = {"type": kind}
    for name in ("action", "arguments", "queries", "code", "server_label", "status"):
        value = payload.get(item, name)
        if value is not None:
            details[name] = _plain(value)
    call_id = payload.get_text(item, "id")
    name = payload.get_text(item, "name") or kind
    return [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": details}]


def _unknown(item: Any) -> list[Part]:
    return [{"type": str(payload.get(item, "type")), "id": payload.get_text(item, "id")}]


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else messages.parsed(value)


_KINDS: dict[str, Callable[[Any], list[Part]]] = {
    "message": _message_parts,
    "reasoning": _reasoning,
    "function_call": _tool_call,
    "custom_tool_call": _tool_call,
    "function_call_output": _tool_answer,
    "custom_tool_call_output": _tool_answer,
    "compaction": _compaction,
}
