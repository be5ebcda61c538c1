"""Anthropic's content blocks in the conventions' shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.messages import Message, Part, ToolDefinition

_RESULT = "_tool_result"
# What a part says of where it was found; the rest of a server's tool call or result is kept as it is told.
_OUTER = ("id", "name", "type", "tool_use_id", "cache_control")


def message(raw: Any) -> Message:
    """Return a message that the agent sent; one of tool results alone is a tool's."""
    said = payload.get(raw, "content")
    kinds = {_kind(block) for block in payload.as_list(said)}
    role = "tool" if kinds == {"tool_result"} else payload.get_text(raw, "role") or "user"
    return messages.message(role, *parts(said))


def parts(said: Any) -> list[Part]:
    """Return what a text or a list of blocks says."""
    if isinstance(said, str):
        return [messages.text(said)] if said else []
    return [part for block in payload.as_list(said) for part in _parts(block)]


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


def _parts(raw: Any) -> list[Part]:
    kind = _kind(raw)
    read = _READERS.get(kind) or (_server_result if kind.endswith(_RESULT) else None)
    # What is encrypted, or not known here, is named and left out.
    return [{"type": kind or "unknown"}] if read is None else read(raw)


def _text(raw: Any) -> list[Part]:
    part = messages.text(payload.get_text(raw, "text") or "")
    citations = payload.get_list(raw, "citations")
    if citations:
        part["citations"] = [_plain(each) for each in citations]
    return [part]


def _thinking(raw: Any) -> list[Part]:
    return [messages.reasoning(payload.get_text(raw, "thinking") or "")]


def _sourced(raw: Any) -> list[Part]:
    modality, source = _kind(raw), payload.get(raw, "source")
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
    # The client also takes an open file, which is not ours to read.
    return [messages.blob(modality, mime_type, data if isinstance(data, str) else "")]


def _tool_call(raw: Any) -> list[Part]:
    return [messages.tool_call(_id(raw, "id"), _name(raw), payload.get(raw, "input"))]


def _tool_result(raw: Any) -> list[Part]:
    """Return a tool's answer; images and documents in it follow as parts of their own."""
    said = parts(payload.get(raw, "content"))
    texts = [part["content"] for part in said if part["type"] == "text"]
    further = [part for part in said if part["type"] != "text"]
    return [messages.tool_call_response(_id(raw, "tool_use_id"), messages.parsed("".join(texts))), *further]


def _server_call(raw: Any) -> list[Part]:
    inner = {"type": _name(raw) or _kind(raw), **_inner(raw)}
    return [{"type": "server_tool_call", "id": _id(raw, "id"), "name": _name(raw), "server_tool_call": inner}]


def _server_result(raw: Any) -> list[Part]:
    inner = {"type": _kind(raw).removesuffix(_RESULT), **_inner(raw)}
    call_id = _id(raw, "tool_use_id")
    return [{"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": inner}]


def _upload(raw: Any) -> list[Part]:
    return [messages.file("document", str(payload.get(raw, "file_id")))]


def _compaction(raw: Any) -> list[Part]:
    return [{"type": "compaction", "id": None, "content": payload.get_text(raw, "content")}]


def _inner(raw: Any) -> dict[str, Any]:
    told = _plain(raw)
    return {name: value for name, value in told.items() if name not in _OUTER and value is not None}


def _plain(value: Any) -> Any:
    """Return models as dicts, whole."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    told = payload.as_dict_or_self(value)
    return {name: _plain(each) for name, each in told.items()} if isinstance(told, dict) else value


def _id(raw: Any, name: str) -> str | None:
    return payload.get_text(raw, name)


def _name(raw: Any) -> str:
    return payload.get_text(raw, "name") or ""


_READERS: dict[str, Callable[[Any], list[Part]]] = {
    "text": _text,
    "thinking": _thinking,
    "image": _sourced,
    "document": _sourced,
    "tool_use": _tool_call,
    "tool_result": _tool_result,
    "server_tool_use": _server_call,
    "mcp_tool_use": _server_call,
    "container_upload": _upload,
    "compaction": _compaction,
}
