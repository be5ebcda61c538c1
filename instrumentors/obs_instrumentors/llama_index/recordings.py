"""The library's spans that go on, how they are found, and what becomes of them at their end."""

from __future__ import annotations

import weakref
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content
from obs_run.core.callback_runs import CallbackRuns
from obs_run.core.callback_wrappers import Reading
from obs_run.core.operations import Workflow

from . import messages

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from obs_run.core.callback_runs import Run

WAITS = "WaitingForEvent"
ongoing = CallbackRuns({WAITS: "interrupted", "WorkflowCancelledByUser": "cancelled"})


class Begun:
    """What is to be known of a span of the library's until it is over."""

    __slots__ = (
        "event",
        "failure",
        "instance",
        "is_cancelled",
        "is_engine",
        "is_over",
        "is_workflow",
        "key",
        "member",
        "model",
        "name",
        "said",
        "steps",
        "stream",
        "streams",
        "waiting",
    )

    def __init__(
        self, key: Hashable, name: str, instance: Any, event: Any = None, *, is_workflow: bool = False
    ) -> None:
        self.key = key
        self.name = name
        self.instance = instance
        self.event = event
        """What a step was called with."""
        self.failure: BaseException | None = None
        """What the last step of a workflow raised."""
        self.is_workflow = is_workflow
        self.is_cancelled = False
        self.is_engine = False
        """Whether it is what a query or chat engine is asked."""
        self.is_over = False
        """Whether only streams inside of it go on."""
        self.member: tuple[str, Hashable] | None = None
        """The agent of a team that is at work, and what its run is found by."""
        self.model: Any = None
        """The model whose call it is."""
        self.said: list[str] = []
        """What its stream has given, where that are texts."""
        self.steps = 0
        self.stream: weakref.ref[Any] | None = None
        self.streams = 0
        """How many go on inside of it."""
        self.waiting: set[Hashable] = set()
        """The steps that wait for an event from outside."""


def enter(run: Run) -> None:
    """Make a run current where the library begins it."""
    if run.is_recorded:
        run.recording.__enter__()


def workflow_around(run: Run | None) -> Run | None:
    """Return the workflow's run that a run is, or that it happens inside of."""
    while run is not None and not run.about.is_workflow:
        run = run.parent
    return run


def current_key() -> str | None:
    """Return what the library's current span is found by."""
    return payload.as_text(import_module("llama_index_instrumentation.span").active_span_id.get())


def part_key(key: Hashable) -> Hashable:
    """Return what a model call that is a part of a span is found by."""
    return key, "part"


def leave(run: Run) -> None:
    """Have what was current before a run be so again."""
    if run.is_recorded:
        guard.call("context", run.recording.__exit__, None, None, None)


def end(run: Run, error: BaseException | None) -> None:
    """End a run, by what was raised or without."""
    begun = run.about
    part = ongoing.get(part_key(begun.key))
    if part is not None:
        # A batch of embeddings that failed.
        leave(part)
        end(part, error)
    if begun.stream is not None:
        _close_stream(run, error)
    outcome = _outcome(begun, error)
    if begun.is_workflow:
        end_member(run, error, outcome)
    if ongoing.pop(begun.key) is not None:
        ongoing.end(run, error, outcome)


def _outcome(begun: Begun, error: BaseException | None) -> str | None:
    """Return why a run is over that was cancelled, by whatever means."""
    is_cancelled = begun.is_cancelled or (error is not None and ongoing.outcome(error) == "cancelled")
    if not is_cancelled or begun.model is not None:
        return None
    return "interrupted" if begun.is_workflow and begun.waiting else "cancelled"


def end_member(team: Run, error: BaseException | None, outcome: str | None = None) -> None:
    """End the run of a team's agent, if one is at work."""
    member = team.about.member
    run = None if member is None else ongoing.pop(member[1])
    if run is not None:
        ongoing.end(run, error, outcome)


def note_stream(run: Run, generator: Any) -> None:
    """Have a run go on as the stream that it gave is read."""
    if run.is_recorded and getattr(run.recording.operation, "stream", False) is None:
        run.recording.operation.stream = True
    run.about.stream = weakref.ref(generator, partial(guard.call, "finish", _let_go, run))
    _streams[generator] = run
    for outer in _around(run):
        outer.about.streams += 1


def _let_go(run: Run, _: object) -> None:
    """End a stream that nobody has begun to read."""
    if run.about.stream is not None:
        end(run, GeneratorExit())


def _close_stream(run: Run, error: BaseException | None) -> None:
    run.about.stream = None
    for outer in _around(run):
        outer.about.streams -= 1
        if outer.about.is_over and not outer.about.streams:
            operation = payload.get(outer.recording, "operation") if outer.is_recorded else None
            if isinstance(operation, Workflow):
                operation.output_messages = operation.output_messages or _said(run)
            end(outer, error)


def _around(run: Run) -> Iterator[Run]:
    around = run.parent
    while around is not None:
        yield around
        around = around.parent


def _said(run: Run) -> Any:
    if run.about.said:
        return [messages.of_text("assistant", "".join(run.about.said), "stop")]
    return payload.get(run.recording, "operation", "output_messages") if run.is_recorded else None


_streams: weakref.WeakKeyDictionary[Any, Run] = weakref.WeakKeyDictionary()


def stream_of(generator: Any) -> Reading | None:
    """Return what goes on as a stream is read."""
    run = _streams.pop(generator, None)
    if run is None or run.recording is None:
        return None
    return Reading(run.recording, partial(_note_piece, run), partial(_end_reading, run))


def _note_piece(run: Run, piece: Any) -> None:
    if isinstance(piece, str) and content.wanted():
        run.about.said.append(piece)


def _end_reading(run: Run, error: BaseException) -> None:
    # The library may have told that it is over.
    if run.about.stream is not None:
        end(run, None if isinstance(error, (StopIteration, StopAsyncIteration)) else error)
