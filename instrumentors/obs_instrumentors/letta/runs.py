"""What is said to an agent, and what the server tells of its run: messages, tools, tokens, and why it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from obs_instrumentors.wire import uncounted
from obs_instrumentors.wire.anthropic import blocks
from obs_instrumentors.wire.continuation import append_part, note_tool_calls, output_message
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, hosted_agents, messages, recorder, semconv
from obs_run.core.operations import ExecutedTool, FetchedResponse, RemoteAgentRun, ToolResult, Usage
from obs_run.core.operations.tools import TOOL_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obs_run.core.messages import Message, Part

_FINISH_REASONS = {
    "end_turn": "stop",
    "tool_rule": "stop",
    "no_tool_call": "stop",
    "max_steps": "length",
    "max_tokens_exceeded": "length",
    "requires_approval": "tool_call",
}
_OUTCOMES = {"cancelled": "cancelled", "requires_approval": "interrupted"}
_FAILURES = (
    "error",
    "llm_api_error",
    "invalid_llm_response",
    "invalid_tool_call",
    "insufficient_credits",
    "context_window_overflow_in_system_prompt",
)
_NO_CONVERSATION = "default"


@dataclass
class _Call:
    """The call of a tool, which may come in pieces."""

    name: str
    arguments: list[str] = field(default_factory=list)
    tool: ExecutedTool | None = None
    """Where the server runs it."""


@dataclass(eq=False, repr=False)
class _Told:
    """What has come in of a run so far."""

    client_tools: frozenset[str | None] = frozenset()
    """Names of the tools that the client runs."""
    calls: dict[str, _Call] = field(default_factory=dict)
    """By their ids, in the order in which they came."""
    parts: list[Part] = field(default_factory=list)
    last_message: str | None = None
    """The id of the message that the last part is of."""
    told_usage: Usage | None = None


@dataclass(eq=False, repr=False)
class AgentAnswer(_Told, RemoteAgentRun):
    """One run of an agent, which the request asks for."""

    def read_path(self, following: Mapping[str, str], _params: Mapping[str, Any]) -> None:
        """Read which agent is asked, in which conversation."""
        conversation = following.get("conversations")
        if conversation is not None and conversation.startswith("agent-"):
            self.agent_id = conversation
        elif conversation != _NO_CONVERSATION:
            self.conversation_id = conversation
        self.agent_id = following.get("agents") or following.get("groups") or self.agent_id
        hosted_agents.name_agent(self)


@dataclass(eq=False, repr=False)
class ResumedAnswer(_Told, FetchedResponse):
    """A run in the background whose messages are asked for: how many tokens it used nobody was told before."""

    executed_tools: list[ExecutedTool] = field(default_factory=list, init=False)

    def read_path(self, following: Mapping[str, str], _params: Mapping[str, Any]) -> None:
        """Read which run it is, or the last one of which conversation."""
        self.response_id = following.get("runs")
        self.conversation_id = following.get("conversations")


Answer: TypeAlias = "AgentAnswer | ResumedAnswer"


def _parse_request(body: dict[str, Any]) -> AgentAnswer:
    client_tools = payload.as_list(body.get("client_tools"))
    operation = AgentAnswer(
        agent_id=payload.as_text(body.get("agent_id")),
        request_model=payload.as_text(body.get("override_model")),
        client_tools=frozenset(payload.get_text(tool, "name") for tool in client_tools),
    )
    said = payload.as_list(body.get("messages"))
    operation.tool_results = _tool_results(said)
    if content.wanted():
        told = [] if body.get("input") is None else [messages.message("user", *blocks.parts(body["input"]))]
        operation.input_messages = [*told, *(_input_message(each) for each in said)] or None
        system = payload.as_text(body.get("override_system"))
        operation.system_instructions = None if system is None else [messages.text(system)]
        operation.tool_definitions = [_tool_definition(tool) for tool in client_tools] or None
    return operation


def _tool_definition(tool: Any) -> dict[str, Any]:
    name = payload.get_text(tool, "name") or "tool"
    return messages.tool_definition(name, payload.get_text(tool, "description"), payload.get(tool, "parameters"))


def _input_message(said: Any) -> Message:
    returns = _returns(said)
    if returns:
        return messages.message("tool", *(_tool_answer(each) for each in returns))
    return messages.message(payload.get_text(said, "role") or "user", *blocks.parts(payload.get(said, "content")))


def _returns(said: Any) -> list[Any]:
    """Return what the client's tools gave, and what it allows; older requests say the latter without a list."""
    returns = payload.get_list(said, "tool_returns") or payload.get_list(said, "approvals")
    return returns or ([said] if payload.get(said, "type") == "approval" else [])


def _tool_answer(returned: Any) -> Part:
    call_id = payload.get_text(returned, "tool_call_id") or payload.get_text(returned, "approval_request_id")
    given = payload.get(returned, "tool_return")
    if given is None:
        given = {name: payload.get(returned, name) for name in ("approve", "reason")}
    return messages.tool_call_response(call_id, given)


def _tool_results(said: list[Any]) -> Iterator[ToolResult]:
    """Go through what the client's tools gave, the newest first."""
    for message in reversed(said):
        for returned in reversed(_returns(message)):
            if payload.get(returned, "status") is not None:
                result = payload.get(returned, "tool_return") if content.wanted() else None
                is_error = payload.get(returned, "status") == "error"
                yield ToolResult(payload.get_text(returned, "tool_call_id"), is_error=is_error, result=result)


def _parse_resumed(_body: dict[str, Any]) -> ResumedAnswer:
    return ResumedAnswer()


def read_response(operation: Answer, response: Any) -> None:
    """Read a LettaResponse."""
    for message in payload.get_list(response, "messages"):
        read_message(operation, message)
    _read_usage(operation, payload.get(response, "usage"))
    _read_stop_reason(operation, payload.get(response, "stop_reason"))
    finish(operation)


def read_message(operation: Answer, message: Any) -> None:
    """Read a LettaStreamingResponse, or one of the messages of a whole answer."""
    operation.response_id = payload.get_text(message, "run_id") or operation.response_id
    read = _READERS.get(payload.get_text(message, "message_type") or "")
    if read is not None:
        read(operation, message)


def _read_text(operation: Answer, message: Any) -> None:
    if content.wanted():
        _append(operation, message, blocks.parts(payload.get(message, "content")))


def _read_reasoning(operation: Answer, message: Any) -> None:
    if content.wanted():
        said = payload.get_text(message, "reasoning") or payload.get_text(message, "hidden_reasoning")
        _append(operation, message, [] if said is None else [messages.reasoning(said)])


def _append(operation: Answer, message: Any, parts: list[Part]) -> None:
    message_id = payload.get_text(message, "id")
    for part in parts:
        if message_id == operation.last_message:
            append_part(operation.parts, part)
        else:
            operation.parts.append(part)
        operation.last_message = message_id


def _read_calls(operation: Answer, message: Any) -> None:
    """Read the calls of tools, all of which newer servers tell in a list."""
    calls = payload.get(message, "tool_calls") or payload.get(message, "tool_call")
    for raw in calls if isinstance(calls, list) else [calls]:
        # What comes later of a call may have nothing but more of its arguments.
        call_id = payload.get_text(raw, "tool_call_id") or next(reversed(operation.calls), "")
        call = operation.calls.get(call_id)
        if call is None:
            call = operation.calls[call_id] = _Call(payload.get_text(raw, "name") or "")
            if call.name not in operation.client_tools:
                call.tool = ExecutedTool(tool_name=call.name, call_id=call_id or None, begun=recorder.now())
        call.arguments.append(payload.get_text(raw, "arguments") or "")


def _read_returns(operation: Answer, message: Any) -> None:
    for raw in payload.get_list(message, "tool_returns") or [message]:
        call = operation.calls.get(payload.get_text(raw, "tool_call_id") or "")
        tool = None if call is None else call.tool
        if tool is None or tool.over is not None:
            continue
        tool.over = recorder.now()
        if payload.get(raw, "status") == "error":
            tool.error_type = TOOL_ERROR
        if content.wanted():
            tool.result = payload.get(raw, "tool_return")
        operation.executed_tools.append(tool)


def _read_usage(operation: Answer, raw: Any) -> None:
    """Read the LettaUsageStatistics of all steps of a run."""
    usage = Usage(
        input_tokens=payload.get_int(raw, "prompt_tokens"),
        output_tokens=payload.get_int(raw, "completion_tokens"),
        cache_read_tokens=payload.get_int(raw, "cached_input_tokens"),
        cache_write_tokens=payload.get_int(raw, "cache_write_tokens"),
        reasoning_tokens=payload.get_int(raw, "reasoning_tokens"),
    )
    if usage.input_tokens or usage.output_tokens:
        operation.told_usage = usage
    steps = payload.get_int(raw, "step_count")
    if steps is not None:
        operation.extra[semconv.OBS_RUN_STEPS] = steps


def _read_stop_reason(operation: Answer, raw: Any) -> None:
    reason = payload.get_text(raw, "stop_reason")
    if reason is None:
        return
    operation.finish_reasons = [_FINISH_REASONS.get(reason, "error" if reason in _FAILURES else reason)]
    if reason in _FAILURES:
        operation.error_type = operation.error_type or reason
    if reason in _OUTCOMES:
        operation.extra[semconv.OBS_OUTCOME] = _OUTCOMES[reason]


def _read_error(operation: Answer, message: Any) -> None:
    operation.error_type = payload.get_text(message, "error_type") or "_OTHER"


def finish(operation: Answer) -> None:
    """Complete the operation from what has come in."""
    handed_back: list[tuple[str | None, str]] = []
    parts, operation.parts = operation.parts, []
    for call_id, call in operation.calls.items():
        arguments = "".join(call.arguments)
        if call.tool is None:
            handed_back.append((call_id, call.name))
            parts.append(messages.tool_call(call_id, call.name, arguments))
        else:
            content.note_arguments(call.tool, arguments or None)
    _count(operation)
    note_tool_calls(operation, handed_back)
    if content.wanted() and parts:
        operation.output_messages = [output_message(operation, parts)]


def _count(operation: Answer) -> None:
    """Have the tokens of a run counted once, by the request for it or by a later question."""
    if isinstance(operation, ResumedAnswer):
        uncounted.count_fetched(operation, operation.told_usage, is_background=True)
    else:
        operation.usage = operation.told_usage
        uncounted.note_answer(operation, is_over=operation.usage is not None)


def _read_run_usage(operation: ResumedAnswer, raw: Any) -> None:
    """Read what a run in the background has used."""
    _read_usage(operation, raw)
    _count(operation)


def _read_background_run(operation: AgentAnswer, run: Any) -> None:
    """Read a Run, which goes on after the answer."""
    operation.response_id = payload.get_text(run, "id")
    uncounted.note_answer(operation, is_over=False)
    operation.conversation_id = payload.get_text(run, "conversation_id") or operation.conversation_id


_READERS: dict[str, Callable[[Answer, Any], None]] = {
    "assistant_message": _read_text,
    "reasoning_message": _read_reasoning,
    "hidden_reasoning_message": _read_reasoning,
    "tool_call_message": _read_calls,
    "approval_request_message": _read_calls,
    "tool_return_message": _read_returns,
    "usage_statistics": _read_usage,
    "stop_reason": _read_stop_reason,
    "error_message": _read_error,
}
_RESUME = {"post": Endpoint(_parse_resumed, read_response, read_message, finish)}
_ASK = {"post": Endpoint(_parse_request, read_response, read_message, finish)}
ENDPOINTS = {
    "agents/*/messages": _ASK,
    "agents/*/messages/stream": _ASK,
    "agents/*/messages/async": {"post": Endpoint(_parse_request, _read_background_run)},
    "conversations/*/messages": _ASK,
    "groups/*/messages": _ASK,
    "groups/*/messages/stream": _ASK,
    "runs/*/stream": _RESUME,
    "runs/*/usage": {"get": Endpoint(_parse_resumed, _read_run_usage)},
    "conversations/*/stream": _RESUME,
}
