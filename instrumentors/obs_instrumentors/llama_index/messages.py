"""The library's messages as the conventions have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import messages

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part


def of_message(message: Any, finish_reason: str | None = None) -> Message:
    """Return a ``ChatMessage``."""
    role = _role(message)
    call_id = payload.get_text(message, "additional_kwargs", "tool_call_id")
    if role == "tool":
        return messages.message(role, messages.tool_call_response(call_id, text_of(message)))
    parts = [_part(block) for block in payload.get_list(message, "blocks")]
    parts += [messages.tool_call(*call) for call in _other_calls(message)]
    return messages.message(role, *parts, finish_reason=finish_reason)


def of_text(role: str, text: str, finish_reason: str | None = None) -> Message:
    """Return a message that is a text."""
    return messages.message(role, messages.text(text), finish_reason=finish_reason)


def text_of(message: Any) -> str:
    """Return the text of a message or block."""
    blocks = payload.get_list(message, "blocks") or [message]
    return "\n".join(text for block in blocks if (text := payload.get_text(block, "text")) is not None)


def calls_of(message: Any) -> list[tuple[str | None, str, Any]]:
    """Return the tools that a model's answer asks for: the call's id, the tool's name and its arguments."""
    blocks = [each for each in payload.get_list(message, "blocks") if _is_call(each)]
    return [_call(block) for block in blocks] + _other_calls(message)


def _other_calls(message: Any) -> list[tuple[str | None, str, Any]]:
    """Return those that a provider's integration keeps in the provider's own form, beside the blocks."""
    if any(map(_is_call, payload.get_list(message, "blocks"))):
        return []
    found = payload.get_list(message, "additional_kwargs", "tool_calls")
    named = [(each, payload.get(each, "function")) for each in found]
    return [
        (payload.get_text(each, "id"), payload.get_text(function, "name") or "", payload.get(function, "arguments"))
        for each, function in named
        if function is not None
    ]


def _role(message: Any) -> str:
    role = payload.get(message, "role")
    role = str(getattr(role, "value", role) or "user")
    return {"chatbot": "assistant", "model": "assistant", "function": "tool"}.get(role, role)


def _is_call(block: Any) -> bool:
    return payload.get_text(block, "block_type") == "tool_call"


def _call(block: Any) -> tuple[str | None, str, Any]:
    name = payload.get_text(block, "tool_name") or ""
    return payload.get_text(block, "tool_call_id"), name, payload.get(block, "tool_kwargs")


def _part(block: Any) -> Part:
    kind = payload.get_text(block, "block_type") or "unknown"
    if kind == "tool_call":
        return messages.tool_call(*_call(block))
    if kind == "thinking":
        return messages.reasoning(payload.get_text(block, "content") or "")
    text, url = payload.get_text(block, "text"), payload.get(block, "url")
    if text is not None or kind == "text":
        return messages.text(text or "")
    # What it carries itself are bytes, of which the model's client knows the form.
    return {"type": kind} if url is None else messages.uri(kind, str(url))
