"""Bodies of Anthropic's models: the messages API, whole and as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import content, messages, payload

from .answer import Answer, add, counted, finish_reason, note_reason

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part

_KINDS = {"tool_use": "tool", "server_tool_use": "tool", "thinking": "reasoning", "redacted_thinking": "reasoning"}


def begin(body: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    operation = Answer(
        "chat",
        temperature=payload.number(body.get("temperature")),
        top_p=payload.number(body.get("top_p")),
        top_k=payload.whole(body.get("top_k")),
        max_tokens=payload.whole(body.get("max_tokens")),
        stop_sequences=payload.items(body.get("stop_sequences")) or None,
        reasoning_level=payload.text(payload.field(body.get("output_config"), "effort")),
        output_type="json" if _wants_json(body) else None,
    )
    if content.wanted():
        operation.input_messages = [_message(each) for each in payload.items(body.get("messages"))]
        operation.system_instructions = _parts(body.get("system")) or None
        operation.tool_definitions = [_tool(each) for each in payload.items(body.get("tools"))] or None
    return operation


def result(operation: Answer, body: Any) -> None:
    """Read an answer."""
    _read_header(operation, body)
    note_reason(operation, body.get("stop_reason"))
    blocks = payload.items(body.get("content"))
    calls = [payload.text(payload.field(each, "name")) for each in blocks if payload.field(each, "type") == "tool_use"]
    operation.tool_calls = [name for name in calls if name] or None
    if content.wanted():
        said = {"role": "assistant", "content": blocks}
        operation.output_messages = [_message(said, finish_reason(body.get("stop_reason")))]


def chunk(operation: Answer, event: Any) -> None:
    """Read an event of a stream."""
    kind = event.get("type")
    if kind == "message_start":
        _read_header(operation, event.get("message"))
    elif kind == "content_block_start":
        told = event.get("content_block")
        block = operation.block(event.get("index"), _KINDS.get(payload.field(told, "type"), "text"))
        if block.kind == "tool":
            block.tool, block.call_id = (payload.text(payload.field(told, name)) for name in ("name", "id"))
        add(block, payload.field(told, "text"))
    elif kind == "content_block_delta":
        delta = event.get("delta")
        said = [payload.field(delta, name) for name in ("text", "partial_json", "thinking")]
        add(operation.block(event.get("index")), payload.first(*said))
    elif kind == "message_delta":
        note_reason(operation, payload.field(event.get("delta"), "stop_reason"))
        _read_usage(operation, event.get("usage"))


def _read_header(operation: Answer, raw: Any) -> None:
    operation.response_id = payload.text(payload.field(raw, "id"))
    operation.response_model = payload.text(payload.field(raw, "model"))
    _read_usage(operation, payload.field(raw, "usage"))


def _read_usage(operation: Answer, told: Any) -> None:
    """Read the usage; the end of a stream tells the output, and input again only in newer versions."""
    if told is None:
        return
    before = operation.usage
    caches = [payload.field(told, f"cache_{way}_input_tokens") for way in ("read", "creation")]
    usage = counted(told.get("input_tokens"), told.get("output_tokens"), *caches)
    if usage is not None and usage.input_tokens is None and before is not None:
        before.output_tokens = payload.first(usage.output_tokens, before.output_tokens)
        usage = before
    operation.usage = usage or before


def _wants_json(body: dict[str, Any]) -> bool:
    form = payload.first(payload.field(body.get("output_config"), "format"), body.get("output_format"))
    return bool(payload.field(form, "type") == "json_schema")


def _message(raw: Any, reason: str | None = None) -> Message:
    parts = _parts(payload.field(raw, "content"))
    role = payload.text(payload.field(raw, "role")) or "user"
    if parts and all(part["type"] == "tool_call_response" for part in parts):
        role = "tool"
    return messages.message(role, *parts, finish_reason=reason)


def _parts(said: Any) -> list[Part]:
    return [messages.text(said)] if isinstance(said, str) else [_part(each) for each in payload.items(said)]


def _part(raw: Any) -> Part:
    kind = payload.text(payload.field(raw, "type")) or "text"
    if kind in ("tool_use", "server_tool_use"):
        return messages.tool_call(payload.text(raw.get("id")), str(raw.get("name")), raw.get("input"))
    if kind == "tool_result":
        said = raw.get("content")
        answer = messages.parsed(said) if isinstance(said, str) else _parts(said)
        return messages.tool_call_response(payload.text(raw.get("tool_use_id")), answer)
    if kind == "thinking":
        return messages.reasoning(payload.text(raw.get("thinking")) or "")
    if kind in ("image", "document"):
        return _media(kind, raw.get("source"))
    return messages.text(payload.text(payload.field(raw, "text")) or "") if kind == "text" else {"type": kind}


def _media(modality: str, source: Any) -> Part:
    place = payload.text(payload.field(source, "url"))
    mime_type = payload.text(payload.field(source, "media_type"))
    if place is not None:
        return messages.uri(modality, place, mime_type)
    return messages.blob(modality, mime_type, payload.text(payload.field(source, "data")) or "")


def _tool(raw: Any) -> messages.ToolDefinition:
    kind = payload.text(payload.field(raw, "type"))
    return messages.tool_definition(
        payload.text(payload.field(raw, "name")) or "",
        payload.text(payload.field(raw, "description")),
        payload.field(raw, "input_schema"),
        "function" if kind in (None, "custom") else str(kind),
    )
