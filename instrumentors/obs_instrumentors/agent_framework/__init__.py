"""Microsoft's Agent Framework: agents, model calls, tools, workflows and their executors, by the spans of its own.

Chosen: adopt. What the library itself traces goes to a tracer of ours; a tracer that the agent asks it for is the
agent's own. The library's switch for sensitive data stays as it is, as errors and logs that the agent sees hang on it
too: patches read messages, arguments and results where it makes its attributes. Its histograms stay off, as ours say
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, kept_contexts, ownership, recorded_spans, recorder, semconv
from obs_run.core.callback_wrappers import wrap_before, wrap_within
from obs_run.core.control_flow import end_with_outcome
from obs_run.core.hooks import Instrumentor, SetUp, Target
from obs_run.core.native_spans import wrap_result
from obs_run.core.operations import Handoff, Step, ToolCall, Workflow
from obs_run.core.recording_tracers import Vocabulary, providers, wrap_tracer
from obs_run.core.span_attributes import operation_of
from obs_run.core.streams import wrap_inner_call

from . import attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_EVENTS = "enable_message_events"
_NAMES = {
    f"{semconv.GEN_AI_PREFIX}usage.cache_creation.input_tokens": semconv.USAGE_CACHE_WRITE_TOKENS,
    "workflow.name": semconv.WORKFLOW_NAME,
    "executor.type": semconv.OBS_STEP_TYPE,
}
_EXECUTOR = "executor.process"


def operation(name: str, told: Mapping[str, Any]) -> Operation | None:
    """Return what a span tells of."""
    kind, _, subject = name.partition(" ")
    if kind == _EXECUTOR:
        return Step(step_name=subject)
    if semconv.MCP_METHOD_NAME in told:
        # The SDK's own call tells of it.
        return None
    if kind != "workflow.run":
        return operation_of(name, told)
    workflow = Workflow()
    if kept_contexts.asked():
        workflow.extra[semconv.OBS_RESUMED] = True
    return workflow


def read(told: Any, name: str, value: Any) -> None:
    """Read what the patches add."""
    ending = "outcome" if told.IS_RUN else "stream_end"
    if name == attributes.STREAM and hasattr(told, ending):
        # Until it has been read to its end.
        setattr(told, ending, "abandoned")
        if not told.IS_RUN:
            told.stream = True
    elif name == attributes.ANSWERED and getattr(told, ending, None) == "abandoned":
        setattr(told, ending, None)
    elif name == attributes.RESUMED and value:
        told.extra[semconv.OBS_RESUMED] = True


def failure(told: Any, raised: BaseException) -> BaseException:
    """Leave an error to be told as one, of a stream too."""
    for ending in ("outcome", "stream_end"):
        if getattr(told, ending, None) == "abandoned":
            setattr(told, ending, None)
    return raised


def note_exception(call: Call) -> None:
    """Note what was raised, of which the library tells the class alone."""
    recorded_spans.note_raised(call.argument(1, "exception"), call.argument(0, "span"))


def read_arguments(told: Operation, call: Call) -> None:
    """Read what a tool is called with."""
    if isinstance(told, ToolCall) and told.tool_name == payload.get_text(call.instance, "name"):
        names = payload.as_dict(call.instance.parameters()).get("properties") or {}
        content.note_arguments(told, {name: value for name, value in call.kwargs.items() if name in names})


def read_result(told: Operation, call: Call) -> None:
    """Read what a tool returned."""
    if isinstance(told, ToolCall) and content.wanted():
        told.result = call.argument(0, "result")


def note_approval(call: Call) -> None:
    """Record that a tool waits to be allowed."""
    run = ownership.agent_around(ownership.current_recording())
    if run is None:
        return
    run.outcome = "interrupted"
    asked = call.kwargs.get("function_call")
    tool = ToolCall(tool_name=payload.get_text(asked, "name"), call_id=payload.get_text(asked, "call_id"))
    content.note_arguments(tool, payload.get(asked, "arguments"))
    recording = recorder.start(tool)
    if recording is not None:
        end_with_outcome(recording, "interrupted")


def note_request(_: Call) -> None:
    """Note that a workflow waits for an answer from outside."""
    recording: Any = ownership.current_recording()
    while recording is not None and not isinstance(recording.operation, Workflow):
        recording = recording.outer
    if recording is not None:
        recording.operation.outcome = "interrupted"


def note_handoff(call: Call) -> None:
    """Record that an agent of a workflow hands over to another one."""
    handoff = Handoff(to_agent=call.argument(1, "target"))
    handoff.agent_name = call.argument(0, "source")
    recording = recorder.start(handoff)
    if recording is not None:
        recording.end()


_VOCABULARY = Vocabulary(
    "agent_framework",
    operation,
    names=_NAMES,
    read=read,
    failure=failure,
    outcomes={"MiddlewareTermination": "blocked", "WorkflowInterrupted": "interrupted"},
    # An agent inside of another one is not in them.
    sums_runs=False,
    has_metrics=True,
)


def _unmeasured(_: Any, __: Call) -> Any:
    return providers(_VOCABULARY)["meter_provider"].get_meter("agent_framework").create_histogram("unused")


def leave_out_events(module: Any) -> Callable[[], object]:
    """Have the library emit no events, which tell messages whatever our setting says."""
    settings = module.OBSERVABILITY_SETTINGS
    if getattr(settings, _EVENTS, False) is not True:
        return lambda: None
    setattr(settings, _EVENTS, False)
    return lambda: setattr(settings, _EVENTS, True)


_TOOLS = "agent_framework._tools"
_WORKFLOW = "agent_framework._workflows._workflow"

INSTRUMENTORS = (
    Instrumentor(
        "agent-framework",
        "agent-framework-core",
        ">=1.6,<2",
        (
            Target(attributes.OBSERVABILITY, "get_tracer", wrap_tracer(_VOCABULARY)),
            Target(attributes.OBSERVABILITY, "_get_duration_histogram", wrap_result(_unmeasured)),
            Target(attributes.OBSERVABILITY, "_get_token_usage_histogram", wrap_result(_unmeasured)),
            Target(
                attributes.OBSERVABILITY,
                "AgentTelemetryLayer._trace_agent_invocation",
                wrap_within(attributes.ask_agent),
            ),
            Target(attributes.OBSERVABILITY, "ChatTelemetryLayer.get_response", wrap_within(attributes.ask_model)),
            Target(attributes.OBSERVABILITY, "_get_span_attributes", wrap_result(attributes.add_request)),
            Target(attributes.OBSERVABILITY, "_get_response_attributes", wrap_result(attributes.add_response)),
            Target(attributes.OBSERVABILITY, "capture_exception", wrap_before(note_exception)),
            Target(_TOOLS, "FunctionTool.__call__", wrap_inner_call(read_arguments)),
            Target(_TOOLS, "FunctionTool.parse_result", wrap_inner_call(read_result)),
            Target("agent_framework._types", "Content.from_function_approval_request", wrap_before(note_approval)),
            Target(
                _WORKFLOW,
                "Workflow._run_workflow_with_tracing",
                kept_contexts.wrap_generator_apart(lambda call: call.kwargs.get("is_continuation") is True),
            ),
            Target(
                "agent_framework._workflows._workflow_context",
                "WorkflowContext.request_info",
                wrap_before(note_request),
            ),
            Target("agent_framework_orchestrations._handoff", "HandoffSentEvent.__init__", wrap_before(note_handoff)),
        ),
        ("invoke_agent", "invoke_workflow", "step", "chat", "execute_tool", "handoff", "embeddings"),
        owner="agent-framework, through obs-run",
        set_up=SetUp(attributes.OBSERVABILITY, leave_out_events),
    ),
)
