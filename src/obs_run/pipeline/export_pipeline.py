"""What the export thread does with a batch: complete it, scrub it, give it to each destination of its signal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY  # the name is private, its use is everywhere

from obs_run import settings
from obs_run.base import guard
from obs_run.core import content
from obs_run.core.operations import Inference
from obs_run.pipeline import foreign_content, losses, redact, redact_items
from obs_run.pipeline.items import ApiLogItem, CallItem, LogItem, SpanItem
from obs_run.pipeline.span_builder import details_event, log_record, span_with_operation, structured_content
from obs_run.runtime import destinations
from obs_run.sdk import providers

if TYPE_CHECKING:
    from collections.abc import Collection

    from obs_run.core.operations import Operation
    from obs_run.pipeline.destination import Destination
    from obs_run.pipeline.items import Item


class Export:
    """The destinations of this process and the clock of its metrics; used by the export thread alone."""

    def __init__(self) -> None:
        self._providers = providers.set_up()
        self._redaction = redact_items.shared()
        # With a configuration file the exporters are the file's.
        ours = self._providers.queues_spans
        self.losses = destinations.losses()
        self._traces = destinations.of("traces", self.losses) if ours else []
        self._logs = destinations.of("logs", self.losses) if ours else []
        self._metrics = destinations.of("metrics", self.losses) if ours else []
        self._further = destinations.USER_DESTINATIONS
        self._interval: float = settings.get("OTEL_METRIC_EXPORT_INTERVAL")
        self._metrics_due = time.monotonic() + self._interval
        self._unseen = api_context.Context({_SUPPRESS_INSTRUMENTATION_KEY: True})

    def batch(self, items: list[Item], deadline: float | None) -> None:
        """Export ``items`` in their order, each signal to its own destinations."""
        # What a destination uses may be instrumented itself: recording that would never end.
        token = api_context.attach(self._unseen)
        try:
            self._batch(items, deadline)
        finally:
            api_context.detach(token)

    def _batch(self, items: list[Item], deadline: float | None) -> None:
        spans: list[Any] = []
        records: list[Any] = []
        for item in items:
            if isinstance(item, SpanItem):
                self._span(item, spans, records)
            elif isinstance(item, CallItem):
                guard.call("measurement", item.function, *item.arguments)
            elif isinstance(item, LogItem) and self._logs:
                records.append(self._record(guard.call("log record", log_record, item, self._providers.resource)))
            elif isinstance(item, ApiLogItem):
                records.append(self._record(guard.call("log record", foreign_content.record, item.record)))
        self._give(self._traces, spans, deadline)
        self._give(self._logs, [record for record in records if record is not None], deadline)

    def _span(self, item: SpanItem, spans: list[Any], records: list[Any]) -> None:
        """Put what is to be exported of a span that ended into the two lists."""
        cost = guard.call("measurement", self._measure, item)
        resource, operation = self._providers.resource, item.operation
        told: dict[str, Any] = {}
        if operation is not None and self._tells(operation):
            told = guard.call("content", structured_content, operation, redact.shared(), default={})
        if self._traces:
            shown = told if content.on_spans() else {}
            span = guard.call("span", span_with_operation, item, resource, cost, shown)
            if span is None:
                span, shown = item.span, {}
            span = guard.call("span", foreign_content.span, span)
            if span is not None:
                spans.append(span if self._redaction is None else self._redaction.span(span, shown))
        if self._logs and operation is not None and content.on_events():
            records.append(self._record(guard.call("event", details_event, item, resource, told), told))

    def _tells(self, operation: Operation) -> bool:
        """Whether the operation's content goes anywhere; it takes time to make."""
        return bool(self._traces and content.on_spans()) or bool(
            self._logs and content.on_events() and isinstance(operation, Inference)
        )

    def _record(self, record: Any, done: Collection[str] = ()) -> Any:
        return record if record is None or self._redaction is None else self._redaction.record(record, done)

    def _measure(self, item: SpanItem) -> Any:
        """Record the metrics of the span's operation; return what it cost, None if that is unknown."""
        if item.operation is None or item.timing is None:
            return None
        return self._providers.measure(item.operation, item.timing, seen=bool(self._traces))

    def settle(self, deadline: float | None, dropped: int) -> None:
        """Send what earlier failed or is due: metrics at their interval, and always when the process leaves."""
        token = api_context.attach(self._unseen)
        try:
            self._settle(deadline, dropped)
        finally:
            api_context.detach(token)

    def _settle(self, deadline: float | None, dropped: int) -> None:
        self.losses.count(dropped, losses.QUEUE_FULL)
        self.losses.report()
        self._export_metrics(deadline)
        for destination in self._all():
            guard.call("export", destination.retry_pending, deadline)

    def _export_metrics(self, deadline: float | None) -> None:
        counts = self.losses.take_counts()
        if counts:
            guard.call("measurement", self._providers.count_dropped, sum(counts.values()))
        if deadline is not None or time.monotonic() >= self._metrics_due:
            self._metrics_due = time.monotonic() + self._interval
            data = guard.call("metrics", self._providers.collect_metrics)
            if data is not None:
                self._give(self._metrics, data, deadline)

    def close(self, deadline: float, dropped: int, left: int) -> None:
        """Send what earlier failed and the metrics, close the destinations, and say what was lost.

        ``dropped`` items found the queue full, and ``left`` were never taken out of it.
        """
        token = api_context.attach(self._unseen)
        try:
            self.losses.count(dropped, losses.QUEUE_FULL)
            self._export_metrics(deadline)
            for destination in self._all():
                guard.call("export", destination.close, deadline)
        finally:
            api_context.detach(token)
        self.losses.count(left, losses.NOT_DELIVERED)
        self.losses.report(final=True)

    def give_up(self, left: int) -> None:
        """Count what waits, and ``left`` items of the queue, as lost, while the export thread is held up; say it."""
        for destination in self._all():
            guard.call("export", destination.close, time.monotonic())
        self.losses.count(left, losses.NOT_DELIVERED)
        self.losses.report(final=True)

    def _all(self) -> tuple[Destination, ...]:
        return (*self._traces, *self._logs, *self._metrics, *self._further)

    def pause(self) -> float | None:
        """Return the seconds until there is something to do even if nothing comes in; None if there never is."""
        pauses = [guard.call("export", each.seconds_until_due) for each in self._all()]
        if self._metrics:
            pauses.append(self._metrics_due - time.monotonic())
        known = [pause for pause in pauses if pause is not None]
        return max(0.0, min(known)) if known else None

    def after_fork(self) -> None:
        """In a child process: drop the parent's connections."""
        for destination in self._all():
            guard.call("fork", destination.after_fork)
        self.losses.after_fork()
        self._metrics_due = time.monotonic() + self._interval

    @staticmethod
    def _give(to: list[Destination], what: Any, deadline: float | None) -> None:
        if not what:
            return
        for destination in to:
            guard.call("export", destination.export, what, deadline)
