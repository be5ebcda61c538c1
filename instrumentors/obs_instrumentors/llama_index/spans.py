"""What the beginning and end of each of the library's spans means for the tree."""

from __future__ import annotations

from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, ownership
from obs_run.core.native_spans import has_global_provider

from . import runs, teams
from .recordings import Begun, end, enter, leave, note_stream, ongoing, workflow_around

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from obs_run.core.callback_runs import Run
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_ID_LENGTH = 37
"""Of what makes a span's name unique: a dash and a UUID."""


def start_span(call: Call) -> None:
    """Begin a span of the library's of any kind."""
    key = call.argument(0, "id_")
    arguments = payload.get(call.argument(1, "bound_args"), "arguments") or {}
    instance, parent_key = call.argument(2, "instance"), call.argument(3, "parent_id")
    name = key[:-_ID_LENGTH].rpartition(".")[2]
    parent = ongoing.get(parent_key)
    if name == "run" and runs.is_a(instance, "Workflow"):
        begun = Begun(key, name, instance, is_workflow=True)
        operation: Operation | None = content.read("begin", runs.workflow, instance, arguments)
    elif parent is not None and parent.about.is_workflow and instance in (None, parent.about.instance):
        begun = Begun(key, name, instance, _event_of(arguments))
        operation = content.read("begin", _step, parent, begun)
        parent_key = parent_key if parent.about.member is None else parent.about.member[1]
    else:
        begun = Begun(key, name, instance)
        operation = content.read("begin", _operation, parent, begun, arguments)
    if operation is None:
        ongoing.pass_over(key, parent_key, begun)
    else:
        enter(ongoing.start(key, parent_key, operation, begun))


def _event_of(arguments: Mapping[str, Any]) -> Any:
    return next((each for each in arguments.values() if runs.is_a(each, "Event")), None)


def _step(workflow: Run, begun: Begun) -> Operation | None:
    """Return the operation of a workflow's step; of those that agents are made of most are not shown."""
    of = workflow.about
    begun.waiting.add(_waiting_key(begun))
    of.waiting -= begun.waiting
    of.failure = None
    is_agent, is_team = runs.is_a(of.instance, runs.AGENT), runs.is_a(of.instance, runs.TEAM)
    if is_team:
        teams.change_member(workflow, begun, payload.get_text(begun.event, "current_agent_name"))
    if (is_agent or is_team) and begun.name != runs.AGENTS_STEP and _is_librarys(of.instance, begun.name):
        return None
    of.steps += 1
    return runs.step(begun.name, "step", of.steps, begun.event)


def _is_librarys(instance: Any, name: str) -> bool:
    function = getattr(type(instance), name, None)
    return str(getattr(function, "__module__", "")).startswith("llama_index.core.agent")


def _waiting_key(begun: Begun) -> Hashable:
    return begun.name, payload.get_text(begun.event, "tool_id")


def _operation(parent: Run | None, begun: Begun, arguments: Mapping[str, Any]) -> Operation | None:
    family = next(
        (each for each in runs.FAMILIES if begun.name in runs.FAMILIES[each] and runs.is_a(begun.instance, each)), None
    )
    if family is None or _is_repeated(parent, begun):
        return None
    if family == "BaseTool":
        return _tool(parent, begun, arguments)
    if family == "BaseRetriever":
        return runs.retrieval(begun.instance, arguments)
    begun.is_engine = True
    is_outermost = ownership.current_recording() is None
    return runs.engine(begun.name, is_outermost=is_outermost, instance=begun.instance, arguments=arguments)


def _is_repeated(parent: Run | None, begun: Begun) -> bool:
    """Whether a span is a further one of the same call: of a base class's function, or of what is adapted."""
    return (
        parent is not None
        and parent.about.instance is not None
        and parent.recording is not None
        and (
            parent.about.instance is begun.instance or payload.get(parent.about.instance, "base_tool") is begun.instance
        )
    )


def _tool(parent: Run | None, begun: Begun, arguments: Mapping[str, Any]) -> Operation:
    event = payload.get(parent, "about", "event")
    handoff = teams.handoff(parent, event)
    if handoff is not None:
        return handoff
    operation = runs.tool_call(begun.instance, arguments)
    operation.call_id = payload.get_text(event, "tool_id")
    return operation


def exit_span(call: Call) -> None:
    """End a span of the library's, which has given something."""
    run = ongoing.get(call.argument(0, "id_"))
    if run is None:
        return
    result = call.argument(3, "result")
    leave(run)
    if isinstance(result, (GeneratorType, AsyncGeneratorType)) and _is_stream(run):
        note_stream(run, result)
        return
    if run.is_recorded and not run.recording.operation.IS_MODEL_CALL:
        content.read("result", runs.read_end, run.recording.operation, result)
    if run.about.streams and run.about.is_engine:
        run.about.is_over = True
        return
    error = None
    if run.about.is_workflow and result is None:
        # Releases before 2.17 tell of every end like that.
        run.about.is_cancelled |= bool(run.about.waiting)
        error = run.about.failure
    end(run, error)


def _is_stream(run: Run) -> bool:
    """Whether models are asked as the generator is read that a span has given."""
    if run.about.model is not None:
        return True
    is_outermost = run.parent is None or run.parent.about.name != run.about.name
    return is_outermost and runs.is_a(run.about.instance, "BaseSynthesizer")


def drop_span(call: Call) -> None:
    """End a span of the library's by what was raised."""
    run = ongoing.get(call.argument(0, "id_"))
    if run is None:
        return
    error = call.argument(3, "err")
    if run.about.event is not None:
        workflow = workflow_around(run)
        if workflow is not None and ongoing.outcome(error) is None:
            workflow.about.failure = error
    leave(run)
    end(run, error)


def stands_back(call: Call) -> bool | None:
    """Say whether the official exporter's handler is to do nothing: its spans would be beside ours."""
    return has_global_provider(payload.get(call.instance, "_tracer")) or None
