"""Frameworks that tell of their runs by callbacks: which recording belongs to which run, whoever calls when and where.

A framework's callbacks come in whatever thread, task and order; only the ids of its runs say what belongs together. So
nothing is made current in a callback. Where the framework runs the agent's own code, ``make_current`` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context

from obs_run.context import current_context
from obs_run.core import ownership, recorder
from obs_run.core.budgets import BudgetExceeded
from obs_run.core.control_flow import end_with_outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from opentelemetry.context import Context

    from obs_run.core.operations import Operation

__all__ = ["CallbackRuns", "Run"]

_MOST = 10_000


class Run:
    """A run of a framework, and the recording that what happens inside of it belongs to."""

    __slots__ = ("about", "inside", "is_recorded", "parent", "recording", "refusal")

    def __init__(self, parent: Run | None, recording: Any, *, is_recorded: bool, about: Any = None) -> None:
        self.parent = parent
        self.recording = recording
        """None where nothing around it is recorded."""
        self.is_recorded = is_recorded
        """Whether the recording is its own, and not that of a run around it."""
        self.about = about
        """What the framework's translation wants to know of it later."""
        self.refusal: Exception | None = None
        """What is raised to the agent in the place of what it would do in the run."""
        self.inside: dict[Hashable, Run] = {}
        """The runs directly inside of it that go on."""


class CallbackRuns:
    """The recordings of a framework's runs by the ids that it gives them.

    ``outcomes`` names the exceptions by which the framework leaves a run that has not failed, and what they mean. With
    ``raises_later`` nothing is raised in a callback, where the framework would swallow it, but where the run goes on.
    """

    def __init__(self, outcomes: Mapping[str, str] | None = None, *, raises_later: bool = False) -> None:
        self._raises_later = raises_later
        self._outcomes = outcomes or {}
        self._runs: dict[Hashable, Run] = {}

    def __len__(self) -> int:
        """Return how many runs go on."""
        return len(self._runs)

    def get(self, run_id: Hashable | None) -> Run | None:
        """Return a run that goes on."""
        return self._runs.get(run_id)

    def start(
        self,
        run_id: Hashable,
        parent_id: Hashable | None,
        operation: Operation,
        about: Any = None,
        *,
        around: Context | None = None,
        begun: int | None = None,
    ) -> Run:
        """Begin to record a run inside of another, or inside of what is current in ``around`` (default: here).

        ``begun`` is when it began, by ``recorder.now()``, if the framework tells of it later.
        """
        parent = self._runs.get(parent_id)
        refusal = None
        try:
            recording = recorder.start(operation, _context_in(parent) or around, begun=begun)
        except BudgetExceeded as error:
            if not self._raises_later:
                raise
            recording, refusal = None, error
        if recording is None:
            passed = self.pass_over(run_id, parent_id, about)
            passed.refusal = refusal
            return passed
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

    def end(self, run: Run, error: BaseException | None = None, outcome: str | None = None) -> None:
        """End what ``pop`` gave; what is raised to leave a run that has not failed is no error.

        ``outcome`` says why it is over, where the framework tells more of that than the exception, or has none.
        """
        if outcome is None and error is not None:
            outcome = self.outcome(error)
        if outcome is None and error is None:
            run.recording.end()
            return
        if outcome is None:
            self._end_inside(run, "cancelled")
            run.recording.end(error)
        else:
            self.leave(run, outcome)

    def leave(self, run: Run, outcome: str) -> None:
        """End what ``pop`` gave, which is over without having failed, and what goes on inside; ``outcome`` says why."""
        self._end_inside(run, outcome)
        end_with_outcome(run.recording, outcome)

    def outcome(self, error: BaseException) -> str | None:
        """Return what an exception means that is no error; None for errors."""
        return outcome_of(error, self._outcomes)

    def going_on(self, run_id: Hashable | None) -> Run | None:
        """Return a run in which the framework is about to call a model or the agent's code; raises what refuses it."""
        run = self._runs.get(run_id)
        if run is not None and run.refusal is not None:
            raise run.refusal
        return run

    def make_current(self, run_id: Hashable | None) -> None:
        """Make a run current until the context of Python's that the caller runs in is over; raises what refuses it."""
        run = self.going_on(run_id)
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
                end_with_outcome(inner.recording, outcome)

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


def _context_in(parent: Run | None) -> Context | None:
    """Return the context of what happens inside of ``parent``; None for the current one."""
    if parent is None or parent.recording is None or _is_within(ownership.current_recording(), parent.recording):
        # Further in there may be a span of the agent's, or what the framework itself does not count as a parent.
        return None
    context: Context = parent.recording.context
    return context


def _is_within(inner: Any, outer: Any) -> bool:
    """Whether a recording is another one, or goes on inside of it; in a model call no run of a framework is."""
    while inner is not None and inner is not outer and not inner.operation.IS_MODEL_CALL:
        inner = getattr(inner, "outer", None)
    return inner is not None and inner is outer
