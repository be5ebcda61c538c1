"""Google's contents, tools and finish reasons in the conventions' shape.

Names are camel case as the API has them; newer clients send some of them in the snake case of Python.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import append_part
from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition

_ROLES = {"model": "assistant"}
_FILTERED = (
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
)
_FAILED = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS")
_FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
    **dict.fromkeys(_FAILED, "error"),
}


def get(value: Any, *path: str) -> Any:
    """Return what stands at ``path`` of camel case names, in either spelling."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value[name] if name in value else value.get(_snake(name))
    return value


@cache
def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda match: f"_{match.group().lower()}", name)


def finish_reason(value: Any) -> str | None:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(value)
    if reason is None:
        return None
    return _FINISH_REASONS.get(reason, reason.lower())


def message(raw: Any) -> Message:
    """Return a Content that the agent sent."""
    role = payload.as_text(get(raw, "role")) or "user"
    message_parts = parts(raw)
    if message_parts and all(part["type"] == "tool_call_response" for part in message_parts):
        role = "tool"
    return messages.message(_ROLES.get(role, role), *message_parts)


def parts(raw: Any) -> list[Part]:
    """Return the parts of a Content."""
    result = [_part(part) for part in payload.as_list(get(raw, "parts"))]
    return [part for part in result if part is not None]


def add_part(message_parts: list[Part], raw: Any) -> None:
    """Add a Part of an answer to those before."""
    part = _part(raw)
    if part is not None:
        append_part(message_parts, part)


def tool_definitions(tools: Any) -> list[ToolDefinition]:
    """Return the tools that were offered; those that the provider runs are named by their kind."""
    definitions = []
    for tool in payload.as_list(tools):
        definitions += [_function(raw) for raw in payload.as_list(get(tool, "functionDeclarations"))]
        definitions += [messages.tool_definition(name, kind=name) for name in tool if name not in _DECLARATIONS]
    return definitions


_DECLARATIONS = ("functionDeclarations", "function_declarations")


def _function(raw: Any) -> ToolDefinition:
    return messages.tool_definition(
        payload.as_text(get(raw, "name")) or "",
        payload.as_text(get(raw, "description")),
        payload.coalesce(get(raw, "parametersJsonSchema"), get(raw, "parameters")),
    )


def _part(raw: Any) -> Part | None:
    text = get(raw, "text")
    if isinstance(text, str):
        return messages.reasoning(text) if get(raw, "thought") else messages.text(text)
    for name, translate in _PART_READERS.items():
        value = get(raw, name)
        if value is not None:
            return translate(value)
    return None


def _tool_call(raw: Any) -> Part | None:
    name = payload.as_text(get(raw, "name"))
    if name is None:
        # What a streamed call goes on with.
        return None
    return messages.tool_call(payload.as_text(get(raw, "id")), name, get(raw, "args") or {})


def _tool_response(raw: Any) -> Part:
    return messages.tool_call_response(payload.as_text(get(raw, "id")), get(raw, "response"))


def _blob(raw: Any) -> Part:
    kind = payload.as_text(get(raw, "mimeType"))
    return messages.blob(modality(kind), kind, payload.as_text(get(raw, "data")) or "")


def _file(raw: Any) -> Part:
    kind = payload.as_text(get(raw, "mimeType"))
    return messages.uri(modality(kind), payload.as_text(get(raw, "fileUri")) or "", kind)


def _code(raw: Any) -> Part:
    details = {"type": "code_execution", "language": get(raw, "language"), "code": get(raw, "code")}
    return {"type": "server_tool_call", "name": "code_execution", "server_tool_call": details}


def _code_result(raw: Any) -> Part:
    details = {"type": "code_execution", "outcome": get(raw, "outcome"), "output": get(raw, "output")}
    return {"type": "server_tool_call_response", "server_tool_call_response": details}


def modality(mime_type: str | None) -> str:
    """Return what a file holds by its type, as the conventions call it."""
    kind = (mime_type or "").partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"


_PART_READERS = {
    "functionCall": _tool_call,
    "functionResponse": _tool_response,
    "inlineData": _blob,
    "fileData": _file,
    "executableCode": _code,
    "codeExecutionResult": _code_result,
}
