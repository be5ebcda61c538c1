"""Anthropic's content blocks in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import fields_besides, plain, unknown_part
from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition

_RESULT_SUFFIX = "_tool_result"
# What a part says of where it was; the rest of a server's tool call or result is kept as it is.
_OUTER_FIELDS = ("id", "name", "type", "tool_use_id", "cache_control")


def message(raw: Any) -> Message:
    """Return a MessageParam that the agent sent; one of tool results alone is a tool's."""
    raw_content = payload.get(raw, "content")
    kinds = {_kind(block) for block in payload.as_list(raw_content)}
    role = payload.get_text(raw, "role") or "user"
    if kinds == {"tool_result"}:
        role = "tool"
    return messages.message(role, *parts(raw_content))


def parts(raw: Any) -> list[Part]:
    """Return what a text or a list of blocks says."""
    if isinstance(raw, str):
        return [messages.text(raw)] if raw else []
    result: list[Part] = []
    for block in payload.as_list(raw):
        result += _block_parts(block)
    return result


def tool_definition(raw: Any) -> ToolDefinition:
    """Return the definition of a tool, of the agent's own or of the provider's."""
    kind = _kind(raw)
    return messages.tool_definition(
        payload.get_text(raw, "name") or kind or "tool",
        payload.get_text(raw, "description"),
        payload.get(raw, "input_schema"),
        "function" if kind in ("", "custom") else kind,
    )


def _kind(raw: Any) -> str:
    return payload.get_text(raw, "type") or ""


def _block_parts(raw: Any) -> list[Part]:
    kind = _kind(raw)
    read = _BLOCK_READERS.get(kind)
    if read is not None:
        return read(raw)
    if kind.endswith(_RESULT_SUFFIX):
        return _server_tool_result(raw)
    if kind.startswith("redacted"):
        # What is encrypted is named and left out.
        return [{"type": kind}]
    return [unknown_part(raw)]


def _text(raw: Any) -> list[Part]:
    part = messages.text(payload.get_text(raw, "text") or "")
    citations = payload.get_list(raw, "citations")
    if citations:
        part["citations"] = plain(citations)
    return [part]


def _thinking(raw: Any) -> list[Part]:
    return [messages.reasoning(payload.get_text(raw, "thinking") or "")]


def _media(raw: Any) -> list[Part]:
    parts = _source(_kind(raw), payload.get(raw, "source"), raw)
    title = payload.get_text(raw, "title")
    if title is not None and parts:
        parts[0]["name"] = title
    return parts


def _source(modality: str, source: Any, raw: Any) -> list[Part]:
    kind = _kind(source)
    mime_type = payload.get_text(source, "media_type")
    if kind == "url":
        return [messages.uri(modality, str(payload.get(source, "url")), mime_type)]
    if kind == "file":
        return [messages.file(modality, str(payload.get(source, "file_id")), mime_type)]
    if kind == "content":
        return parts(payload.get(source, "content"))
    data = payload.get(source, "data")
    if kind == "text":
        return [messages.text(payload.as_text(data) or "")]
    if data is None:
        return [unknown_part(raw)]
    # The client also takes an open file, which is not ours to read.
    return [messages.blob(modality, mime_type, data if isinstance(data, str) else "")]


def _tool_call(raw: Any) -> list[Part]:
    return [messages.tool_call(payload.get_text(raw, "id"), _name(raw), payload.get(raw, "input"))]


def _tool_result(raw: Any) -> list[Part]:
    """Return a tool's response; images and documents in it follow as parts of their own."""
    texts: list[str] = []
    attachments: list[Part] = []
    for part in parts(payload.get(raw, "content")):
        if part["type"] == "text":
            texts.append(part["content"])
        else:
            attachments.append(part)
    part = messages.tool_call_response(payload.get_text(raw, "tool_use_id"), "".join(texts))
    if payload.get(raw, "is_error") is True:
        part["is_error"] = True
    return [part, *attachments]


def _server_tool_call(raw: Any) -> list[Part]:
    call = {"type": _name(raw) or _kind(raw), **_inner_fields(raw)}
    call_id = payload.get_text(raw, "id")
    return [{"type": "server_tool_call", "id": call_id, "name": _name(raw), "server_tool_call": call}]


def _server_tool_result(raw: Any) -> list[Part]:
    response = {"type": _kind(raw).removesuffix(_RESULT_SUFFIX), **_inner_fields(raw)}
    call_id = payload.get_text(raw, "tool_use_id")
    return [{"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": response}]


def _upload(raw: Any) -> list[Part]:
    return [messages.file("document", str(payload.get(raw, "file_id")))]


def _compaction(raw: Any) -> list[Part]:
    return [{"type": "compaction", "id": None, "content": payload.get_text(raw, "content")}]


def _inner_fields(raw: Any) -> dict[str, Any]:
    return fields_besides(raw, *_OUTER_FIELDS)


def _name(raw: Any) -> str:
    return payload.get_text(raw, "name") or ""


_BLOCK_READERS: dict[str, Callable[[Any], list[Part]]] = {
    "text": _text,
    "thinking": _thinking,
    "image": _media,
    "document": _media,
    "tool_use": _tool_call,
    "tool_result": _tool_result,
    "server_tool_use": _server_tool_call,
    "mcp_tool_use": _server_tool_call,
    "container_upload": _upload,
    "compaction": _compaction,
}
