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
    return [_input_message(item) for item in payload.items(given)] or None


def output_parts(items: list[Any]) -> list[Part]:
    """Return what the model answered, all items as the parts of one message."""
    return [part for item in items for part in _parts(item)]


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool; those that the provider runs itself are named by their type."""
    kind = payload.text(payload.field(raw, "type")) or "function"
    return messages.tool_definition(
        payload.text(payload.first(payload.field(raw, "name"), payload.field(raw, "server_label"))) or kind,
        payload.text(payload.field(raw, "description")),
        payload.first(payload.field(raw, "parameters"), payload.field(raw, "format")),
        kind,
    )


def _input_message(item: Any) -> Message:
    role = payload.text(payload.field(item, "role"))
    if role is None:
        kind = payload.text(payload.field(item, "type")) or ""
        role = "tool" if kind.endswith("_output") else "assistant"
    return messages.message(role, *_parts(item))


def _parts(item: Any) -> list[Part]:
    kind = payload.text(payload.field(item, "type")) or "message"
    translate = _KINDS.get(kind, _server_call if kind.endswith("_call") else _unknown)
    return translate(item)


def _message_parts(item: Any) -> list[Part]:
    said = payload.field(item, "content")
    if isinstance(said, str):
        return [messages.text(said)] if said else []
    return [_part(each) for each in payload.items(said)]


def _part(raw: Any) -> Part:
    kind = payload.text(payload.field(raw, "type")) or "input_text"
    if kind in ("input_text", "output_text", "text"):
        return messages.text(payload.text(payload.field(raw, "text")) or "")
    if kind == "refusal":
        return {"type": "refusal", "content": payload.text(payload.field(raw, "refusal")) or ""}
    if kind in ("input_image", "input_file"):
        return _attachment(raw, "image" if kind == "input_image" else "document")
    if kind == "input_audio":
        sound = payload.field(raw, "input_audio")
        data = payload.text(payload.field(sound, "data")) or ""
        return messages.blob("audio", f"audio/{payload.field(sound, 'format') or 'unknown'}", data)
    return {"type": kind}


def _attachment(raw: Any, modality: str) -> Part:
    file_id = payload.text(payload.field(raw, "file_id"))
    if file_id is not None:
        return messages.file(modality, file_id)
    places = (payload.field(raw, name) for name in ("image_url", "file_url", "file_data"))
    return data_part(modality, payload.text(payload.first(*places)) or "")


def _reasoning(item: Any) -> list[Part]:
    said = [*payload.items(payload.field(item, "summary")), *payload.items(payload.field(item, "content"))]
    return [messages.reasoning(text) for each in said if (text := payload.text(payload.field(each, "text")))]


def _tool_call(item: Any) -> list[Part]:
    call = messages.tool_call(
        payload.text(payload.field(item, "call_id")),
        payload.text(payload.field(item, "name")) or "",
        payload.first(payload.field(item, "arguments"), payload.field(item, "input")),
    )
    return [call]


def _tool_answer(item: Any) -> list[Part]:
    answer = payload.field(item, "output")
    if isinstance(answer, (list, tuple)):
        answer = "".join(payload.text(payload.field(part, "text")) or "" for part in answer)
    return [messages.tool_call_response(payload.text(payload.field(item, "call_id")), messages.parsed(answer))]


def _compaction(item: Any) -> list[Part]:
    sealed = payload.text(payload.field(item, "encrypted_content"))
    return [{"type": "compaction", "id": payload.text(payload.field(item, "id")), "content": sealed}]


def _server_call(item: Any) -> list[Part]:
    """Return a tool call that the provider made itself, such as a search of the web."""
    kind = str(payload.field(item, "type")).removesuffix("_call")
    details: Part = {"type": kind}
    for name in ("action", "arguments", "queries", "code", "server_label", "status"):
        value = payload.field(item, name)
        if value is not None:
            details[name] = _plain(value)
    call_id = payload.text(payload.field(item, "id"))
    name = payload.text(payload.field(item, "name")) or kind
    return [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": details}]


def _unknown(item: Any) -> list[Part]:
    return [{"type": str(payload.field(item, "type")), "id": payload.text(payload.field(item, "id"))}]


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
