"""Messages of Converse in the conventions' shape."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain, unknown_part
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part, ToolDefinition

_MODALITIES = ("image", "video", "audio", "document")
_MARKS = ("cachePoint",)
_DOCUMENT_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown"}


def message(raw: Any, finish_reason: str | None = None) -> Message:
    """Return a message that the agent sent or the model answered."""
    message_parts = parts(payload.get(raw, "content"))
    role = payload.get_text(raw, "role") or "user"
    if message_parts and all(part["type"] == "tool_call_response" for part in message_parts):
        role = "tool"
    return messages.message(role, *message_parts, finish_reason=finish_reason)


def parts(blocks: Any) -> list[Part]:
    """Return the parts of content blocks, without marks such as cache points."""
    result = [_part(block) for block in payload.as_list(blocks)]
    return [part for part in result if part is not None]


def _part(raw: Any) -> Part | None:
    """Return a block, which has one field named by its kind, as a part; None for marks such as cache points."""
    if not isinstance(raw, dict):
        return None
    for kind, block in raw.items():
        if kind in _MODALITIES:
            return _media(kind, block)
        read = _BLOCK_READERS.get(kind)
        if read is not None:
            return read(block)
    kinds = [kind for kind in raw if kind not in _MARKS]
    return unknown_part(raw, kinds[0]) if kinds else None


def tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    """Go through the results of tools after the model's last answer, the newest first."""
    for raw in reversed(payload.as_list(raw_messages)):
        if payload.get(raw, "role") == "assistant":
            return
        for block in reversed(payload.get_list(raw, "content")):
            result = payload.get(block, "toolResult")
            if result is not None:
                yield _tool_result_of(result)


def _tool_result_of(raw: Any) -> ToolResult:
    response = _tool_response(raw)["response"] if content.wanted() else None
    return ToolResult(
        payload.get_text(raw, "toolUseId"), is_error=payload.get(raw, "status") == "error", result=response
    )


def tool_definition(raw: Any) -> ToolDefinition | None:
    """Return the definition of a tool; None for marks such as cache points."""
    spec = payload.get(raw, "toolSpec")
    if spec is None:
        system_tool = payload.get_text(raw, "systemTool", "name")
        return None if system_tool is None else messages.tool_definition(system_tool, kind="system")
    return messages.tool_definition(
        payload.get_text(spec, "name") or "",
        payload.get_text(spec, "description"),
        payload.get(spec, "inputSchema", "json"),
    )


def _text(raw: Any) -> Part:
    return messages.text(payload.as_text(raw) or "")


def _guarded_text(raw: Any) -> Part:
    return messages.text(payload.get_text(raw, "text", "text") or "")


def _cited_text(raw: Any) -> Part:
    texts = [payload.get_text(item, "text") or "" for item in payload.get_list(raw, "content")]
    part = messages.text("".join(texts))
    citations = payload.get_list(raw, "citations")
    if citations:
        part["citations"] = plain(citations)
    return part


def _reasoning(raw: Any) -> Part:
    return messages.reasoning(payload.get_text(raw, "reasoningText", "text") or "")


def _tool_call(raw: Any) -> Part:
    name = str(payload.get(raw, "name"))
    return messages.tool_call(payload.get_text(raw, "toolUseId"), name, payload.get(raw, "input"))


def _tool_response(raw: Any) -> Part:
    results = [_tool_result(block) for block in payload.get_list(raw, "content")]
    response = results[0] if len(results) == 1 else results
    part = messages.tool_call_response(payload.get_text(raw, "toolUseId"), response)
    status = payload.get_text(raw, "status")
    if status is not None:
        part["status"] = status
    return part


def _tool_result(block: Any) -> Any:
    return payload.coalesce(payload.get(block, "json"), payload.get(block, "text"), _part(block))


def _media(modality: str, raw: Any) -> Part:
    part = _source(modality, raw)
    name = payload.get_text(raw, "name")
    if name is not None:
        part["name"] = name
    return part


def _source(modality: str, raw: Any) -> Part:
    mime_type = _mime_type(modality, payload.get_text(raw, "format"))
    source = payload.get(raw, "source")
    uri = payload.get_text(source, "s3Location", "uri")
    if uri is not None:
        return messages.uri(modality, uri, mime_type)
    data = payload.coalesce(payload.get(source, "bytes"), payload.get(source, "text"))
    if isinstance(data, (bytes, bytearray)):
        # The client encodes bytes on their way; in Nova's own format the agent has done it.
        data = base64.b64encode(data).decode()
    return messages.blob(modality, mime_type, str(data or ""))


def _mime_type(modality: str, data_format: str | None) -> str | None:
    if data_format is None:
        return None
    if modality == "document":
        return _DOCUMENT_TYPES.get(data_format)
    return f"{modality}/{data_format}"


_BLOCK_READERS = {
    "text": _text,
    "guardContent": _guarded_text,
    "citationsContent": _cited_text,
    "reasoningContent": _reasoning,
    "toolUse": _tool_call,
    "toolResult": _tool_response,
}
