"""The composition root of an agent that a relay exports for: what it records goes into the buffer, and that is all.

OpenTelemetry's SDK, a queue and a thread are there only where the agent itself asks for a provider or a meter.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard, held_values
from obs_run.buffer import codec, configuration
from obs_run.buffer.writer import Writer
from obs_run.core.open_recordings import Ending, open_recordings
from obs_run.pipeline.items import LogItem, OperationItem, SpanItem
from obs_run.process import exit_hooks, relay, resource_attributes, run
from obs_run.process.unpatched import RLock, monotonic
from obs_run.runtime.in_process import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.buffer.sink import BufferSpanSink
    from obs_run.core.sink import Attributes, LogRecord, ObservedMetrics, OperationRecord, SpanRecord
    from obs_run.pipeline.destination import Destinations
    from obs_run.pipeline.items import Item
    from obs_run.pipeline.queue import Queue
    from obs_run.process.exit_sequence import ExitInfo
    from obs_run.process.identity import Identity
    from obs_run.sdk.providers import Providers
    from obs_run.sdk.span_sink import ConfiguredSpanSink, SpanSink


_FRESH_SECONDS = 10.0
_WARNING = 13
"""OpenTelemetry's number of the severity."""


_SECRETS = re.compile(r"(?i)key|token|secret|pass|pwd|cred|auth|dsn|ur[il]|header|private|cert|conn|sign|salt|account")
"""Names of variables that may be, or hold, secrets; the relay looks more closely."""


class BufferRuntime(Runtime):
    """What this process records with where a relay reads ``folder``."""

    _serves_metrics = False

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self._place: str | None = None
        """The folder in it that is for this process's configuration."""
        self._writer: Writer | None = None
        self._making_writer = RLock()
        self._buffer_sink: BufferSpanSink | None = None
        self._has_limits = any(os.environ.get(name, "").strip() for name in settings.LIMIT_NAMES)
        self._resource_attributes: dict[str, Any] | None = None
        self._observed: ObservedMetrics | None = None
        self._observe_at = 0.0
        self._items = _BufferItems(self)
        self._environ_size = -1
        self._held = -1

    # The sink of core

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],
        parent: Context,
        start_ns: int | None = None,
    ) -> Span:
        """Begin the record of an operation: a span of the SDK's where the agent reads spans, else one of ours."""
        if self._is_read_by_agent():
            return super().start(name, kind, attributes, parent, start_ns)
        return self._buffer().start(name, kind, attributes, parent, start_ns)

    def end(self, span: Span, complete: Callable[[], OperationRecord]) -> None:
        """End it."""
        self.tell_held()
        buffer_sink = self._buffer_sink
        if buffer_sink is not None and buffer_sink.is_own(span):
            buffer_sink.end(span, complete)
            if self._observed is not None and monotonic() >= self._observe_at:
                self._write_observed()
        else:
            super().end(span, complete)

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Measure what has no span of its own."""
        self._buffer().measure(complete)

    def watch(self, observed: ObservedMetrics) -> None:
        """Write what there is to read of ``observed`` now and then, and at the end."""
        self._observed = observed
        self._observe_at = monotonic() + self._metric_interval()

    def log(self, record: LogRecord) -> None:
        """Write a log record; warnings and errors also where there is little room."""
        self.tell_held()
        severity = record.severity or 0
        self.writer().put(codec.encode_log(record), is_vital=severity >= _WARNING)

    def tell_held(self) -> None:
        """Tell the relay of secrets that this process has come to hold, as by reading a ``.env``."""
        environ, changes = os.environ, held_values.changes()
        if len(environ) == self._environ_size and changes == self._held:
            return
        self._environ_size, self._held = len(environ), changes
        telling = {name: value for name, value in environ.items() if _SECRETS.search(name) or "@" in value}
        self.write(codec.Held(telling, held_values.described()))

    def _is_read_by_agent(self) -> bool:
        """Whether spans of ours must be the SDK's: for a processor of the agent's, or its limits."""
        if self._has_limits:
            return True
        providers = self._providers
        return providers is not None and not self._is_installing and not providers.is_sole_span_reader()

    def _buffer(self) -> BufferSpanSink:
        if self._buffer_sink is None:
            from obs_run.buffer.sink import BufferSpanSink

            self._buffer_sink = BufferSpanSink(self.writer())
        return self._buffer_sink

    # The buffer

    def writer(self) -> Writer:
        """Return what writes into this process's buffer, made at the first call."""
        if self._writer is None:
            with self._making_writer:
                if self._writer is None:
                    self._place = guard.call("relay", configuration.prepare, self._folder)
                    folder = self._place or self._folder
                    self._writer = Writer(folder, settings.get("OBS_QUEUE_BYTES"), self._opening, _describe_lost)
                    guard.call("relay", relay.announce_writing)
                    self.prepare_to_leave()
                    settings.say_problems()
        return self._writer

    def write(self, record: codec.Record) -> None:
        """Write one record."""
        self.writer().put(codec.encode(record))

    def _opening(self) -> bytes:
        if self._resource_attributes is None:
            self._resource_attributes = resource_attributes.read()
        return codec.encode(codec.Opening(self._resource_attributes, self._run_at_start()))

    def _run_at_start(self) -> SpanRecord | None:
        from obs_run.core import run_spans

        if not run.enabled():
            return None
        run.identity()
        return run_spans.at_start() if run.is_owned() else None

    def _write_observed(self) -> None:
        observed = self._observed
        if observed is not None:
            self._observe_at = monotonic() + self._metric_interval()
            self.write(codec.Observed(observed.read_all()))

    # What the agent's providers hand over

    def items(self) -> _BufferItems:
        """Return what takes the items of the agent's threads."""
        return self._items

    def queue(self) -> Queue:
        """Return the queue of what only this process can do, made at the first call."""
        if self._queue is None:
            super().queue()
            super().prepare_to_leave()
        assert self._queue is not None
        return self._queue

    def _spans(self) -> SpanSink | ConfiguredSpanSink:
        if self._span_sink is None:
            from obs_run.sdk import span_sink

            self._span_sink = span_sink.SpanSink(self.set_up(), self._processor_of_spans(), self.items())
        return self._span_sink

    def _watch_metrics(self, providers: Providers) -> None:
        """Have a thread collect metrics once there are any: of pools and operations others tell."""
        if providers.meter_provider is not None:
            from obs_run.sdk import metric_reader

            metric_reader.before_measurements(providers.meter_provider, self._note_measurement)
            metric_reader.before_observable(providers.meter_provider, self._note_measurement)

    def _metric_interval(self) -> float:
        # Prometheus asks the relay, and what it is told is to be fresh.
        return min(super()._metric_interval(), _FRESH_SECONDS)

    def destinations(self) -> Destinations:
        """Return where the metrics of the agent's own instruments go: into the buffer, like all else."""
        if self._destinations is None:
            from obs_run.pipeline.destination import Destinations

            self._destinations = Destinations([], [_MetricsToBuffer(self)], [])
        return self._destinations

    def _start_threads(self) -> None:
        """Do nothing: the relay delivers."""

    # The end of the process

    def prepare_to_leave(self) -> None:
        """Have the run's end written; nothing is loaded for it."""
        exit_hooks.on_exit(self.finish)

    def record_abnormal_run(self, info: ExitInfo) -> None:
        """Have the run span exported as the process leaves, also of a server that could not start."""
        if info.exit_code or info.exception is not None:
            run.record_server()
        if run.enabled():
            run.identity()
            self.prepare_to_leave()

    def is_in_use(self) -> bool:
        """Whether this process ever wrote anything, or exports metrics."""
        return (self._writer is not None and self._writer.is_used) or super().is_in_use()

    def finish(self, info: ExitInfo) -> None:
        """Write what is open and how the run ended."""
        if not self._has_something_to_say():
            return
        open_recordings.end_all(Ending(info.describe(), info.began_ns))
        guard.call("observed metrics", self._write_observed)
        if self._queue is not None:
            self._queue.close(info.deadline)
        if self._writer is not None:
            guard.call("losses", self._writer.tell_lost)
        guard.call("run span", self._write_end, info)
        from obs_run.runtime import summary

        guard.call("where to look", summary.point_to_store, info)
        if self._place is not None:
            guard.call("relay", summary.tell_of_relay, info, self._place)

    def _write_end(self, info: ExitInfo) -> None:
        from obs_run.core import run_spans

        if self._ended is not None and self._ended is run.identity_or_none():
            return
        self._ended = run.identity_or_none()
        latest_ns = 0 if self._buffer_sink is None else self._buffer_sink.latest_end_ns
        end_ns = max(info.began_ns, latest_ns)
        self.write(codec.Left(run_spans.at_end(info, end_ns) if run.is_owned() else None))

    def end_part_of_run(self, ended: Identity, previous: Identity | None, times: tuple[int, int]) -> None:
        """Write the span of a part of the run, and that of the next."""
        if not self.is_in_use():
            return
        from obs_run.core import run_spans

        part, following = run_spans.of_part(ended, previous, times), run_spans.at_start()
        if part is not None:
            self.write(codec.Ended(part))
        if following is not None:
            self.write(codec.Run(following))

    # Forks

    def _begin_in_child(self) -> None:
        self._making_writer = RLock()
        if self._writer is not None:
            guard.call("fork", self._writer.after_fork)
            self._environ_size = -1
        if self._resource_attributes is not None:
            self._resource_attributes = resource_attributes.in_child(self._resource_attributes)
        super()._begin_in_child()


def _describe_lost(number: int) -> bytes:
    return codec.encode(codec.Lost(number))


class _BufferItems:
    """What the processors on the agent's providers hand their items to."""

    def __init__(self, runtime: BufferRuntime) -> None:
        self._runtime = runtime

    def put(self, item: Item) -> None:
        """Write one item, or leave to a thread of ours what is a call."""
        if isinstance(item, SpanItem):
            from obs_run.sdk import span_records

            record = span_records.record_of(item.span)
            if record is not None:
                self._runtime.tell_held()
                self._runtime.write(codec.Ended(record, item.operation, item.is_told, item.runs))
        elif isinstance(item, OperationItem):
            self._runtime.write(codec.Measured(item.operation))
        elif isinstance(item, LogItem):
            self._runtime.write(codec.Logged(item.record))
        else:
            self._runtime.queue().put(item)

    def note_begun(self, span: Any) -> None:
        """Write that a span has begun."""
        from obs_run.sdk import span_records

        record = span_records.record_of(span)
        if record is not None and record.flags:
            self._runtime.write(codec.Begun(record))

    def is_export_thread(self) -> bool:
        """Whether the caller is a thread of ours."""
        return self._runtime.is_exporting()

    def flush(self, deadline: float) -> bool:  # noqa: ARG002 (there is nothing to wait for)
        """Return True: what was written is the relay's."""
        return True


class _MetricsToBuffer:
    """The destination of the agent's own metrics."""

    replaces_open_spans = False

    def __init__(self, runtime: BufferRuntime) -> None:
        self._runtime = runtime

    def export(self, batch: Any, deadline: float | None) -> None:  # noqa: ARG002 (memory is quick)
        """Write one collection."""
        from obs_run.sdk import metric_records

        self._runtime.write(codec.Metrics(metric_records.record_of(batch)))

    def retry_pending(self, deadline: float | None) -> None:
        """Do nothing: nothing waits."""

    def wait(self, deadline: float) -> None:
        """Do nothing, likewise."""

    def seconds_until_due(self) -> float | None:
        """Return None, likewise."""
        return None

    def after_fork(self) -> None:
        """Do nothing: the runtime sees to the buffer."""

    def close(self, deadline: float) -> None:
        """Do nothing, likewise."""
