"""Records made with the OpenTelemetry logs API, on their way into the sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs import LogRecordProcessor

from obs_run.base import guard, passive_values
from obs_run.capture import log_capture
from obs_run.core import log_records
from obs_run.core.sink import LogRecord, ResourceRecord, Scope
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.resources import Resource


_ALLOWED = (str, bool, int, float, bytes)


class ApiLogProcessor(LogRecordProcessor):
    """Hands each record over; ``flush(deadline)`` exports what waits."""

    def __init__(self, flush: Callable[[float], bool]) -> None:
        self._flush = flush

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Hand the record over."""
        guard.call("log record", self._take, log_record)

    def _take(self, emitted: ReadWriteLogRecord) -> None:
        # What a handler of the logging module gives to the logs API was captured there.
        if emitted.resource is None or log_capture.is_handling() or not log_records.is_wanted():
            return
        log_records.log(_plain(emitted))

    def shutdown(self) -> None:
        """Do nothing: the queue is flushed when the process leaves."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits."""
        return bool(guard.call("flush", self._flush, time.monotonic() + timeout_millis / 1000))


def _copy(value: Any, depth: int = 16) -> Any:
    """Return a copy of what the API allows as a body or attribute, which the agent may change afterwards."""
    if not depth:
        return value
    if hasattr(value, "items"):
        return {key: _copy(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item, depth - 1) for item in value]
    if value is None or isinstance(value, _ALLOWED):
        return value
    return passive_values.attribute(value)


def _plain(emitted: ReadWriteLogRecord) -> LogRecord:
    record, scope = emitted.log_record, emitted.instrumentation_scope
    now = time.time_ns()
    return LogRecord(
        time_ns=record.timestamp or record.observed_timestamp or now,
        observed_ns=record.observed_timestamp or now,
        severity=None if record.severity_number is None else record.severity_number.value,
        severity_text=record.severity_text,
        body=_copy(record.body),
        attributes=_copy(dict(record.attributes or {})),
        trace=(record.trace_id or 0, record.span_id or 0, int(record.trace_flags or 0)),
        scope="" if scope is None else Scope(scope.name, scope.version, scope.schema_url, _copy(scope.attributes)),
        event_name=record.event_name,
        resource=_foreign(emitted.resource),
    )


def _foreign(resource: Resource | None) -> ResourceRecord | None:
    if resource is None or resource.attributes.get("telemetry.distro.name") == "obs-run":
        # Ours, or the parent's where the process was forked.
        return None
    return ResourceRecord(dict(resource.attributes), resource.schema_url)
