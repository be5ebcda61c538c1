"""LangChain's messages as the conventions have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part, ToolDefinition

_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
_SHORT_FORM = 2
_FINISH_REASONS = {"end_turn": "stop", "STOP": "stop", "tool_calls": "tool_call", "tool_use": "tool_call"}


def of_state(state: Any) -> list[Message] | None:
    """Return what a graph's state, or another input or output of a chain, says; None where it says nothing."""
    found = payload.get(state, "messages")
    if found is None:
        return None if state is None else [messages.message("user", _as_part(state))]
    return of_list(found)


def of_list(found: Any) -> list[Message]:
    """Return a message, a text, or a list of them in any of the forms that LangChain takes."""
    return [of_message(each) for each in (found if isinstance(found, list) else [found])]


def of_message(message: Any) -> Message:
    """Return one message."""
    if isinstance(message, str):
        return messages.message("user", messages.text(message))
    if isinstance(message, tuple) and len(message) == _SHORT_FORM:
        return messages.message(_role(message[0]), *_parts(message[1]))
    role = _role(payload.get(message, "type") or payload.get(message, "role"))
    said = payload.get(message, "content")
    if role == "tool":
        return messages.message(role, messages.tool_call_response(payload.get_text(message, "tool_call_id"), said))
    parts = _parts(said)
    for call in payload.get(message, "tool_calls") or []:
        arguments = payload.get(call, "args")
        parts.append(messages.tool_call(payload.get_text(call, "id"), str(payload.get(call, "name")), arguments))
    return messages.message(role, *parts, name=payload.get_text(message, "name"))


def tool_results(asked: list[Any]) -> Iterator[ToolResult]:
    """Go through what tools gave after the model's last answer, the newest first."""
    for message in reversed(asked):
        role = _role(payload.get(message, "type"))
        if role == "tool":
            result = payload.get(message, "content") if content.wanted() else None
            is_error = payload.get(message, "status") == "error"
            yield ToolResult(payload.get_text(message, "tool_call_id"), is_error=is_error, result=result)
        elif role == "assistant":
            return


def of_answer(message: Any, finish_reason: str) -> list[Message]:
    """Return a model's answer."""
    answer = of_message(message)
    answer["role"] = "assistant"
    answer["finish_reason"] = finish_reason
    answer.pop("name", None)
    return [answer]


def finish_reason(message: Any) -> str | None:
    """Return why the model stopped, as the conventions name it."""
    metadata = payload.get(message, "response_metadata")
    reason = payload.get_text(metadata, "finish_reason") or payload.get_text(metadata, "stop_reason")
    if reason is None:
        return "tool_call" if payload.get(message, "tool_calls") else None
    return _FINISH_REASONS.get(reason, reason)


def tool_names(tools: Any) -> Iterator[str | None]:
    """Go through the names of the tools that a model was offered."""
    return (payload.get_text(function, "name") for function in _functions(tools))


def _functions(tools: Any) -> list[Any]:
    return [payload.get(tool, "function") or tool for tool in tools or []]


def tool_definitions(tools: Any) -> list[ToolDefinition] | None:
    """Return the tools that a model was offered, as far as they are in the form of OpenAI's."""
    return [
        messages.tool_definition(
            str(payload.get(function, "name")),
            payload.get_text(function, "description"),
            payload.get(function, "parameters"),
        )
        for function in _functions(tools)
        if payload.get(function, "name")
    ] or None


def _role(kind: Any) -> str:
    return _ROLES.get(kind, str(kind or "user"))


def _parts(said: Any) -> list[Part]:
    if not said:
        return []
    if isinstance(said, str):
        return [messages.text(said)]
    return [_block(block) for block in said] if isinstance(said, list) else [_as_part(said)]


def _block(block: Any) -> Part:
    """Return a block of content; of a type that we do not know it is kept as it came."""
    if isinstance(block, str):
        return messages.text(block)
    kind = payload.get(block, "type")
    text = payload.get(block, "text")
    if kind in ("text", None) and isinstance(text, str):
        return messages.text(text)
    said = payload.get(block, "reasoning") or payload.get(block, "thinking")
    if isinstance(said, str):
        return messages.reasoning(said)
    return dict(block) if isinstance(block, dict) and kind else _as_part(block)


def _as_part(value: Any) -> Part:
    return messages.text(value if isinstance(value, str) else content.to_json(plain(value)))


def plain(value: Any) -> Any:
    """Return a value of a state or a tool with LangChain's own objects in it shown as what they say."""
    if payload.get(value, "page_content") is not None:
        return {"content": payload.get(value, "page_content"), "metadata": payload.get(value, "metadata")}
    if hasattr(value, "tool_call_id") or hasattr(value, "response_metadata"):
        return payload.get(value, "content")
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value
