"""What each of LangChain's callbacks means for the tree: which run begins or ends, and inside of which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.callback_wrappers import BeginningCall, make_begun_current
from obs_run.core.operations import AgentRun, Handoff, Step, Workflow

from . import models, runs

if TYPE_CHECKING:
    from obs_run.core.callback_runs import Run
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

ongoing = CallbackRuns(
    {"GraphInterrupt": "interrupted", "ParentCommand": "handoff", "GraphBubbleUp": "left"}, raises_later=True
)
_OF_A_CHAIN = ("prompt", "parser")


class _Chain:
    """What is to be known of a chain until it turns out what it is."""

    __slots__ = ("goto", "inputs", "metadata", "name")

    def __init__(self, name: str | None, inputs: Any, metadata: dict[str, Any]) -> None:
        self.name = name
        self.inputs = inputs if content.wanted() or type(inputs).__name__ == "Command" else None
        self.metadata = metadata
        self.goto: dict[str, str] = {}
        """In a graph: the agents that handed over, by the nodes that they handed over to."""


def run_of(call: Call) -> Any:
    """Return the recording of the run manager that a model's function got."""
    manager = call.kwargs.get("run_manager") or next(iter(call.kwargs.get("run_managers") or call.args[2:3]), None)
    if isinstance(manager, list):
        manager = manager[0] if manager else None
    run = ongoing.going_on(getattr(manager, "run_id", None))
    return run.recording if run is not None and run.is_recorded else None


def search(call: Call) -> BeginningCall:  # noqa: ARG001 (each call is one)
    """Return the scope of a retriever's call, in which it searches."""
    return BeginningCall()


def make_current(call: Call) -> None:
    """Make the run current that a config is for, in the context in which the agent's code will run."""
    callbacks = (call.argument(0, "config") or {}).get("callbacks")
    ongoing.make_current(getattr(callbacks, "parent_run_id", None))


def start_chain(run_id: Any, parent_id: Any, inputs: Any, details: dict[str, Any]) -> None:
    """Begin the run of a chain, which may be a graph, a node, an agent, or nothing worth telling."""
    name, metadata = details.get("name"), details.get("metadata") or {}
    parent = ongoing.get(parent_id)
    chain = _Chain(name, inputs, metadata)
    if runs.is_step(details.get("tags")):
        _start_step(run_id, parent_id, parent, chain)
    elif _is_task(parent, chain):
        ongoing.start(run_id, parent_id, runs.step(name, metadata, "task"), chain)
    elif name == "AgentExecutor":
        ongoing.start(run_id, parent_id, runs.agent(name, inputs, metadata), chain)
    elif parent is None and details.get("run_type") not in _OF_A_CHAIN and ownership.current_recording() is None:
        ongoing.start(run_id, parent_id, runs.workflow(name, inputs, metadata), chain)
    else:
        ongoing.pass_over(run_id, parent_id, chain)
        if name == "call_model" and parent is not None and parent.parent is not None:
            # The function in the node of what ``create_react_agent`` made.
            _note_agent(parent.parent)
            if parent.is_recorded and parent.parent.recording is not None:
                parent.recording.operation.inherit(parent.parent.recording.operation)


def _is_task(parent: Run | None, chain: _Chain) -> bool:
    if parent is None or not isinstance(parent.about, _Chain):
        return False
    return runs.is_task(chain.name, chain.metadata, parent.about.metadata)


def _start_step(run_id: Any, parent_id: Any, graph: Run | None, chain: _Chain) -> None:
    if graph is not None and isinstance(graph.about, _Chain):
        if runs.is_agent(chain.metadata):
            _note_agent(graph, chain.metadata.get("lc_agent_name"))
        elif not graph.is_recorded:
            about = graph.about
            operation = runs.workflow(about.name, about.inputs, about.metadata)
            _hand_over(graph.parent, operation.workflow_name)
            ongoing.record(graph, operation)
    ongoing.start(run_id, parent_id, runs.step(chain.name, chain.metadata), chain)


def _note_agent(graph: Run, name: str | None = None) -> None:
    """Take note that a graph is an agent's."""
    about, recording = graph.about, graph.recording
    if graph.is_recorded and isinstance(recording.operation, AgentRun):
        return
    operation = runs.agent(name or about.name, about.inputs, about.metadata)
    if graph.parent is not None and isinstance(payload.get(graph.parent.recording, "operation"), Step):
        graph.parent.recording.operation.agent_name = operation.agent_name
    if not graph.is_recorded:
        _hand_over(graph.parent, operation.agent_name)
        ongoing.record(graph, operation)
    elif isinstance(recording.operation, Workflow):
        recording.replace(operation)


def _hand_over(step: Run | None, name: str | None) -> None:
    """Record that an agent handed over to the graph that begins in a node."""
    if name is None or step is None or step.parent is None:
        return
    operation = payload.get(step.recording, "operation")
    if not isinstance(operation, Step):
        return
    giver = step.parent.about.goto.pop(operation.step_name, None)
    if giver is not None and giver != name:
        handoff = Handoff(to_agent=name)
        handoff.agent_name = giver
        ongoing.moment(handoff, step)


def end_chain(run_id: Any, outputs: Any) -> None:
    """End the run of a chain with what it gave."""
    run = ongoing.pop(run_id)
    if run is None:
        return
    operation = run.recording.operation
    if isinstance(operation, Step):
        if operation.agent_name is not None and run.parent is not None:
            run.parent.about.goto.update(dict.fromkeys(runs.goto(outputs), operation.agent_name))
    else:
        content.read("result", runs.read_outputs, operation, outputs)
    ongoing.end(run)


def fail(run_id: Any, error: BaseException) -> None:
    """End a run of any kind with what was raised."""
    run = ongoing.pop(run_id)
    if run is None:
        return
    graph = run.parent
    if graph is not None and graph.is_recorded and ongoing.outcome(error) == "interrupted":
        # The outermost graph returns as if nothing were.
        graph.recording.operation.outcome = "interrupted"
    ongoing.end(run, error)


def start_chat(run_id: Any, parent_id: Any, asked: Any, details: dict[str, Any]) -> None:
    """Begin a call of a chat model, which the provider's client may tell more of."""
    _start_model(run_id, parent_id, content.read("begin", models.chat, asked[0], details))


def start_completion(run_id: Any, parent_id: Any, prompts: Any, details: dict[str, Any]) -> None:
    """Begin a call of a model that completes texts, which the provider's client may tell more of."""
    _start_model(run_id, parent_id, content.read("begin", models.completion, prompts[0], details))


def _start_model(run_id: Any, parent_id: Any, operation: Operation | None) -> None:
    if operation is None:
        return
    run = ongoing.start(run_id, parent_id, operation)
    if run.is_recorded:
        ownership.fill_expected(run.recording)


def note_token(run_id: Any) -> None:
    """Note that a piece of an answer has come in, where the provider's client does not."""
    run = ongoing.get(run_id)
    if run is not None and run.is_recorded and run.recording.provider_call is None:
        run.recording.chunk()


def end_model(run_id: Any, response: Any) -> None:
    """End a model call with its ``LLMResult``."""
    run = ongoing.pop(run_id)
    if run is not None:
        recording = run.recording
        is_reported = recording.provider_call is not None
        guard.call("result", models.read_answer, recording.operation, response, is_reported=is_reported)
        ongoing.end(run)


def start_tool(run_id: Any, parent_id: Any, serialized: Any, text: Any, details: dict[str, Any]) -> None:
    """Begin the run of a tool."""
    operation = content.read("begin", runs.tool_call, serialized, text, details)
    if operation is not None:
        ongoing.start(run_id, parent_id, operation)


def start_retrieval(run_id: Any, parent_id: Any, serialized: Any, query: Any, details: dict[str, Any]) -> None:
    """Begin the search of a retriever."""
    operation = content.read("begin", runs.retrieval, serialized, query, details)
    if operation is None:
        return
    run = ongoing.start(run_id, parent_id, operation)
    if run.is_recorded:
        make_begun_current(run.recording)


def end_tool(run_id: Any, output: Any) -> None:
    """End a tool's run, which may be a hand-off."""
    run = ongoing.pop(run_id)
    if run is None:
        return
    operation = run.recording.operation
    content.read("result", runs.read_tool_result, operation, output)
    handoff = guard.call("result", runs.handoff, output, operation)
    if handoff is not None:
        ongoing.moment(handoff, run)
    ongoing.end(run)


def end_retrieval(run_id: Any, documents: Any) -> None:
    """End a search with the documents that it found."""
    run = ongoing.pop(run_id)
    if run is not None:
        content.read("result", runs.read_documents, run.recording.operation, documents)
        ongoing.end(run)
