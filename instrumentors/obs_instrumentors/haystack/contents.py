"""Haystack's messages, tools and data in the form of the conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part, ToolDefinition


def message_of(said: Any) -> Message:
    """Return a ``ChatMessage``, or the text that is one of the user."""
    role = payload.get(said, "role")
    if role is None:
        return messages.message("user", messages.text(str(said)))
    return messages.message(str(getattr(role, "value", role)), *_parts(said))


def _parts(said: Any) -> list[Part]:
    parts = [
        messages.reasoning(str(payload.get(each, "reasoning_text"))) for each in payload.get_list(said, "reasonings")
    ]
    parts += [messages.text(each) for each in payload.get_list(said, "texts")]
    parts += [{"type": "image"} for _ in payload.get_list(said, "images")]
    for each in payload.get_list(said, "tool_calls"):
        name, arguments = str(payload.get(each, "tool_name")), payload.get(each, "arguments")
        parts.append(messages.tool_call(payload.get_text(each, "id"), name, arguments))
    for each in payload.get_list(said, "tool_call_results"):
        call_id = payload.get_text(each, "origin", "id")
        parts.append(messages.tool_call_response(call_id, _plain(payload.get(each, "result"))))
    return parts


def tools_of(tools: Any) -> list[ToolDefinition] | None:
    """Return the tools of a list; those of a toolset that is asked for them would change it."""
    return [
        messages.tool_definition(
            str(payload.get(each, "name")), payload.get_text(each, "description"), payload.get(each, "parameters")
        )
        for each in payload.as_list(tools)
        if payload.get_text(each, "name") is not None
    ] or None


def document_of(document: Any) -> dict[str, Any]:
    """Return a ``Document``."""
    return {
        "id": payload.get_text(document, "id"),
        "score": payload.get_float(document, "score"),
        "content": payload.get_text(document, "content"),
    }


def shown(data: Any) -> str:
    """Return what goes into a pipeline or comes out of it as a text."""
    return content.to_json(_plain(data))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items() if not callable(each)}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    text = payload.get_text(value, "text") or payload.get_text(value, "content")
    if text is not None:
        return text
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__
