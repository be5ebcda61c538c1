"""Google's contents, tools and finish reasons in the conventions' shape.

Names are camel case as the API has them; newer clients send some of them in the snake case of Python.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import append_part
from obs_instrumentors.wire.plain import plain, unknown_part
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
    raw_parts = payload.as_list(get(raw, "parts"))
    if raw_parts and all(get(part, "functionResponse") is not None for part in raw_parts):
        role = "tool"
    return messages.message(_ROLES.get(role, role), *message_parts)


def parts(raw: Any) -> list[Part]:
    """Return the parts of a Content."""
    result: list[Part] = []
    for part in payload.as_list(get(raw, "parts")):
        result += _parts(part)
    return result


def add_part(message_parts: list[Part], raw: Any) -> None:
    """Add a Part of an answer to those before."""
    for part in _parts(raw):
        append_part(message_parts, part)


def tool_definitions(tools: Any) -> list[ToolDefinition]:
    """Return the tools that were offered; those that the provider runs are named by their kind."""
    definitions = []
    for tool in payload.as_list(tools):
        definitions += [_function(raw) for raw in payload.as_list(get(tool, "functionDeclarations"))]
        kinds = tool if isinstance(tool, dict) else ()
        definitions += [messages.tool_definition(name, kind=name) for name in kinds if name not in _DECLARATIONS]
    return definitions


_DECLARATIONS = ("functionDeclarations", "function_declarations")


def _function(raw: Any) -> ToolDefinition:
    return messages.tool_definition(
        payload.as_text(get(raw, "name")) or "",
        payload.as_text(get(raw, "description")),
        payload.coalesce(get(raw, "parametersJsonSchema"), get(raw, "parameters")),
    )


def _parts(raw: Any) -> list[Part]:
    """Return a Part, which has one field named by its kind beside those that say how it is meant."""
    text = get(raw, "text")
    if isinstance(text, str):
        return [messages.reasoning(text) if get(raw, "thought") else messages.text(text)]
    for name, translate in _PART_READERS.items():
        value = get(raw, name)
        if value is not None:
            return translate(value)
    if not isinstance(raw, dict):
        return []
    unknown = {name: value for name, value in raw.items() if name not in _MARKS and value is not None}
    if not unknown:
        return []
    kind = _snake(next(iter(unknown)))
    return [unknown_part(unknown, kind)]


def _tool_call(raw: Any) -> list[Part]:
    name = payload.as_text(get(raw, "name"))
    if name is None:
        # What a streamed call goes on with.
        return []
    return [messages.tool_call(payload.as_text(get(raw, "id")), name, get(raw, "args") or {})]


def _tool_response(raw: Any) -> list[Part]:
    """Return what a function gave; images and files follow as parts of their own."""
    response = messages.tool_call_response(payload.as_text(get(raw, "id")), get(raw, "response"))
    return [response, *parts(raw)]


def _server_tool_call(raw: Any) -> list[Part]:
    kind = _kind_of_tool(raw)
    call = {"type": kind, "arguments": plain(get(raw, "args"))}
    call_id = payload.as_text(get(raw, "id"))
    return [{"type": "server_tool_call", "id": call_id, "name": kind, "server_tool_call": call}]


def _server_tool_response(raw: Any) -> list[Part]:
    kind = _kind_of_tool(raw)
    response = {"type": kind, "response": plain(get(raw, "response"))}
    call_id = payload.as_text(get(raw, "id"))
    part: Part = {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": response}
    return [part, *parts(raw)]


def _kind_of_tool(raw: Any) -> str:
    return (payload.as_text(get(raw, "toolType")) or "tool").lower()


def _blob(raw: Any) -> list[Part]:
    kind = payload.as_text(get(raw, "mimeType"))
    return [_named(messages.blob(modality(kind), kind, payload.as_text(get(raw, "data")) or ""), raw)]


def _file(raw: Any) -> list[Part]:
    kind = payload.as_text(get(raw, "mimeType"))
    return [_named(messages.uri(modality(kind), payload.as_text(get(raw, "fileUri")) or "", kind), raw)]


def _named(part: Part, raw: Any) -> Part:
    name = payload.as_text(get(raw, "displayName"))
    if name is not None:
        part["name"] = name
    return part


def _code(raw: Any) -> list[Part]:
    details = {"type": "code_execution", "language": get(raw, "language"), "code": get(raw, "code")}
    part: Part = {"type": "server_tool_call", "name": "code_execution", "server_tool_call": details}
    return [_with_id(part, raw)]


def _code_result(raw: Any) -> list[Part]:
    details = {"type": "code_execution", "outcome": get(raw, "outcome"), "output": get(raw, "output")}
    return [_with_id({"type": "server_tool_call_response", "server_tool_call_response": details}, raw)]


def _with_id(part: Part, raw: Any) -> Part:
    call_id = payload.as_text(get(raw, "id"))
    if call_id is not None:
        part["id"] = call_id
    return part


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
    "toolCall": _server_tool_call,
    "toolResponse": _server_tool_response,
}
_MARKS = frozenset(
    (
        "thought",
        "thoughtSignature",
        "thought_signature",
        "videoMetadata",
        "video_metadata",
        "mediaResolution",
        "media_resolution",
        "partMetadata",
        "part_metadata",
    )
)
"""Fields of a Part that say how it is meant."""
