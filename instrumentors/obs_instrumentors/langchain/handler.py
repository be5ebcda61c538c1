"""The callback handler that LangChain tells everything that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content, ownership
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.operations import AgentRun, Handoff, Step, Workflow

from . import models, runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.callback_runs import Run
    from obs_run.core.outcomes import Call

_ongoing = CallbackRuns({"GraphInterrupt": "interrupted", "ParentCommand": "handoff", "GraphBubbleUp": "left"})
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
    run = _ongoing.get(getattr(manager, "run_id", None))
    return run.recording if run is not None and run.is_recorded else None


def make_current(call: Call) -> None:
    """Make the run current that a config is for, in the context in which the agent's code will run."""
    callbacks = (call.argument(0, "config") or {}).get("callbacks")
    _ongoing.make_current(getattr(callbacks, "parent_run_id", None))


def _start_chain(run_id: Any, parent_id: Any, inputs: Any, details: dict[str, Any]) -> None:
    name, metadata = details.get("name"), details.get("metadata") or {}
    parent = _ongoing.get(parent_id)
    chain = _Chain(name, inputs, metadata)
    if runs.is_step(details.get("tags")):
        _start_step(run_id, parent_id, parent, chain)
    elif _is_task(parent, chain):
        _ongoing.start(run_id, parent_id, runs.step(name, metadata, "task"), chain)
    elif name == "AgentExecutor":
        _ongoing.start(run_id, parent_id, runs.agent(name, inputs, metadata), chain)
    elif parent is None and details.get("run_type") not in _OF_A_CHAIN and ownership.current_recording() is None:
        _ongoing.start(run_id, parent_id, runs.workflow(name, inputs, metadata), chain)
    else:
        _ongoing.pass_over(run_id, parent_id, chain)
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
            _ongoing.record(graph, operation)
    _ongoing.start(run_id, parent_id, runs.step(chain.name, chain.metadata), chain)


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
        _ongoing.record(graph, operation)
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
        _ongoing.moment(handoff, step)


def _end_chain(run_id: Any, outputs: Any) -> None:
    run = _ongoing.pop(run_id)
    if run is None:
        return
    operation = run.recording.operation
    if isinstance(operation, Step):
        if operation.agent_name is not None and run.parent is not None:
            run.parent.about.goto.update(dict.fromkeys(runs.goto(outputs), operation.agent_name))
    else:
        content.read("result", runs.read_outputs, operation, outputs)
    _ongoing.end(run)


def _fail(run_id: Any, error: BaseException) -> None:
    run = _ongoing.pop(run_id)
    if run is None:
        return
    graph = run.parent
    if graph is not None and graph.is_recorded and _ongoing.outcome(error) == "interrupted":
        # The outermost graph returns as if nothing were.
        graph.recording.operation.outcome = "interrupted"
    _ongoing.end(run, error)


def _start_model(run_id: Any, parent_id: Any, read: Callable[..., Any], asked: Any, details: dict[str, Any]) -> None:
    operation = content.read("begin", read, asked, details)
    if operation is None:
        return
    run = _ongoing.start(run_id, parent_id, operation)
    if run.is_recorded:
        ownership.fill_expected(run.recording)


def _note_token(run_id: Any) -> None:
    run = _ongoing.get(run_id)
    if run is not None and run.is_recorded and run.recording.provider_call is None:
        run.recording.chunk()


def _end_model(run_id: Any, response: Any) -> None:
    run = _ongoing.pop(run_id)
    if run is not None:
        recording = run.recording
        is_told = recording.provider_call is not None
        guard.call("result", models.read_answer, recording.operation, response, is_told=is_told)
        _ongoing.end(run)


def _start(run_id: Any, parent_id: Any, read: Callable[..., Any], *arguments: Any) -> None:
    operation = content.read("begin", read, *arguments)
    if operation is not None:
        _ongoing.start(run_id, parent_id, operation)


def _end_tool(run_id: Any, output: Any) -> None:
    run = _ongoing.pop(run_id)
    if run is None:
        return
    operation = run.recording.operation
    content.read("result", runs.read_tool_result, operation, output)
    handoff = guard.call("result", runs.handoff, output, operation)
    if handoff is not None:
        _ongoing.moment(handoff, run)
    _ongoing.end(run)


def _end_retrieval(run_id: Any, documents: Any) -> None:
    run = _ongoing.pop(run_id)
    if run is not None:
        content.read("result", runs.read_documents, run.recording.operation, documents)
        _ongoing.end(run)


def make_handler(base: Any) -> Any:
    """Return the handler; ``base`` is the library's ``BaseTracer``, whose kind gets what the user let tracers see."""

    class Handler(base):  # type: ignore[misc]  # a class of the library's
        """What LangChain calls; a failure of ours is said by us, because it would print it."""

        run_inline = True
        """Or it would be called in another thread where the agent is async, and too late."""
        name = "obs_run"

        def __init__(self) -> None:
            super().__init__(_schema_format="original+chat")

        def _persist_run(self, run: Any) -> None:
            """Keep no runs."""

        def on_chain_start(
            self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
        ) -> None:
            guard.call(_SITE, _start_chain, run_id, parent_run_id, inputs, details)

        def on_chain_end(self, outputs: Any, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _end_chain, run_id, outputs)

        def on_chain_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _fail, run_id, error)

        def on_chat_model_start(
            self, serialized: Any, messages: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
        ) -> None:
            guard.call(_SITE, _start_model, run_id, parent_run_id, models.chat, messages[0], details)

        def on_llm_start(
            self, serialized: Any, prompts: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
        ) -> None:
            guard.call(_SITE, _start_model, run_id, parent_run_id, models.completion, prompts[0], details)

        def on_llm_new_token(self, token: Any, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _note_token, run_id)

        def on_llm_end(self, response: Any, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _end_model, run_id, response)

        def on_llm_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _fail, run_id, error)

        def on_tool_start(
            self, serialized: Any, input_str: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
        ) -> None:
            guard.call(_SITE, _start, run_id, parent_run_id, runs.tool_call, serialized, input_str, details)

        def on_tool_end(self, output: Any, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _end_tool, run_id, output)

        def on_tool_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _fail, run_id, error)

        def on_retriever_start(
            self, serialized: Any, query: Any, *, run_id: Any, parent_run_id: Any = None, **details: Any
        ) -> None:
            guard.call(_SITE, _start, run_id, parent_run_id, runs.retrieval, serialized, query, details)

        def on_retriever_end(self, documents: Any, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _end_retrieval, run_id, documents)

        def on_retriever_error(self, error: BaseException, *, run_id: Any, **_: Any) -> None:
            guard.call(_SITE, _fail, run_id, error)

        def on_retry(self, *_: Any, **__: Any) -> None:
            """Leave it to the calls themselves."""

    return Handler()


_SITE = "callback of langchain"
