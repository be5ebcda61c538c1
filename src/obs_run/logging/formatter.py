"""JSON lines for handlers of the logging module."""

from __future__ import annotations

import logging
from typing import Any

from obs_run import privacy
from obs_run.base import guard
from obs_run.base.plain_values import described
from obs_run.context import log_context, propagation
from obs_run.logging.entry import LogContext, StructuredLogEntry, line
from obs_run.logging.levels import level_of

# What every record has, as ``logging.LogRecord`` documents it.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_ENTRY = "structured_entry"


class LogFormatter(logging.Formatter):
    """Formats a record of the logging module as one line of JSON, or the record's own ``structured_entry``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Made now: what it has to say about its settings is a record that may come here.
        guard.call("privacy", privacy.scrubber)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; levels of other names than the usual ones are allowed."""
        own = getattr(record, _ENTRY, None)
        return line(own if isinstance(own, StructuredLogEntry) else entry_of(record))


def entry_of(record: logging.LogRecord) -> StructuredLogEntry:
    """Return a record of the logging module as an entry, with the context of its caller."""
    trace_id, span_id, _ = propagation.current_ids()
    data = _data(record)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    stack = [record.exc_text] if record.exc_text else []
    if error is not None and not stack:
        stack = [guard.call("traceback", logging.Formatter().formatException, record.exc_info, default="")]
    if record.stack_info:
        stack.append(record.stack_info)
    return StructuredLogEntry(
        timestamp=record.created,
        level=level_of(int(record.levelno)),
        message=message_of(record),
        context=LogContext.of({**dict.fromkeys(("version", "environment")), **log_context.all_fields()}),
        data=data,
        exception=None if error is None else described(error),
        stack_trace="\n".join(stack) or None,
        trace_id=f"{trace_id:032x}" if trace_id else None,
        span_id=f"{span_id:016x}" if span_id else None,
    )


def message_of(record: logging.LogRecord) -> str:
    """Return the record's text, as far as its arguments fit."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 (the agent's own formatting error, which logging reports itself)
        guard.pass_on_thrown_in(error)
        return guard.shown(record.msg)


def _data(record: logging.LogRecord) -> dict[str, Any]:
    data: dict[str, Any] = {
        "logger": record.name,
        "module": record.module,
        "function": record.funcName,
        "line": record.lineno,
        "thread": record.threadName,
        "process": record.process,
    }
    if record.levelname != logging.getLevelName(level_number(record.levelno)):
        data["level_name"] = record.levelname
    for name, value in record.__dict__.items():
        if name not in _STANDARD and name != _ENTRY and value is not None:
            data[str(name)] = value
    return data


def level_number(number: int) -> int:
    """Return the standard level that a number belongs to."""
    return max((each for each in (10, 20, 30, 40, 50) if each <= number), default=5)
