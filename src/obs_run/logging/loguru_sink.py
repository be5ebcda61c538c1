"""A sink for loguru that records every message as telemetry, and a patcher that adds ids and the log context.

``logger.add(sink)`` and ``logger.configure(patcher=add_context)``. With ``enqueue=True`` the sink runs in a thread that
knows nothing of the caller, and so needs the patcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.capture import loguru_capture
from obs_run.logging.foreign_records import SPAN_ID, TRACE_ID, captured, ids_and_fields, send
from obs_run.logging.levels import level_of

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    LoguruRecord = MutableMapping[str, Any]

__all__ = ["add_context", "sink"]

_HEX = 16
_SAMPLED = 1


def add_context(record: LoguruRecord) -> None:
    """Add ``trace_id``, ``span_id`` and the fields of the log context to ``extra``; what is there already stays."""
    extra = record["extra"]
    for name, value in guard.call("loguru", ids_and_fields, default={}).items():
        extra.setdefault(name, value)


def sink(message: Any) -> None:
    """Record one message of loguru."""
    guard.call("loguru", _record, message.record)


def _record(record: LoguruRecord) -> None:
    if captured() or loguru_capture.is_recording():
        return
    extra = dict(record["extra"])
    ids = extra.pop(TRACE_ID, None), extra.pop(SPAN_ID, None)
    error = record["exception"]
    level = record["level"]
    send(
        level_of(level.no),
        level.name,
        record["message"],
        extra,
        code=(record["file"].path, record["line"], record["function"]),
        scope=record["name"] or "loguru",
        error=None if error is None else error.value,
        trace=_trace(*ids),
        time_ns=int(record["time"].timestamp() * 1e9),
    )


def _trace(trace_id: Any, span_id: Any) -> tuple[int, int, int] | None:
    try:
        return int(trace_id, _HEX), int(span_id, _HEX), _SAMPLED
    except (TypeError, ValueError):
        return None
