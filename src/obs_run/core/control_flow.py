"""Exceptions by which a run is left that has not failed, and how its recording says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import operations
from obs_run.core.open_recordings import open_recordings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["end_inside", "end_with_outcome", "outcome_of"]

_ABANDONED = "abandoned"
_OUTCOMES = {"CancelledError": "cancelled", "Cancelled": "cancelled", "GeneratorExit": _ABANDONED}
"""What no framework means as a failure, by the names of the exceptions' classes."""


def outcome_of(error: BaseException, outcomes: Mapping[str, str]) -> str | None:
    """Return what an exception means that is no error; None for errors.

    ``outcomes`` are those of the framework's own, by the names of their classes.
    """
    for kind in type(error).__mro__:
        outcome = outcomes.get(kind.__name__) or _OUTCOMES.get(kind.__name__)
        if outcome is not None:
            return outcome
    return None


def end_with_outcome(recording: Any, outcome: str) -> None:
    """End a recording whose operation is over and has not failed."""
    operation = recording.operation
    if outcome == _ABANDONED and operation.is_answered():
        # Who has the result may leave the rest unread.
        pass
    elif hasattr(operation, "outcome"):
        # Why nobody reads on may be known.
        operation.outcome = operation.outcome or outcome if outcome == _ABANDONED else outcome
    elif getattr(operation, "stream", False) and not operation.is_answered():
        operation.stream_end = outcome
    recording.end()


def end_inside(run: Any, outcome: str) -> None:
    """End steps, tools and model calls in a run that was left; not every library tells of their end then."""
    # Named here and not above: their classes are loaded with the first operation, not with the library.
    parts = (operations.Step, operations.ToolCall)
    for recording in open_recordings.inside(run):
        if isinstance(recording.operation, parts) or recording.is_frameworks:
            end_with_outcome(recording, outcome)
