"""What the library's spans mean, and what is read of the objects that it has at hand as it fills them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.google import answers, contents
from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, ownership, recorder, semconv
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import AgentRun, Handoff, Step, ToolCall, Workflow
from obs_run.core.recording_tracers import Vocabulary, current_span
from obs_run.core.span_attributes import operation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_NO_TOOL = "(merged)"
"""What the library calls the results of several tools, once they are in one event."""
_GOOGLE = "gcp.gemini"
_READ_ELSEWHERE = (
    semconv.INPUT_MESSAGES,
    semconv.OUTPUT_MESSAGES,
    semconv.RESPONSE_FINISH_REASONS,
    semconv.SYSTEM_INSTRUCTIONS,
    semconv.TOOL_CALL_ARGUMENTS,
    semconv.TOOL_CALL_ID,
    semconv.TOOL_CALL_RESULT,
    semconv.TOOL_DEFINITIONS,
    semconv.TOOL_TYPE,
)
"""What the library sets by switches of its own, or in words of its own."""
_KEPT = ("gcp.vertex.agent.event_id", "gcp.vertex.agent.invocation_id")
"""By what the library's own viewer finds a span."""
_SETTINGS = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "max_output_tokens",
    "stop_sequences",
    "candidate_count",
    "response_mime_type",
    "response_modalities",
    "response_schema",
)


@dataclass(eq=False, repr=False)
class _Answer(FrameworkInference, answers.Answer):
    """A model's answer in the form of Gemini's API, which the library gives all of them."""

    is_in_pieces: bool = False


_KINDS: Mapping[str, Callable[[str], Operation | None]] = {
    "compact_events": lambda _: Step(step_name="compact_events", step_type="compaction"),
    "execute_tool": lambda name: None if name == _NO_TOOL else ToolCall(tool_name=name, tool_type="function"),
    "generate_content": lambda _: _Answer("chat", provider=_GOOGLE),
    "invocation": lambda _: Workflow(),
    "invoke_agent": lambda name: AgentRun(agent_name=name),
    "invoke_node": lambda name: Step(step_name=name, step_type="node"),
}
"""What spans tell of by the first word of their names; some get attributes only later."""


def operation(name: str, attributes: Mapping[str, Any]) -> Operation | None:
    """Return what a span tells of; None for those that only hold others."""
    kind, _, subject = name.partition(" ")
    return _KINDS[kind](subject) if kind in _KINDS else operation_of(name, attributes)


def read(told: Any, name: str, value: Any) -> None:
    """Keep what the library finds its spans by."""
    if name in _KEPT and value:
        told.extra[name] = value


def failure(told: Any, raised: BaseException) -> BaseException:
    """Have a tool fail of what it raised, and not of what the model is told of it."""
    if isinstance(told, ToolCall):
        told.error_type = None
    return raised


VOCABULARY = Vocabulary("google.adk", operation, names=dict.fromkeys(_READ_ELSEWHERE, ""), read=read, failure=failure)


def _recording(span: Any) -> Any:
    return payload.get(getattr(span, "span", span), "recording")


def note_agent(call: Call) -> None:
    """Read what an agent is asked, from the context of its invocation."""
    recording = _recording(call.argument(0, "span"))
    told: Any = payload.get(recording, "operation")
    if not isinstance(told, AgentRun):
        return
    agent, context = call.argument(1, "agent"), call.argument(2, "ctx")
    told.request_model = payload.get_text(agent, "model") or payload.get_text(agent, "model", "model")
    asked = _answered(context)
    if asked is not None:
        told.extra[semconv.OBS_RESUMED] = True
    else:
        asked = payload.get(context, "user_content")
    _name_workflow(recording.outer, agent, context)
    if content.wanted() and asked is not None:
        told.input_messages = [contents.message(plain(asked))]


def _name_workflow(recording: Any, agent: Any, context: Any) -> None:
    """Name an invocation, of whose beginning the library's older form tells nothing."""
    told = payload.get(recording, "operation")
    if isinstance(told, Workflow) and told.workflow_name is None:
        told.workflow_name = payload.get_text(payload.get(agent, "root_agent") or agent, "name")
        told.conversation_id = payload.get_text(context, "session", "id")
        recording.span.update_name(told.span_name())


def _answered(context: Any) -> Any:
    """Return what somebody answers to what a run before has waited for; None where the last word is another one."""
    events = payload.get_list(context, "session", "events")
    if not events or payload.get_text(events[-1], "author") != "user":
        return None
    said = payload.get(events[-1], "content")
    parts = payload.get_list(said, "parts")
    is_answer = parts and all(payload.get(part, "function_response") is not None for part in parts)
    return said if is_answer else None


def note_request(call: Call) -> None:
    """Read what a model is asked."""
    recording = _recording(call.argument(0, "span"))
    told = payload.get(recording, "operation")
    if not isinstance(told, _Answer):
        return
    request = call.argument(1, "llm_request")
    config = payload.get(request, "config")
    body: dict[str, Any] = {"generationConfig": {name: payload.get(config, name) for name in _SETTINGS}}
    if content.wanted():
        body["contents"] = [plain(each) for each in payload.get_list(request, "contents")]
        body["tools"] = [plain(each) for each in payload.get_list(config, "tools")]
        body["systemInstruction"] = _instruction(payload.get(config, "system_instruction"))
    told.request_model = payload.get_text(request, "model")
    told.provider = _provider(told.request_model or "")
    answers.read_request(told, body)
    recording.read_unfinished = lambda: partial(answers.finish, told)


def _provider(model: str) -> str:
    """Return whose a model is by its name, as newer releases of the library tell it."""
    vendor, is_named, _ = model.partition("/")
    if is_named and vendor not in ("projects", "models", "endpoints"):
        return vendor
    return "anthropic" if model.startswith("claude") else _GOOGLE


def _instruction(said: Any) -> Any:
    return {"parts": [{"text": said}]} if isinstance(said, str) else plain(said)


def note_response(call: Call) -> None:
    """Read what a model gave, whole or the next piece of it, unless the provider's client tells of the call.

    The call is over once the model says why; the library may have its span current until the tools have run.
    """
    recording = _recording(call.argument(1, "span"))
    response = call.argument(2, "llm_response")
    told = payload.get(recording, "operation")
    if isinstance(told, _Answer):
        is_piece = payload.get(response, "partial") is True
        if is_piece:
            recording.chunk()
        elif told.is_in_pieces:
            # It comes again, as a whole.
            told.candidates.clear()
        told.is_in_pieces = is_piece
        answers.read_response(told, _body(response))
    reason = payload.get(response, "finish_reason")
    if recording is not None and reason is not None and "UNSPECIFIED" not in str(reason):
        recording.end()


def _body(response: Any) -> dict[str, Any]:
    said = payload.get_list(response, "content", "parts")
    if not content.wanted():
        said = [part for part in said if payload.get(part, "function_call") is not None]
    candidate = {
        "content": {"parts": plain(said)},
        "finishReason": payload.get(response, "finish_reason"),
        "groundingMetadata": plain(payload.get(response, "grounding_metadata")),
        "citationMetadata": plain(payload.get(response, "citation_metadata")),
    }
    return {
        "candidates": [candidate],
        "usageMetadata": plain(payload.get(response, "usage_metadata")),
        "modelVersion": payload.get(response, "model_version"),
    }


def note_answer(call: Call) -> None:
    """Read what an agent says in the end, whoever tells of the model's answer."""
    recording = _agents_recording()
    response = call.kwargs.get("llm_response")
    if recording is None or payload.get(response, "partial") is True:
        return
    parts = payload.get_list(response, "content", "parts")
    is_last = bool(parts) and all(payload.get(part, "function_call") is None for part in parts)
    agent, around = recording.operation, payload.get(recording.outer, "operation")
    for told in (agent, around) if isinstance(around, Workflow) else (agent,):
        told.has_result = is_last
    if is_last and content.wanted():
        said = contents.message(plain(payload.get(response, "content")))
        agent.output_messages = [messages.message("assistant", *said["parts"], finish_reason="stop")]


def _agents_recording() -> Any:
    recording: Any = ownership.current_recording()
    while recording is not None and not isinstance(recording.operation, AgentRun):
        recording = recording.outer
    return recording


def _current_tool(call: Call) -> tuple[Any, ToolCall] | None:
    """Return the span of the tool that a call is for, and its operation."""
    span = current_span()
    told = payload.get(_recording(span), "operation")
    is_it = isinstance(told, ToolCall) and told.tool_name == payload.get_text(call.argument(0, "tool"), "name")
    return (span, told) if is_it else None


def note_tool(call: Call) -> None:
    """Read what a tool is called with."""
    current = _current_tool(call)
    if current is None:
        return
    told = current[1]
    told.call_id = payload.get_text(call.kwargs.get("tool_context"), "function_call_id")
    content.note_arguments(told, content.copied(call.kwargs.get("tool_args")))


def note_tool_error(call: Call) -> None:
    """Note what a tool raised, which somebody may answer in its place."""
    current = _current_tool(call)
    error = call.kwargs.get("error")
    if current is not None and isinstance(error, BaseException):
        current[0].fail(error, is_failure=True)


def note_tool_result(call: Call) -> None:
    """Read what a tool gave, and whether somebody else is to go on."""
    current = _current_tool(call)
    if current is None:
        return
    told = current[1]
    event = call.kwargs.get("function_response_event")
    if content.wanted():
        told.result = _result(event)
    recording = ownership.current_recording()
    agent: Any = ownership.agent_around(recording)
    actions = payload.get(event, "actions")
    to_agent = payload.get_text(actions, "transfer_to_agent")
    if to_agent is not None:
        _hand_over(agent, to_agent)
    elif _is_waiting(call, event, actions):
        told.outcome = "interrupted"
        if agent is not None:
            agent.outcome = "interrupted"


def _result(event: Any) -> Any:
    for part in payload.get_list(event, "content", "parts"):
        response = payload.get(part, "function_response", "response")
        if response is not None:
            return content.copied(plain(response))
    return None


def _is_waiting(call: Call, event: Any, actions: Any) -> bool:
    """Whether a tool waits for a person, or for what takes longer than the run."""
    if payload.get(actions, "requested_tool_confirmations") or payload.get(actions, "requested_auth_configs"):
        return True
    has_answered = event is not None or call.kwargs.get("error") is not None
    return not has_answered and payload.get(call.argument(0, "tool"), "is_long_running") is True


def _hand_over(agent: Any, to_agent: str) -> None:
    if agent is not None:
        agent.outcome = "handoff"
    recording = recorder.start(Handoff(agent_name=payload.get_text(agent, "agent_name"), to_agent=to_agent))
    if recording is not None:
        recording.end()
