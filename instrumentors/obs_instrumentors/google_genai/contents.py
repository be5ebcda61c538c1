"""Google's contents, tools and finish reasons in the conventions' shape.

Names are camel case as the API has them; newer clients send some of them in the snake case of Python.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

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
    return re.sub("[A-Z]", lambda found: f"_{found.group().lower()}", name)


def count(value: Any) -> int | None:
    """Return a count as an int; clients send some as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else payload.as_int(value)


def finish_reason(told: Any) -> str | None:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(told)
    return None if reason is None else _FINISH_REASONS.get(reason, reason.lower())


def message(raw: Any) -> Message:
    """Return a content that the agent sent."""
    role = payload.as_text(get(raw, "role")) or "user"
    made = parts(raw)
    if made and all(part["type"] == "tool_call_response" for part in made):
        role = "tool"
    return messages.message(_ROLES.get(role, role), *made)


def parts(raw: Any) -> list[Part]:
    """Return the parts of a content."""
    return [part for each in payload.as_list(get(raw, "parts")) if (part := _part(each)) is not None]


def add(made: list[Part], raw: Any) -> None:
    """Put a part of an answer behind those that are there; a text that goes on is joined."""
    part = _part(raw)
    if part is None:
        return
    if made and part["type"] in ("text", "reasoning") and made[-1]["type"] == part["type"]:
        made[-1]["content"] += part["content"]
    else:
        made.append(part)


def tool_definitions(tools: Any) -> list[ToolDefinition]:
    """Return the tools that were offered; those that the provider runs are named by their kind."""
    made = []
    for tool in payload.as_list(tools):
        declared = payload.as_list(get(tool, "functionDeclarations"))
        made += [_function(each) for each in declared]
        made += [messages.tool_definition(name, kind=name) for name in tool if name not in _DECLARATIONS]
    return made


_DECLARATIONS = ("functionDeclarations", "function_declarations")


def _function(raw: Any) -> ToolDefinition:
    return messages.tool_definition(
        payload.as_text(get(raw, "name")) or "",
        payload.as_text(get(raw, "description")),
        payload.coalesce(get(raw, "parametersJsonSchema"), get(raw, "parameters")),
    )


def _part(raw: Any) -> Part | None:
    said = get(raw, "text")
    if isinstance(said, str):
        return messages.reasoning(said) if get(raw, "thought") else messages.text(said)
    for name, translate in _KINDS.items():
        value = get(raw, name)
        if value is not None:
            return translate(value)
    return None


def _call(raw: Any) -> Part | None:
    name = payload.as_text(get(raw, "name"))
    # What a streamed call goes on with has no name.
    return None if name is None else messages.tool_call(payload.as_text(get(raw, "id")), name, get(raw, "args") or {})


def _response(raw: Any) -> Part:
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


_KINDS = {
    "functionCall": _call,
    "functionResponse": _response,
    "inlineData": _blob,
    "fileData": _file,
    "executableCode": _code,
    "codeExecutionResult": _code_result,
}
