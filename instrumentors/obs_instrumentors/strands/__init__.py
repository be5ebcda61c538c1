"""Strands Agents: agents, cycles, model calls, tools, graphs, swarms and memory, by the spans of its own.

Chosen: adopt. The library's tracer has a tracer of ours, and always speaks the newest conventions to it; it has no
provider that can be flushed, as older releases wait at the end of each span until all is sent. Few patches tell what
the spans do not: whose session it is, what goes on after an interrupt, what a tool raised, who hands over to whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, kept_contexts, ownership, recorded_spans, recorder, semconv
from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.hooks import Instrumentor, SetUp, Target
from obs_run.core.operations import AgentRun, Handoff, Memory, Step, ToolCall, Workflow
from obs_run.core.recording_tracers import RecordingTracer, UnflushedProvider, Vocabulary, providers, replace_fields
from obs_run.core.sparse_dataclasses import sparse_dataclass

from . import said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_TOOL_STATUS = f"{semconv.GEN_AI_PREFIX}tool.status"
_OWN_WORDS = (semconv.GEN_AI_PREFIX, "bidi.", "event_loop.", "langfuse.", "memory.", "strands.")
_NAMES = {
    "memory.result.count": semconv.MEMORY_RECORD_COUNT,
    "memory.entry.count": semconv.MEMORY_RECORD_COUNT,
    "memory.store.name": semconv.MEMORY_STORE_ID,
    "session.id": semconv.CONVERSATION_ID,
    semconv.PROVIDER_NAME: "strands.provider",
    semconv.TOOL_DEFINITIONS: "strands.tools",
    # An event tells it too.
    semconv.TOOL_CALL_RESULT: "strands.result",
}
_PROVIDERS = {
    "AnthropicModel": "anthropic",
    "BedrockModel": "aws.bedrock",
    "GeminiModel": "gcp.gemini",
    "MistralModel": "mistral_ai",
    "OllamaModel": "ollama",
    "OpenAIModel": "openai",
    "OpenAIResponsesModel": "openai",
    "WriterModel": "writer",
}
"""Providers by the library's classes of models."""
_DEFAULT_IDS = ("default_graph", "default_swarm")


@sparse_dataclass
class _Run(AgentRun):
    """A run of an agent, whose cycles have numbers."""

    cycles: int = 0


@dataclass
class _Asked:
    """What is known of the agent, graph or swarm that is asked."""

    name: str | None
    conversation: str | None
    provider: str | None
    is_resumed: bool


def asked(call: Call) -> _Asked:
    """Read who is asked, in what session, and whether what was interrupted goes on."""
    one = call.instance
    sessions = payload.get(one, "_session_manager") or payload.get(one, "session_manager")
    name = payload.get_text(one, "id")
    return _Asked(
        None if name in _DEFAULT_IDS else name,
        payload.get_text(sessions, "session_id"),
        _provider(payload.get(one, "model")),
        payload.get(one, "_interrupt_state", "activated") is True,
    )


def _provider(model: Any) -> str | None:
    names = [kind.__name__ for kind in type(model).__mro__]
    return next((_PROVIDERS[name] for name in names if name in _PROVIDERS), None)


def operation(name: str, _attributes: Mapping[str, Any]) -> Operation | None:
    """Return what a span tells of; the library tells its attributes later."""
    kind, _, subject = name.partition(" ")
    begin = _KINDS.get(kind)
    return None if begin is None else begin(subject, kept_contexts.asked())


def _agent(name: str, told: _Asked | None) -> Operation:
    return _begun(_Run(agent_name=name or None), told)


def _workflow(_: str, told: _Asked | None) -> Operation:
    return _begun(Workflow(workflow_name=None if told is None else told.name), told)


def _chat(_: str, told: _Asked | None) -> Operation:
    return FrameworkInference("chat", provider=None if told is None else told.provider)


def _begun(run: Any, told: _Asked | None) -> Operation:
    if told is not None:
        run.conversation_id = told.conversation
        if told.is_resumed:
            run.extra[semconv.OBS_RESUMED] = True
    return run  # type: ignore[no-any-return]


def _cycle(_name: str, _told: _Asked | None) -> Operation:
    step = Step(step_name="cycle", step_type="cycle")
    run = ownership.agent_around(ownership.current_recording())
    if isinstance(run, _Run):
        run.cycles += 1
        step.step_number = run.cycles
    return step


_KINDS: Mapping[str, Callable[[str, _Asked | None], Operation]] = {
    "bidi_session": _agent,
    "chat": _chat,
    "execute_event_loop_cycle": _cycle,
    "execute_tool": lambda name, _: ToolCall(tool_name=name),
    "invoke_agent": _agent,
    "invoke_graph": _workflow,
    "invoke_swarm": _workflow,
    "memory.add": lambda *_: Memory("upsert_memory"),
    "memory.extract": lambda *_: Memory("upsert_memory"),
    "memory.search": lambda *_: Memory("search_memory"),
}
"""What spans tell of, by the first words of their names."""


def read(told: Any, name: str, value: Any) -> None:
    """Read what the library says in words of its own, and the attributes that the user gave an agent."""
    if name == _TOOL_STATUS and isinstance(told, ToolCall):
        told.outcome = None
        told.error_type = "_OTHER" if value == "error" else None
    elif name == semconv.PROVIDER_NAME and told.IS_MODEL_CALL:
        # It names the library, which is all that is known of a model of the agent's own making.
        told.provider = told.provider or value
    elif name == semconv.TOOL_DEFINITIONS and told.IS_AGENT and content.wanted():
        told.tool_definitions = [said.definition(each) for each in payload.as_list(said.parsed(value))]
    elif not name.startswith(_OWN_WORDS):
        told.extra[name] = value


def failure(told: Operation, raised: BaseException) -> BaseException:
    """Return what is raised, which says more than that something was."""
    told.error_type = None
    return raised


def note_result(call: Call) -> None:
    """Note what a tool raised, of which the library tells the model."""
    error = call.argument(1, "exception")
    if isinstance(error, BaseException):
        recorded_spans.note_raised(error)


def note_interrupt(_: Call) -> None:
    """Note that a tool waits for a person."""
    recording = ownership.current_recording()
    if recording is not None and isinstance(recording.operation, ToolCall):
        recording.operation.outcome = "interrupted"


def note_handoff(call: Call) -> None:
    """Record that an agent of a swarm hands over to another one."""
    agent = ownership.agent_around(ownership.current_recording())
    if agent is not None:
        agent.outcome = "handoff"
    recording = recorder.start(Handoff(to_agent=payload.get_text(call.argument(0, "target_node"), "node_id")))
    if recording is not None:
        recording.end()


def note_answer(_: Call) -> None:
    """Note that an agent, a graph or a swarm has come to its result."""
    recording = ownership.current_recording()
    operation: Any = None if recording is None else recording.operation
    if isinstance(operation, (_Run, Workflow)):
        operation.has_result = True


def note_interrupts(call: Call) -> None:
    """Note that a graph or swarm waits for a person."""
    recording = ownership.current_recording()
    if call.argument(0, "interrupts") and recording is not None and isinstance(recording.operation, Workflow):
        recording.operation.outcome = "interrupted"


_VOCABULARY = Vocabulary(
    "strands",
    operation,
    names=_NAMES,
    read=read,
    event=said.event,
    failure=failure,
    outcomes={"InterruptException": "interrupted"},
    # What an agent has used since it was made.
    sums_runs=False,
    has_metrics=True,
)


def leave_unmeasured(call: Call) -> None:
    """Have the library measure nothing: ours say the same, without the id of each cycle as a label."""
    call.instance.meter = providers(_VOCABULARY)["meter_provider"].get_meter("strands")


def _fields() -> dict[str, Any]:
    return {
        "tracer": RecordingTracer(_VOCABULARY),
        "tracer_provider": UnflushedProvider(),
        "use_latest_genai_conventions": True,
        "_include_tool_definitions": content.wanted(),
        "_span_attributes_only": False,
    }


_TRACER = "strands.telemetry.tracer"
_ASKED = kept_contexts.wrap_generator_apart(asked)

INSTRUMENTORS = (
    Instrumentor(
        "strands",
        "strands-agents",
        ">=1.27,<2",
        (
            Target("strands.agent.agent", "Agent.stream_async", _ASKED),
            Target("strands.multiagent.graph", "Graph.stream_async", _ASKED),
            Target("strands.multiagent.graph", "Graph._build_result", wrap_before(note_interrupts)),
            Target("strands.multiagent.swarm", "Swarm.stream_async", _ASKED),
            Target("strands.multiagent.swarm", "Swarm._build_result", wrap_before(note_interrupts)),
            Target("strands.multiagent.swarm", "Swarm._handle_handoff", wrap_before(note_handoff)),
            Target("strands.telemetry.metrics", "MetricsClient.create_instruments", wrap_before(leave_unmeasured)),
            Target("strands.types._events", "AgentResultEvent.__init__", wrap_before(note_answer)),
            Target("strands.types._events", "MultiAgentResultEvent.__init__", wrap_before(note_answer)),
            Target("strands.types._events", "ToolInterruptEvent.__init__", wrap_before(note_interrupt)),
            Target("strands.types._events", "ToolResultEvent.__init__", wrap_before(note_result)),
        ),
        (
            "invoke_agent",
            "invoke_workflow",
            "step",
            "chat",
            "execute_tool",
            "handoff",
            "search_memory",
            "upsert_memory",
        ),
        owner="strands, through obs-run",
        set_up=SetUp(_TRACER, replace_fields("Tracer", _fields)),
    ),
)
