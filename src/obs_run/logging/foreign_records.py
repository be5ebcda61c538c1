"""Records of other logging libraries on their way into the pipeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from obs_run.base.passive_snapshot import PassiveSnapshot
from obs_run.capture import log_capture
from obs_run.context import log_context, propagation
from obs_run.core import semconv
from obs_run.logging.levels import LogCategory, LogLevel
from obs_run.logging.record import Record, exported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.logging.record import Code

TRACE_ID, SPAN_ID = "trace_id", "span_id"


def ids_and_fields() -> dict[str, Any]:
    """Return what belongs to every record of now: the fields of the log context, trace id and span id as hex."""
    fields = dict(log_context.all_fields())
    trace_id, span_id, _ = propagation.current_ids()
    if trace_id:
        fields[TRACE_ID], fields[SPAN_ID] = f"{trace_id:032x}", f"{span_id:016x}"
    return fields


def captured() -> bool:
    """Whether a handler of the logging module is at work, whose record is captured already."""
    return log_capture.is_installed() and log_capture.is_handling()


class _ForeignRecord(Record):
    """A record without a category, which other libraries don't have."""

    __slots__ = ()

    def attributes(self) -> dict[str, Any]:
        attributes = super().attributes()
        del attributes[semconv.OBS_LOG_CATEGORY]
        return attributes


def send(
    level: LogLevel,
    level_name: str,
    message: Any,
    data: Mapping[str, Any],
    *,
    code: Code,
    scope: str,
    error: Any = None,
    trace: tuple[int, int, int] | None = None,
    time_ns: int | None = None,
) -> None:
    """Record a message of another library."""
    if not exported():
        return
    now = time.time_ns() if time_ns is None else time_ns
    record = _ForeignRecord(now, level, LogCategory.SYSTEM, propagation.current_ids() if trace is None else trace, code)
    record.level_name = level_name
    snapshot = PassiveSnapshot()
    record.message = snapshot.text(message)
    fields = log_context.all_fields()
    if fields:
        record.context = snapshot.fields(fields)
    # The record's own value counts; the fields are mostly in it, too.
    record.data = snapshot.fields(data)
    record.context = {name: value for name, value in record.context.items() if name not in record.data}
    if error is not None:
        record.take_error(error, snapshot)
    record.send(scope)
