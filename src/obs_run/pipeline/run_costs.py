"""What the model calls inside of a run of an agent or workflow cost together, on the export thread."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.cost import Bill

_MOST = 10_000


class RunCosts:
    """Sums by the span ids of runs that go on: a run's span comes after those of what happened inside of it."""

    def __init__(self) -> None:
        self._totals: dict[int, Decimal] = {}

    def add(self, operation: OperationRecord, cost: Bill) -> None:
        """Add what a model call cost to the runs around it."""
        if cost.total is None:
            return
        for run in operation.runs:
            self._totals[run] = self._totals.get(run, Decimal(0)) + cost.total
        while len(self._totals) > _MOST:
            # The oldest of runs that never end.
            del self._totals[next(iter(self._totals))]

    def pop(self, span: SpanContext | None) -> float | None:
        """Return what the calls inside of a run cost, now that it is over; None where nothing is known of it."""
        total = None if span is None else self._totals.pop(span.span_id, None)
        return None if total is None else float(total)
