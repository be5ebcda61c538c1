"""The library's messages, by the kinds of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part


def message(said: Any, finish_reason: str | None = None) -> Message:
    """Return a ``ChatMessageContent``, or a text of the user's."""
    if isinstance(said, str):
        return messages.message("user", messages.text(said))
    role = payload.get(said, "role")
    role = str(getattr(role, "value", role) or "user")
    parts = [_part(each) for each in payload.get_list(said, "items")]
    return messages.message(role, *parts, name=payload.get_text(said, "name"), finish_reason=finish_reason)


def _part(item: Any) -> Part:
    """Return a text, a call of a function, its result, or what there is besides."""
    kind = payload.get_text(item, "content_type") or ""
    if kind == "function_call":
        return messages.tool_call(call_id_of(item), str(payload.get(item, "name")), payload.get(item, "arguments"))
    if kind == "function_result":
        result = payload.get(item, "result")
        return messages.tool_call_response(call_id_of(item), result if isinstance(result, str) else plain(result))
    text = payload.get(item, "text")
    if isinstance(text, str):
        return messages.reasoning(text) if "reasoning" in kind else messages.text(text)
    return {"type": kind or "unknown"}


def call_id_of(item: Any) -> str | None:
    """Return the id of a function's call."""
    return payload.get_text(item, "id") or payload.get_text(item, "call_id")


def as_text(value: Any) -> Any:
    """Return what a function gives as something that can be told."""
    told = plain(value)
    return told if isinstance(told, (str, int, float, list, dict)) or told is None else content.to_json(told)
