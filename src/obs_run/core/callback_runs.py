"""Frameworks that tell of their runs by callbacks: which recording belongs to which run, whoever calls when and where.

A framework's callbacks come in whatever thread, task and order; only the ids of its runs say what belongs together. So
nothing is made current in a callback. Where the framework runs the agent's own code, ``make_current`` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context

from obs_run.context import current_context
from obs_run.core import ownership, recorder

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from opentelemetry.context import Context

    from obs_run.core.operations import Operation

__all__ = ["CallbackRuns", "Run"]

_MOST = 10_000
_OUTCOMES = {"CancelledError": "cancelled", "Cancelled": "cancelled", "GeneratorExit": "abandoned"}
"""What no framework means as a failure, by the names of the exceptions' classes."""


class Run:
    """A run of a framework, and the recording that what happens inside of it belongs to."""

    __slots__ = ("about", "inside", "is_recorded", "parent", "recording")

    def __init__(self, parent: Run | None, recording: Any, *, is_recorded: bool, about: Any = None) -> None:
        self.parent = parent
        self.recording = recording
        """None where nothing around it is recorded."""
        self.is_recorded = is_recorded
        """Whether the recording is its own, and not that of a run around it."""
        self.about = about
        """What the framework's translation wants to know of it later."""
        self.inside: dict[Hashable, Run] = {}
        """The runs directly inside of it that go on."""


class CallbackRuns:
    """The recordings of a framework's runs by the ids that it gives them.

    ``outcomes`` names the exceptions by which the framework leaves a run that has not failed, and what they mean.
    """

    def __init__(self, outcomes: Mapping[str, str] | None = None) -> None:
        self._outcomes = {**_OUTCOMES, **(outcomes or {})}
        self._runs: dict[Hashable, Run] = {}

    def __len__(self) -> int:
        """Return how many runs go on."""
        return len(self._runs)

    def get(self, run_id: Hashable | None) -> Run | None:
        """Return a run that goes on."""
        return self._runs.get(run_id)

    def start(self, run_id: Hashable, parent_id: Hashable | None, operation: Operation, about: Any = None) -> Run:
        """Begin to record a run inside of another, or inside of what is current here."""
        parent = self._runs.get(parent_id)
        recording = recorder.start(operation, _context_in(parent))
        if recording is None:
            return self.pass_over(run_id, parent_id, about)
        return self._add(run_id, Run(parent, recording, is_recorded=True, about=about))

    def pass_over(self, run_id: Hashable, parent_id: Hashable | None, about: Any = None) -> Run:
        """Have what happens in a run that is not worth telling belong to the run around it."""
        parent = self._runs.get(parent_id)
        recording = None if parent is None else parent.recording
        return self._add(run_id, Run(parent, recording, is_recorded=False, about=about))

    def record(self, run: Run, operation: Operation) -> None:
        """Begin to record a run that turns out to be worth it."""
        recording = recorder.start(operation, _context_in(run))
        if recording is not None:
            run.recording, run.is_recorded = recording, True

    def moment(self, operation: Operation, parent: Run | None) -> None:
        """Record what takes no time, such as a hand-off."""
        recording = recorder.start(operation, _context_in(parent))
        if recording is not None:
            recording.end()

    def pop(self, run_id: Hashable) -> Run | None:
        """Return a run that is over, to be ended; None where it is not recorded, or has ended already."""
        run = self._runs.pop(run_id, None)
        if run is not None and run.parent is not None:
            run.parent.inside.pop(run_id, None)
        return run if run is not None and run.is_recorded else None

    def end(self, run: Run, error: BaseException | None = None) -> None:
        """End what ``pop`` gave; what is raised to leave a run that has not failed is no error."""
        if error is None:
            run.recording.end()
            return
        outcome = self.outcome(error)
        self._end_inside(run, outcome or "cancelled")
        if outcome is None:
            run.recording.end(error)
        else:
            _end_with(run, outcome)

    def outcome(self, error: BaseException) -> str | None:
        """Return what an exception means that is no error; None for errors."""
        for kind in type(error).__mro__:
            outcome = self._outcomes.get(kind.__name__)
            if outcome is not None:
                return outcome
        return None

    def make_current(self, run_id: Hashable | None) -> None:
        """Make a run current until the context of Python's that the caller runs in is over."""
        run = self._runs.get(run_id)
        if run is None or run.recording is None:
            return
        current = current_context.current()
        # Further in there may be a span of the agent's.
        if ownership.recording_in(current) is not run.recording:
            api_context.attach(run.recording.inside(current))

    def _end_inside(self, run: Run, outcome: str) -> None:
        """End what goes on inside of a run that was left by an exception; not every framework tells of that."""
        while run.inside:
            run_id, inner = run.inside.popitem()
            self._runs.pop(run_id, None)
            self._end_inside(inner, outcome)
            if inner.is_recorded:
                _end_with(inner, outcome)

    def _add(self, run_id: Hashable, run: Run) -> Run:
        self._runs[run_id] = run
        if run.parent is not None:
            run.parent.inside[run_id] = run
        if len(self._runs) > _MOST:
            self._forget_oldest()
        return run

    def _forget_oldest(self) -> None:
        """Let go of a run whose end never came; its recording ends as one of too many that are open."""
        try:
            self.pop(next(iter(self._runs)))
        except (StopIteration, RuntimeError):
            # Another thread was faster.
            return


def _end_with(run: Run, outcome: str) -> None:
    operation = run.recording.operation
    if hasattr(operation, "outcome"):
        operation.outcome = outcome
    elif getattr(operation, "stream", False) and not operation.is_answered():
        operation.stream_end = outcome
    run.recording.end()


def _context_in(parent: Run | None) -> Context | None:
    """Return the context of what happens inside of ``parent``; None for the current one."""
    if parent is None or parent.recording is None or ownership.current_recording() is parent.recording:
        # Further in there may be a span of the agent's.
        return None
    context: Context = parent.recording.context
    return context
