"""Attributes that Agent Framework makes of requests and answers, with what it does not tell of them."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, semconv

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

OBSERVABILITY = "agent_framework.observability"
STREAM = "agent_framework.stream"
ANSWERED = "agent_framework.answered"
RESUMED = "agent_framework.resumed"
_UNKNOWN = (None, "", "unknown")


@dataclass
class _Asked:
    """What an agent or a model is asked with, while the library makes the attributes of its span."""

    messages: Any
    is_stream: bool
    session: Any = None
    instructions: Any = None


_asked: ContextVar[_Asked | None] = ContextVar("obs-run-agent-framework", default=None)


class _Asking:
    """Has what is asked with be there while a function of the library runs."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._token: Token[_Asked | None] | None = None

    def __enter__(self) -> None:
        """Have it there."""
        self._token = _asked.set(self._asked)

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        if self._token is not None:
            _asked.reset(self._token)


def ask_agent(call: Call) -> _Asking:
    """Read what an agent is asked."""
    given = call.kwargs
    instructions = payload.get(given.get("merged_options"), "instructions")
    return _Asking(_Asked(given.get("messages"), bool(given.get("stream")), given.get("session"), instructions))


def ask_model(call: Call) -> _Asking:
    """Read what a model is asked."""
    given = call.kwargs
    instructions = payload.get(given.get("options"), "instructions")
    return _Asking(_Asked(call.argument(0, "messages"), bool(given.get("stream")), None, instructions))


def add_request(attributes: Any, _: Call) -> Any:
    """Return the attributes that the library makes of a request, with what it does not tell of it."""
    asked = _asked.get()
    told = dict(attributes)
    is_agent = told.get(semconv.OPERATION_NAME) == "invoke_agent"
    _drop_what_says_nothing(told, is_agent=is_agent)
    if asked is None:
        return told
    if asked.is_stream:
        told[STREAM] = True
    if is_agent:
        conversation = payload.get_text(asked.session, "session_id")
        if conversation is not None:
            told[semconv.CONVERSATION_ID] = conversation
        told[RESUMED] = _is_resumed(asked.messages)
    if content.wanted():
        if semconv.TOOL_DEFINITIONS in told:
            told[semconv.TOOL_DEFINITIONS] = [_definition(each) for each in _parsed(told[semconv.TOOL_DEFINITIONS])]
        told[semconv.INPUT_MESSAGES] = _conventional(asked.messages)
        if isinstance(asked.instructions, str):
            told[semconv.SYSTEM_INSTRUCTIONS] = [messages.text(asked.instructions)]
    return told


def _drop_what_says_nothing(told: dict[str, Any], *, is_agent: bool) -> None:
    # An address is a whole URL, an agent's provider the library, a model's conversation its last answer.
    dropped = [semconv.SERVER_ADDRESS, semconv.PROVIDER_NAME if is_agent else semconv.CONVERSATION_ID]
    dropped += [name for name, value in told.items() if value in _UNKNOWN]
    if told.get(semconv.REQUEST_CHOICE_COUNT) == 1:
        dropped.append(semconv.REQUEST_CHOICE_COUNT)
    for name in dropped:
        told.pop(name, None)


def _definition(tool: Any) -> Any:
    """Return a tool in the form of the conventions, where an older release writes it in OpenAI's."""
    function = payload.get(tool, "function")
    return {"type": "function", **function} if isinstance(function, dict) else tool


def _is_resumed(asked: Any) -> bool:
    said = payload.as_list(asked)
    contents = payload.get_list(said[-1] if said else asked, "contents")
    return any(payload.get_text(each, "type") == "function_approval_response" for each in contents)


def _conventional(said: Any) -> list[Any]:
    """Return messages in the form of the conventions, by the library's own translation."""
    module = sys.modules[OBSERVABILITY]
    translate = payload.coalesce(
        payload.get(module, "_to_otel_message_latest_experimental"), payload.get(module, "_to_otel_message")
    )
    normalize = sys.modules["agent_framework._types"].normalize_messages
    return [translate(each) for each in normalize(said)]


def add_response(attributes: Any, call: Call) -> Any:
    """Return the attributes that the library makes of an answer, with what it does not tell of it."""
    response = call.argument(1, "response")
    said = payload.get_list(response, "messages")
    # That of an agent has the tools that were called before too.
    results = [at for at, each in enumerate(said) if payload.get_text(each, "role") == "tool"]
    answer = _conventional(said[results[-1] + 1 :] if results else said)
    reasons = _parsed(attributes.get(semconv.RESPONSE_FINISH_REASONS))
    if reasons and answer:
        answer[-1]["finish_reason"] = reasons[0]
    return {**attributes, ANSWERED: True, semconv.OUTPUT_MESSAGES: answer}


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
