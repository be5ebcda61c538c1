"""One record on its way: what is taken of a call, and how it becomes telemetry and an entry for handlers."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

from obs_run import privacy, settings
from obs_run.base import guard
from obs_run.base.json_text import to_json
from obs_run.base.payload import error_name
from obs_run.base.plain_values import Snapshot, described
from obs_run.core import log_records, semconv
from obs_run.core.sink import LogRecord
from obs_run.logging.entry import LogContext, StructuredLogEntry, attach_record, mark_safe, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.logging.levels import LogCategory, LogLevel

    Code = tuple[str, int, str]

_SCALARS = frozenset({str, int, float, bool})
_CLASH = "data."


class Record:
    """A record as plain values, taken at the call."""

    __slots__ = (
        "category",
        "code",
        "context",
        "data",
        "error",
        "exception",
        "level",
        "level_name",
        "message",
        "more",
        "performance_metrics",
        "stack_trace",
        "tags",
        "thread",
        "time_ns",
        "trace",
    )

    def __init__(
        self, time_ns: int, level: LogLevel, category: LogCategory, trace: tuple[int, int, int], code: Code
    ) -> None:
        self.time_ns = time_ns
        self.level = level
        self.level_name = level.severity.text
        self.category = category
        self.trace = trace
        self.code = code
        self.thread = threading.current_thread().name
        self.message = ""
        self.context: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.performance_metrics: dict[str, Any] = {}
        self.tags: list[str] = []
        self.error: tuple[str, str] | None = None
        self.exception: str | None = None
        self.stack_trace: str | None = None
        self.more: dict[str, Any] = {}
        """Attributes of our own, such as the record's place in the audit trail."""

    def take_error(self, error: Any, snapshot: Snapshot) -> None:
        """Take an exception, with its traceback where it has one; anything else is taken as its text."""
        if not issubclass(type(error), BaseException):
            self.exception = snapshot.text(error)
            self.error = type(error).__name__, self.exception
            return
        self.error = error_name(error), snapshot.text(guard.shown(error))
        self.exception = snapshot.text(described(error))
        if error.__traceback__ is not None or error.__cause__ is not None:
            stack = guard.call("traceback", traceback.format_exception, type(error), error, error.__traceback__)
            self.stack_trace = snapshot.text("".join(stack or ())) or None

    def attributes(self) -> dict[str, Any]:
        """Return what telemetry keeps beside the message: structured values as JSON, names that clash as data.*."""
        path, line, function = self.code
        attributes: dict[str, Any] = {semconv.OBS_LOG_CATEGORY: self.category.value, semconv.THREAD_NAME: self.thread}
        if path:
            attributes[semconv.CODE_FILE_PATH] = path
            attributes[semconv.CODE_LINE_NUMBER] = line
            attributes[semconv.CODE_FUNCTION_NAME] = function
        if self.tags:
            attributes[semconv.OBS_LOG_TAGS] = tuple(self.tags)
        for name, value in self.performance_metrics.items():
            _add(attributes, semconv.OBS_LOG_PERFORMANCE + name, value)
        if self.error is not None:
            attributes[semconv.EXCEPTION_TYPE], attributes[semconv.EXCEPTION_MESSAGE] = self.error
            if self.stack_trace:
                attributes[semconv.EXCEPTION_STACKTRACE] = self.stack_trace
        attributes.update(self.more)
        for name, value in self.context.items():
            _add(attributes, name, value)
        for name, value in self.data.items():
            _add(attributes, name if name not in attributes else _CLASH + name, value)
        return attributes

    def log_record(self, scope: str) -> LogRecord:
        """Return the record as the sink takes it, under the name of its logger."""
        return LogRecord(
            time_ns=self.time_ns,
            severity=self.level.severity.number,
            severity_text=log_records.severity_text(self.level_name),
            body=self.message,
            attributes=self.attributes(),
            trace=self.trace,
            scope=scope,
        )

    def send(self, scope: str) -> None:
        """Hand the record over; the pipeline scrubs it."""
        if not log_records.is_wanted():
            return
        # Providers of a configuration file take it at once, without the pipeline.
        record = self.scrubbed() if settings.get("OTEL_CONFIG_FILE") else self
        log_records.log(record.log_record(scope))

    def scrubbed(self) -> Record:
        """Return the record without what privacy takes out of it."""
        scrubber = privacy.scrubber()
        if not scrubber.active:
            return self
        values = {name: value for name in _SCRUBBED if (value := getattr(self, name))}
        safe = scrubber.value(None, values)
        if safe is values:
            return self
        copied = Record(self.time_ns, self.level, self.category, self.trace, self.code)
        copied.thread, copied.level_name, copied.more = self.thread, self.level_name, self.more
        for name in _SCRUBBED:
            setattr(copied, name, safe.get(name, getattr(self, name)))
        return copied

    def entry(self, defaults: Mapping[str, Any], scope: str) -> StructuredLogEntry:
        """Return the record for handlers; ``defaults`` are the fields of the logger's own context."""
        trace_id, span_id, _ = self.trace
        entry = StructuredLogEntry(
            self.time_ns / 1e9,
            self.level,
            self.category,
            self.message,
            LogContext.of({**defaults, **self.context}),
            self.data,
            self.exception,
            self.stack_trace,
            self.performance_metrics,
            self.tags,
            f"{trace_id:032x}" if trace_id else None,
            f"{span_id:016x}" if span_id else None,
        )
        attach_record(entry, self, scope)
        return mark_safe(entry)


_SCRUBBED = ("message", "context", "data", "performance_metrics", "tags", "error", "exception", "stack_trace")


def log_record_of(entry: StructuredLogEntry) -> LogRecord:
    """Return an entry as the sink takes it; one that somebody else made is scrubbed."""
    origin = record_of(entry)
    if origin is not None:
        record, scope = origin
        log_record: LogRecord = record.log_record(scope)
        return log_record
    taken = Snapshot()
    trace = int(entry.trace_id or "0", 16), int(entry.span_id or "0", 16), int(bool(entry.trace_id))
    record = Record(int(entry.timestamp * 1e9), entry.level, entry.category, trace, ("", 0, ""))
    record.message = taken.text(entry.message)
    record.context, record.data = taken.fields(LogContext.own_fields(entry.context)), taken.fields(entry.data)
    record.performance_metrics, record.tags = taken.fields(entry.performance_metrics), taken.texts(entry.tags)
    if entry.exception is not None:
        record.take_error(entry.exception, taken)
        record.stack_trace = taken.text(entry.stack_trace) if entry.stack_trace else record.stack_trace
    return record.scrubbed().log_record("obs_run.logging")


def _add(attributes: dict[str, Any], name: str, value: Any) -> None:
    if type(value) in _SCALARS:
        attributes[name] = value
    elif value is not None:
        attributes[name] = to_json(value)


def exported() -> bool:
    """Whether this process exports telemetry at all."""
    return not settings.get("OTEL_SDK_DISABLED")
