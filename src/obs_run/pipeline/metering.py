"""Metrics and prices of operations that ended, on the export thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run._version import __version__
from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider

    from obs_run.core.sink import ObservedMetrics, OperationRecord
    from obs_run.pipeline.cost import Bill
    from obs_run.pipeline.losses import Loss
    from obs_run.pipeline.measurements import Measurements
    from obs_run.pipeline.run_totals import Totals


class Metering:
    """Measures and prices; the meter provider is asked for when there is something to measure.

    ``own_provider`` returns the SDK's provider that this process made, ``any_provider`` whichever is the global one.
    """

    def __init__(
        self, own_provider: Callable[[], SdkMeterProvider | None], any_provider: Callable[[], MeterProvider | None]
    ) -> None:
        self._own_provider = own_provider
        self._any_provider = any_provider
        self._measurements: Measurements | None = None
        self._observed: ObservedMetrics | None = None

    def watch(self, observed: ObservedMetrics) -> None:
        """Read ``observed`` whenever metrics are collected."""
        self._observed = observed
        measurements = self._measurements
        if measurements is None:
            self._instruments()
        else:
            measurements.watch(observed)

    def measure(self, operation: OperationRecord, *, has_span: bool = True) -> Bill | None:
        """Record the metrics of an operation, and return what it cost if its span is exported."""
        measurements = self._instruments()
        if measurements is not None:
            measurements.record(operation)
        priced = self.price(operation, has_span=has_span)
        if measurements is not None and priced is not None and priced.total is not None:
            measurements.own_cost(float(priced.total), operation)
        return priced

    def price(self, operation: OperationRecord, *, has_span: bool = True) -> Bill | None:
        """Return what an operation cost if its span is exported, and count that alone."""
        measurements = self._instruments()
        from obs_run.pipeline import cost

        if not cost.is_billable(operation) or not (has_span or measurements is not None):
            return None
        priced = guard.call("price", cost.of, operation)
        if measurements is not None:
            total = None if priced is None else priced.total
            measurements.cost(None if total is None else float(total), operation)
        return priced

    def measure_parts(self, run: OperationRecord, totals: Totals) -> None:
        """Record what an agent's own model calls in a run that is over used and cost."""
        measurements = self._instruments()
        if measurements is not None:
            for tool_name, part in totals.own.items():
                measurements.part_of_run(run, tool_name, part)

    def has_measured(self) -> bool:
        """Whether there is anything to export."""
        return self._measurements is not None

    def count_lost(self, counts: Mapping[Loss, int]) -> None:
        """Count what did not arrive, by reason, signal and destination."""
        measurements = self._instruments()
        if measurements is not None:
            measurements.count_lost(counts)

    def count_repeated(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count what may have arrived twice, by signal and destination."""
        measurements = self._instruments()
        if measurements is not None:
            measurements.count_repeated(counts)

    def _instruments(self) -> Measurements | None:
        """Return the instruments; None where nobody reads metrics."""
        if self._measurements is None:
            # Ours, even where the agent set a provider of its own: that one does not export to where we do.
            own = self._own_provider()
            provider = own if own is not None else self._any_provider()
            if provider is None:
                return None
            from obs_run.pipeline.measurements import Measurements

            self._measurements = Measurements(provider.get_meter("obs_run", __version__), ours=own)
            if self._observed is not None:
                self._measurements.watch(self._observed)
        return self._measurements
