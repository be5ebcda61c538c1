"""Runs that go on elsewhere than they were asked for, and steps that wait for an event from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import payload
from obs_run.core.callback_wrappers import CallScope
from obs_run.core.operations import Step, ToolCall

from .recordings import WAITS, current_key, ongoing, workflow_around

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def asked(call: Call) -> CallScope:  # noqa: ARG001 (each call is one)
    """Return the scope of ``Workflow.run``, after which the run goes on in another task."""
    return CallScope()


class _WaitingScope:
    """A step that asks for an event from outside, and is left until that is there."""

    def __enter__(self) -> None:
        """Let it ask."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        """Note that what asked waits."""
        if kind is None or kind.__name__ != WAITS:
            return
        run = ongoing.get(current_key())
        while run is not None and not run.about.is_workflow:
            operation = payload.get(run.recording, "operation")
            if isinstance(operation, (Step, ToolCall)):
                operation.outcome = "interrupted"
            workflow = workflow_around(run)
            if workflow is not None:
                workflow.about.waiting |= run.about.waiting
            run = run.parent


def waiting(call: Call) -> _WaitingScope:  # noqa: ARG001 (each call is one)
    """Return the scope of ``Context.wait_for_event``."""
    return _WaitingScope()
