"""What the export thread does with a batch: complete it, then give it to each destination of its signal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.core import content, guard
from obs_run.pipeline import destinations
from obs_run.pipeline.complete import details_event, log_record, span_with_operation
from obs_run.pipeline.items import ApiLogItem, CallItem, LogItem, SpanItem
from obs_run.sdk import providers

if TYPE_CHECKING:
    from obs_run.pipeline.items import Item


class Export:
    """The destinations of this process and the clock of its metrics; used by the export thread alone."""

    def __init__(self) -> None:
        self._providers = providers.set_up()
        self._traces = destinations.of("traces")
        self._logs = destinations.of("logs")
        self._metrics = destinations.of("metrics")
        self._interval: float = settings.get("OTEL_METRIC_EXPORT_INTERVAL")
        self._metrics_due = time.monotonic() + self._interval

    def batch(self, items: list[Item], deadline: float | None) -> None:
        """Export ``items`` in their order, each signal to its own destinations."""
        resource = self._providers.resource
        spans: list[Any] = []
        records: list[Any] = []
        for item in items:
            if isinstance(item, SpanItem):
                cost = guard.call("measurement", self._measure, item)
                spans.append(guard.call("span", span_with_operation, item, resource, cost, default=item.span))
                if item.operation is not None and content.on_events():
                    records.append(guard.call("event", details_event, item, resource))
            elif isinstance(item, CallItem):
                guard.call("measurement", item.function, *item.arguments)
            elif isinstance(item, LogItem):
                records.append(guard.call("log record", log_record, item, resource))
            elif isinstance(item, ApiLogItem):
                records.append(item.record)
        self._give(self._traces, spans, deadline)
        self._give(self._logs, [record for record in records if record is not None], deadline)

    def _measure(self, item: SpanItem) -> Any:
        """Record the metrics of the span's operation; return what it cost, None if that is unknown."""
        if item.operation is None or item.timing is None:
            return None
        return self._providers.measure(item.operation, item.timing)

    def settle(self, deadline: float | None, dropped: int) -> None:
        """Send what earlier failed or is due: metrics at their interval, and always when the process leaves."""
        if dropped:
            guard.warn(f"obs-run: {dropped} spans or log records were dropped, the queue is full (OBS_QUEUE_BYTES)")
            self._providers.count_dropped(dropped)
        if deadline is not None or time.monotonic() >= self._metrics_due:
            self._metrics_due = time.monotonic() + self._interval
            data = self._providers.collect_metrics()
            if data is not None:
                self._give(self._metrics, data, deadline)
        for destination in (*self._traces, *self._logs, *self._metrics):
            guard.call("export", destination.settle, deadline)

    def pause(self) -> float | None:
        """Return the seconds until there is something to do even if nothing comes in; None if there never is."""
        pauses = [each.pause() for each in (*self._traces, *self._logs, *self._metrics)]
        if self._metrics:
            pauses.append(self._metrics_due - time.monotonic())
        known = [pause for pause in pauses if pause is not None]
        return max(0.0, min(known)) if known else None

    def after_fork(self) -> None:
        """In a child process: drop the parent's connections."""
        for destination in (*self._traces, *self._logs, *self._metrics):
            guard.call("fork", destination.after_fork)
        self._metrics_due = time.monotonic() + self._interval

    @staticmethod
    def _give(to: list[destinations.Destination], what: Any, deadline: float | None) -> None:
        if not what:
            return
        for destination in to:
            guard.call("export", destination.export, what, deadline)
