"""Records as core hands them over, made of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core.sink import OperationRecord, Timing

if TYPE_CHECKING:
    from obs_run.core.operations import Operation


def record_of(operation: Operation, timing: Timing | None = None) -> OperationRecord:
    """Return the record of an operation that is over."""
    return OperationRecord(
        type(operation).__name__, operation.attributes(), {}, timing or Timing(1.0), operation.pricing()
    )
