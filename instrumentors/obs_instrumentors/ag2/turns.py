"""Turns of agents of ``ag2``: model calls, tools and hand-offs, from the events that make up a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, ownership, semconv
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import AgentRun, Handoff, ToolCall, Usage
from obs_run.core.operations.tools import ToolResult
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part
    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Those that the library calls otherwise than the conventions."""
_UNKNOWN_PROVIDER = "ag2"
_FINISH_REASONS = {"tool_calls": "tool_call"}
_CHANNEL = "ag2.network.channel"
"""Under what the context of a turn has the channel that it is for."""
_SUBTASK = "subtask"
_moments = CallbackRuns()


@dataclass(eq=False, repr=False)
class _Tool(ToolCall):
    """A tool, with what the library caught in it."""

    caught: BaseException | None = field(default=None, init=False)


def start_turn(call: Call) -> tuple[AgentRun, Reader[Any]]:
    """Read the call of ``_turn_scope``, as the turn begins that it is for."""
    agent, context = call.instance, call.kwargs.get("context")
    configuration = call.kwargs.get("config") or payload.get(agent, "config")
    # Not every configuration of a user's has both.
    operation = AgentRun(request_model=payload.as_text(payload.get_if_readable(configuration, "model")))
    operation.provider = _provider(payload.get_if_readable(configuration, "provider"))
    name = payload.get_text(agent, "name")
    # For each of a model's subtasks the library makes an agent with a number of its own.
    operation.agent_name = _SUBTASK if name is not None and name.startswith(f"{_SUBTASK}-") else name
    operation.conversation_id = _conversation(context)
    event = call.argument(0, "event")
    if type(event).__name__ == "ToolResultsEvent":
        # What the client's own tools gave.
        operation.extra[semconv.OBS_RESUMED] = True
    if content.wanted():
        operation.input_messages = list(_messages([event])) or None
        operation.system_instructions = _instructions(context)
    return operation, Reader(_read_reply)


def _conversation(context: Any) -> str:
    """Return the channel of agents that speak with each other, who have a new stream for each turn; else the stream."""
    channel = payload.as_dict(payload.get(context, "dependencies")).get(_CHANNEL)
    return payload.get_text(channel, "metadata", "channel_id") or str(payload.get(context, "stream", "id"))


def _provider(named: Any) -> str:
    name = payload.as_text(getattr(named, "value", named))
    return _UNKNOWN_PROVIDER if name is None else _PROVIDERS.get(name, name)


def _instructions(context: Any) -> list[Part] | None:
    said = [messages.text(str(each)) for each in payload.get_list(context, "prompt")]
    return said or None


def _read_reply(operation: AgentRun, reply: Any) -> None:
    """Read an ``AgentReply``; where it asks for tools, the client is to run them and to come back."""
    operation.has_result = True
    response = payload.get(reply, "response")
    if payload.get_list(response, "tool_calls", "calls"):
        operation.outcome = "interrupted"
    if content.wanted():
        operation.output_messages = [_answer(response, "stop")]


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]] | None:
    """Read the call of a model's client."""
    recording = ownership.current_recording()
    if isinstance(payload.get(recording, "operation"), FrameworkInference):
        # A client may be made of another one.
        return None
    turn = ownership.agent_around(recording)
    operation = FrameworkInference(
        "chat",
        provider=payload.get_text(turn, "provider") or _UNKNOWN_PROVIDER,
        request_model=payload.get_text(turn, "request_model"),
    )
    said = payload.as_list(call.argument(0, "messages"))
    operation.tool_results = _tool_results(said)
    if content.wanted():
        operation.input_messages = list(_messages(said))
        operation.system_instructions = _instructions(call.argument(1, "context"))
        offered = [payload.get(each, "function") for each in payload.as_list(call.kwargs.get("tools"))]
        operation.tool_definitions = [_definition(each) for each in offered if each is not None] or None
    return operation, Reader(_read_response)


def _definition(function: Any) -> messages.ToolDefinition:
    return messages.tool_definition(
        payload.get_text(function, "name") or "",
        payload.get_text(function, "description"),
        payload.get(function, "parameters"),
    )


def _tool_results(said: list[Any]) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first."""
    for event in reversed(said):
        kind = type(event).__name__
        for each in reversed(payload.get_list(event, "results") if kind == "ToolResultsEvent" else []):
            result = _result(each) if content.wanted() else None
            is_error = payload.get(each, "error") is not None
            yield ToolResult(payload.get_text(each, "parent_id"), payload.get_text(each, "name"), is_error, result)
        if kind == "ModelResponse":
            return


def _read_response(operation: Any, response: Any) -> None:
    """Read a ``ModelResponse``, unless the provider's client told of the call."""
    if not isinstance(operation, FrameworkInference):
        return
    operation.response_model = payload.get_text(response, "model")
    operation.response_id = payload.get_text(response, "response_id")
    calls = payload.get_list(response, "tool_calls", "calls")
    operation.tool_calls = [str(payload.get(each, "name")) for each in calls] or None
    operation.tool_call_ids = [payload.get_text(each, "id") for each in calls] or None
    reason = payload.get_text(response, "finish_reason")
    reason = _FINISH_REASONS.get(reason, reason) if reason else None
    operation.finish_reasons = None if reason is None else [reason]
    operation.usage = _usage(payload.get(response, "usage"))
    if content.wanted():
        operation.output_messages = [_answer(response, reason or ("tool_call" if calls else "stop"))]


def _usage(counts: Any) -> Usage | None:
    """Return what a call used, which some of the library's clients count in floats."""
    usage = Usage(
        input_tokens=_count(counts, "prompt_tokens"),
        output_tokens=_count(counts, "completion_tokens"),
        cache_read_tokens=_count(counts, "cache_read_input_tokens"),
        cache_write_tokens=_count(counts, "cache_creation_input_tokens"),
        reasoning_tokens=_count(counts, "thinking_tokens"),
    )
    return usage if usage.input_tokens or usage.output_tokens else None


def _count(counts: Any, name: str) -> int | None:
    number = payload.get_float(counts, name)
    return None if number is None else int(number)


def start_tool(call: Call) -> tuple[_Tool, Reader[Any]]:
    """Read the call of ``_execute_call``, by which all kinds of tools are run."""
    asked = call.argument(1, "call")
    operation = _Tool(
        tool_name=payload.get_text(asked, "name"), tool_type="function", call_id=payload.get_text(asked, "id")
    )
    content.note_arguments(operation, payload.get(asked, "arguments"))
    return operation, Reader(_read_tool, caught=_caught)


def _read_tool(operation: _Tool, event: Any) -> None:
    """Read what came of it: a result, an error, or that it is for the client to run."""
    error = payload.get(event, "error")
    if isinstance(error, BaseException):
        operation.caught = error
    elif type(event).__name__ == "ClientToolCallEvent":
        operation.outcome = "interrupted"
    elif content.wanted():
        operation.result = _result(event)


def _caught(operation: _Tool) -> BaseException | None:
    return operation.caught


def note_handoff(call: Call) -> None:
    """Record a hand-off, which a tool makes to return it."""
    recording = ownership.current_recording()
    agent = ownership.agent_around(recording)
    if agent is None or not isinstance(payload.get(recording, "operation"), ToolCall):
        return
    agent.outcome = "handoff"
    operation = Handoff(to_agent=payload.as_text(call.argument(0, "target")))
    operation.agent_name = agent.agent_name
    _moments.moment(operation, None)


def _messages(events: list[Any]) -> Iterator[Message]:
    """Go through what was said in a conversation; of what else happened in it the model is not told."""
    for event in events:
        kind = type(event).__name__
        if kind == "ModelResponse":
            yield _answer(event)
        elif kind == "ToolResultsEvent":
            results = [
                (payload.get_text(each, "parent_id"), _result(each)) for each in payload.get_list(event, "results")
            ]
            yield messages.message("tool", *[messages.tool_call_response(*each) for each in results])
        elif kind == "CompactionSummary":
            yield messages.message("user", messages.text(payload.get_text(event, "summary") or ""))
        elif kind in ("ModelRequest", "DrainedModelRequest"):
            yield messages.message("user", *[_part(each) for each in payload.get_list(event, "parts")])


def _answer(response: Any, finish_reason: str | None = None) -> Message:
    said = payload.get_text(response, "content")
    parts = [] if said is None else [messages.text(said)]
    for each in payload.get_list(response, "tool_calls", "calls"):
        name, arguments = str(payload.get(each, "name")), payload.get(each, "arguments")
        parts.append(messages.tool_call(payload.get_text(each, "id"), name, arguments))
    return messages.message("assistant", *parts, finish_reason=finish_reason)


def _response(event: Any) -> Part:
    return messages.tool_call_response(payload.get_text(event, "parent_id"), _result(event))


def _result(event: Any) -> Any:
    """Return what a tool gave: its text, or its parts where there are several."""
    parts = [_part(each) for each in payload.get_list(event, "result", "parts")]
    if len(parts) != 1:
        return parts
    return parts[0].get("content", parts[0])


def _part(said: Any) -> Part:
    """Return a text, data, or what stands somewhere else; of binary data its kind alone."""
    text = payload.get_text(said, "content")
    if text is not None:
        return messages.text(text)
    data = payload.get(said, "data")
    if type(said).__name__ == "DataInput":
        return {"type": "data", "content": plain(data)}
    address = payload.get_text(said, "url")
    if address is not None:
        return messages.uri("document", address)
    return {"type": type(said).__name__.lower()}
