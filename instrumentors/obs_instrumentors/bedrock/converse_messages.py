"""Messages of Converse in the conventions' shape."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition

_MODALITIES = {"image": "image", "video": "video", "audio": "audio", "document": "document"}
_PLAIN = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown"}


def message(raw: Any, finish_reason: str | None = None) -> Message:
    """Return a message that the agent sent or the model answered."""
    parts = [made for each in payload.get_list(raw, "content") if (made := part(each)) is not None]
    role = payload.get_text(raw, "role") or "user"
    if parts and all(made["type"] == "tool_call_response" for made in parts):
        role = "tool"
    return messages.message(role, *parts, finish_reason=finish_reason)


def part(raw: Any) -> Part | None:
    """Return a block of a message as a part; None for marks such as cache points."""
    for kind, inner in raw.items() if isinstance(raw, dict) else ():
        if kind in _MODALITIES:
            return _media(_MODALITIES[kind], inner)
        read = _PARTS.get(kind)
        if read is not None:
            return read(inner)
    return None


def tool_definition(raw: Any) -> ToolDefinition | None:
    """Return the definition of a tool; None for marks such as cache points."""
    spec = payload.get(raw, "toolSpec")
    if spec is None:
        system = payload.get_text(raw, "systemTool", "name")
        return None if system is None else messages.tool_definition(system, kind="system")
    return messages.tool_definition(
        payload.get_text(spec, "name") or "",
        payload.get_text(spec, "description"),
        messages.parsed(payload.get(spec, "inputSchema", "json")),
    )


def _text(raw: Any) -> Part:
    return messages.text(payload.as_text(raw) or "")


def _guarded(raw: Any) -> Part:
    return messages.text(payload.get_text(raw, "text", "text") or "")


def _cited(raw: Any) -> Part:
    said = payload.get_list(raw, "content")
    return messages.text("".join(payload.get_text(each, "text") or "" for each in said))


def _reasoning(raw: Any) -> Part:
    return messages.reasoning(payload.get_text(raw, "reasoningText", "text") or "")


def _tool_use(raw: Any) -> Part:
    return messages.tool_call(
        payload.get_text(raw, "toolUseId"), str(payload.get(raw, "name")), payload.get(raw, "input")
    )


def _tool_result(raw: Any) -> Part:
    parts = payload.get_list(raw, "content")
    told = [payload.coalesce(payload.get(each, "json"), payload.get(each, "text"), part(each)) for each in parts]
    return messages.tool_call_response(
        payload.get_text(raw, "toolUseId"), messages.parsed(told[0]) if len(told) == 1 else told
    )


def _media(modality: str, raw: Any) -> Part:
    form = payload.get_text(raw, "format")
    mime_type = None if form is None else _PLAIN.get(form, f"{modality}/{form}" if modality != "document" else None)
    source = payload.get(raw, "source")
    place = payload.get_text(source, "s3Location", "uri")
    if place is not None:
        return messages.uri(modality, place, mime_type)
    data = payload.coalesce(payload.get(source, "bytes"), payload.get(source, "text"))
    # The client encodes bytes on their way; in Nova's own format the agent has done it.
    encoded = base64.b64encode(data).decode() if isinstance(data, (bytes, bytearray)) else str(data or "")
    return messages.blob(modality, mime_type, encoded)


_PARTS = {
    "text": _text,
    "guardContent": _guarded,
    "citationsContent": _cited,
    "reasoningContent": _reasoning,
    "toolUse": _tool_use,
    "toolResult": _tool_result,
}
