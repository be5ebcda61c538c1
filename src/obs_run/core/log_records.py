"""The one way of a log record into the sink, whoever made it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv, sink
from obs_run.core.sink import LogRecord
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from obs_run.core.sink import ErrorRecord

_WARN = 13
_SEVERITY_TEXTS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def severity_text(level_name: str) -> str:
    """Return OpenTelemetry's word for one of Python's levels; names that the agent gave stay."""
    return _SEVERITY_TEXTS.get(level_name, level_name)


def log(record: LogRecord) -> None:
    """Hand a record over; what the export thread itself logs is not recorded."""
    to = sink.current()
    if to is not None and not to.is_exporting():
        to.log(record)


def is_wanted() -> bool:
    """Whether anybody takes records that are made now, here; to make one costs time."""
    to = sink.current()
    return to is not None and not to.is_exporting() and not _muted.depth


class _Muted(threading.local):
    depth = 0


_muted = _Muted()


class Muted:
    """A block in which what this thread logs is not recorded."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Record nothing from here on."""
        _muted.depth += 1

    def __exit__(self, *_: object) -> None:
        """Record again."""
        _muted.depth -= 1


def log_exception(error: ErrorRecord, span: SpanContext) -> None:
    """Hand over the convention's event of an exception that ended an operation."""
    attributes: dict[str, Any] = {semconv.EXCEPTION_TYPE: error.exception_type}
    if error.message:
        attributes[semconv.EXCEPTION_MESSAGE] = error.message
    attributes[semconv.EXCEPTION_STACKTRACE] = error.stack
    log(
        LogRecord(
            time_ns=time.time_ns(),
            severity=_WARN,
            severity_text="WARN",
            body=None,
            attributes=attributes,
            trace=(span.trace_id, span.span_id, int(span.trace_flags)),
            scope="obs_run",
            event_name=semconv.EVENT_EXCEPTION,
        )
    )
