"""What the export thread does with a batch: measure, complete and scrub each item, and give it to its destinations."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import context as api_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY  # the name is private, its use is everywhere

from obs_run.base import guard
from obs_run.core import content, semconv
from obs_run.pipeline import (
    foreign_content,
    log_builder,
    losses,
    open_spans,
    redact,
    redact_items,
    span_builder,
)
from obs_run.pipeline.items import DeferredCall, LogItem, OpenItem, OperationItem, SpanItem
from obs_run.pipeline.log_events import LogEvents
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.pipeline.rebuilt_span import SpanDraft
from obs_run.pipeline.run_totals import RunTotals
from obs_run.pipeline.translation import Translation
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.cost import Bill
    from obs_run.pipeline.destination import Destination, Destinations
    from obs_run.pipeline.items import Item
    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.metering import Metering


class _Batch:
    """The items of a batch that are still to be looked at, and what is to be exported of the others.

    What was handed over is in it no more.
    """

    __slots__ = ("items", "records", "spans")

    def __init__(self, items: list[Item]) -> None:
        self.items = deque(items)
        self.spans: list[ReadableSpan] = []
        self.records: list[ReadableLogRecord] = []

    def take_spans(self) -> list[ReadableSpan]:
        spans, self.spans = self.spans, []
        return spans

    def take_records(self) -> list[ReadableLogRecord]:
        records, self.records = self.records, []
        return records


class OpenWork(Protocol):
    """What of this process is open, and when that is to be looked at."""

    def seconds_until_due(self) -> float | None:
        """Return the seconds until something open is to be shown; None where nothing is."""

    def take(self) -> list[Item]:
        """Return what is to be shown now."""


class ExportPipeline:
    """The stages between queue and destinations, and the clock of the metrics; used by the export thread alone.

    ``resource`` returns this process's resource, ``collect`` its metrics of now.
    """

    def __init__(
        self,
        destinations: Destinations,
        lost: Losses,
        metering: Metering,
        resource: Callable[[], Resource],
        collect: Callable[[], MetricsData | None],
        interval: float,
        open_work: OpenWork | None = None,
    ) -> None:
        self._destinations = destinations
        self._open_work = open_work
        self._shows_all = open_spans.are_wanted(destinations.traces)
        self.announced_run: int | None = None
        """The id of the run's span that went, while it was open, where spans are final."""
        self._ended_run: int | None = None
        self._losses = lost
        self._metering = metering
        self._resource = resource
        self._collect = collect
        self._interval = interval
        self._redaction = redact_items.shared()
        self._metrics_due = time.monotonic() + self._interval
        self._batch = _Batch([])
        self._run_totals = RunTotals()
        self._translation = Translation()
        self._log_events = LogEvents()
        self._owes_metrics = True
        """Whether the last export of metrics is still to come."""
        self._unseen = api_context.Context({_SUPPRESS_INSTRUMENTATION_KEY: True})
        self._stages: dict[type, Callable[[Any, _Batch], None]] = {
            SpanItem: self._take_span,
            OpenItem: self._take_open_span,
            OperationItem: self._take_operation,
            LogItem: self._take_log,
            DeferredCall: self._take_call,
        }

    def export(self, items: list[Item], deadline: float | None) -> None:
        """Export ``items`` in their order, each signal to its own destinations."""
        # What a destination uses may be instrumented itself: recording that would never end.
        token = api_context.attach(self._unseen)
        try:
            batch = self._batch = _Batch(items)
            if self._redaction is not None:
                guard.call("privacy", self._redaction.renew)
            while batch.items:
                item = batch.items[0]
                guard.call("export", self._stages[type(item)], item, batch)
                batch.items.popleft()
            open_spans.give(self._destinations.traces, batch.take_spans(), deadline)
            self._hand_over(self._destinations.logs, batch.take_records(), deadline)
        finally:
            api_context.detach(token)

    def _take_span(self, item: SpanItem, batch: _Batch) -> None:
        operation = item.operation
        if operation is None:
            self._take_foreign_span(item, batch)
            return
        if operation.run is not None:
            guard.call("run", self._sum_up, operation)
        has_span = bool(self._destinations.traces)
        cost = guard.call("measurement", self._metering.measure, operation, has_span=has_span)
        if operation.runs and operation.run is None:
            guard.call("run", self._run_totals.add, operation, cost)
        values = self._limited_content(operation) if operation.content and self._exports_content(operation) else {}
        if has_span:
            guard.call("translation", self._translation.note_own, item.span, operation)
            self._add_span(item, batch, cost, values if content.on_spans() else {})
        if self._destinations.logs and content.on_events():
            event = guard.call("event", log_builder.build_details_event, item, self._resource(), values)
            self._add(event, batch, values)

    def _take_foreign_span(self, item: SpanItem, batch: _Batch) -> None:
        if not self._destinations.traces:
            return
        translated = guard.call("translation", self._translation.of, item)
        operation = None if translated is None else translated.operation
        if translated is None or operation is None:
            self._add_span(item, batch, None, {})
            return
        # Whoever made the span may have metrics of his own; of what it cost there are none but ours.
        cost = guard.call("measurement", self._metering.price, operation)
        if operation.runs:
            guard.call("run", self._run_totals.add, operation, cost)
        self._add_span(translated, batch, cost, self._limited_content(operation) if operation.content else {})

    def _add_span(self, item: SpanItem, batch: _Batch, cost: Bill | None, shown: dict[str, Any]) -> None:
        """Put a span into the batch, complete and scrubbed; the content in ``shown`` is that already."""
        draft, operation = SpanDraft(item.span), item.operation
        clean = guard.call(
            "span", span_builder.complete_span, draft, operation, self._resource(), cost, shown, default={}
        )
        guard.call("events", self._log_events.add_to, draft)
        if guard.call("span", foreign_content.remove, draft) is None:
            return
        if self._redaction is not None:
            self._redaction.scrub(draft, clean)
        finished = draft.finished()
        if semconv.OBS_RUN_KIND in (finished.attributes or ()) and finished.context is not None:
            self._ended_run = finished.context.span_id
            if self._ended_run == self.announced_run:
                finished = open_spans.as_announced(finished)
        batch.spans.append(finished)

    def _take_open_span(self, item: OpenItem, batch: _Batch) -> None:
        context = item.span.context
        if context is None or context.span_id == self._ended_run:
            return
        is_news = item.is_run and context.span_id != self.announced_run
        if not is_news and not self._shows_all:
            return
        if item.is_run:
            self.announced_run = context.span_id
        draft = SpanDraft(item.span)
        guard.call("span", span_builder.complete_span, draft, None, self._resource(), None, {})
        draft.fields["attributes"] = {**(draft.fields["attributes"] or {}), semconv.OBS_SPAN_OPEN: True}
        if guard.call("span", foreign_content.remove, draft) is None:
            return
        if self._redaction is not None:
            self._redaction.scrub(draft, {})
        batch.spans.append(open_spans.as_open(draft.finished(), is_root_for_all=is_news))

    @staticmethod
    def _limited_content(operation: OperationRecord) -> dict[str, Any]:
        values: dict[str, Any] = guard.call(
            "content", span_builder.limit_content, operation, redact.shared(), default={}
        )
        return values

    def _sum_up(self, run: OperationRecord) -> None:
        """Have a run that is over tell what the calls inside of it sum up to."""
        totals = self._run_totals.pop(run)
        if totals is not None:
            run.attributes.update(totals.attributes())
            self._metering.measure_parts(run, totals)

    def _take_operation(self, item: OperationItem, _batch: _Batch) -> None:
        operation = item.operation
        if operation.run is not None:
            guard.call("run", self._sum_up, operation)
        cost = self._metering.measure(operation, has_span=False)
        if operation.runs and operation.run is None:
            guard.call("run", self._run_totals.add, operation, cost)

    def _take_log(self, item: LogItem, batch: _Batch) -> None:
        if self._destinations.traces:
            guard.call("events", self._log_events.note, item.record)
        if self._destinations.logs:
            record = log_builder.build_log_record(item.record, self._resource())
            self._add(foreign_content.record(record), batch)

    def _take_call(self, item: DeferredCall, _batch: _Batch) -> None:
        item.function(*item.arguments)

    def _exports_content(self, operation: OperationRecord) -> bool:
        """Whether the operation's content goes anywhere; it takes time to make."""
        if self._destinations.traces and content.on_spans():
            return True
        return bool(self._destinations.logs) and content.on_events() and log_builder.has_details_event(operation)

    def _add(self, record: ReadableLogRecord | None, batch: _Batch, clean: Collection[str] = ()) -> None:
        """Put a record into the batch, scrubbed; the attributes named in ``clean`` are that already."""
        if record is not None:
            batch.records.append(record if self._redaction is None else self._redaction.record(record, clean))

    def retry_pending(self, deadline: float | None, dropped: int) -> None:
        """Send what earlier failed or is due: metrics at their interval, and always when the process leaves."""
        token = api_context.attach(self._unseen)
        try:
            self._retry_pending(deadline, dropped)
        finally:
            api_context.detach(token)

    def _retry_pending(self, deadline: float | None, dropped: int) -> None:
        self._losses.count(dropped, losses.QUEUE_FULL)
        self._losses.report()
        if deadline is not None or time.monotonic() >= self._metrics_due:
            self._export_metrics(deadline)
        if deadline is None and self._open_work is not None:
            shown: list[Item] = guard.call("open spans", self._open_work.take, default=[])
            if shown:
                self.export(shown, None)
        for destination in self._destinations.all():
            guard.call("export", destination.retry_pending, deadline)
        if deadline is not None:
            for destination in self._destinations.all():
                guard.call("export", destination.wait, deadline)

    def close(self, deadline: float, dropped: int, left: int) -> None:
        """Send what earlier failed and the metrics, and close the destinations.

        ``dropped`` items found the queue full, and ``left`` were never taken out of it.
        """
        token = api_context.attach(self._unseen)
        try:
            self._losses.count(dropped, losses.QUEUE_FULL)
            self._export_metrics(deadline)
            # All begin before one is waited for.
            for destination in self._destinations.all():
                guard.call("export", destination.retry_pending, deadline)
            for destination in self._destinations.all():
                guard.call("export", destination.close, deadline)
        finally:
            api_context.detach(token)
        self._losses.count(left, losses.NOT_DELIVERED)

    def load(self) -> None:
        """Have each destination import what it needs for its first batch."""
        for destination in self._destinations.all():
            if isinstance(destination, OtlpDestination):
                guard.call("export", destination.load)

    def give_up(self, left: int) -> None:
        """Count what waits, and ``left`` items of the queue, as lost, while the export thread is held up."""
        for destination in self._destinations.all():
            guard.call("export", destination.close, time.monotonic())
        # The thread is held up by the first of the signals, and the others wait in its hands.
        left += len(self._batch.items) + len(self._batch.take_spans()) + len(self._batch.take_records())
        if self._owes_metrics and self._metering.has_measured():
            left += len(self._destinations.metrics)
        self._losses.count(left, losses.NOT_DELIVERED)

    def _export_metrics(self, deadline: float | None) -> None:
        self._metrics_due = time.monotonic() + self._interval
        counts = self._losses.take_counts()
        if counts:
            guard.call("measurement", self._metering.count_lost, counts)
        repeated = self._losses.take_repeated()
        if repeated:
            guard.call("measurement", self._metering.count_repeated, repeated)
        data = guard.call("metrics", self._collect)
        self._owes_metrics = deadline is None
        if data is not None:
            self._hand_over(self._destinations.metrics, data, deadline)

    def seconds_until_due(self) -> float | None:
        """Return the seconds until there is something to do even if nothing comes in; None if there never is."""
        pauses = [guard.call("export", each.seconds_until_due) for each in self._destinations.all()]
        if self._destinations.metrics:
            pauses.append(self._metrics_due - time.monotonic())
        if self._open_work is not None:
            pauses.append(self._open_work.seconds_until_due())
        due = [pause for pause in pauses if pause is not None]
        return max(0.0, min(due)) if due else None

    def after_fork(self) -> None:
        """In a child process: drop the parent's connections."""
        for destination in self._destinations.all():
            guard.call("fork", destination.after_fork)
        self._losses.after_fork()
        self._log_events.clear()
        self._metrics_due = time.monotonic() + self._interval

    @staticmethod
    def _hand_over(destinations: list[Destination], batch: Any, deadline: float | None) -> None:
        if not batch:
            return
        for destination in destinations:
            guard.call("export", destination.export, batch, deadline)
