"""Every record of the logging module, from whatever logger, on its way into the queue.

No handler is added: a handler on the root logger misses loggers that do not propagate, and makes
``logging.basicConfig`` do nothing. The one place that every record passes is ``Logger.callHandlers``.
"""

from __future__ import annotations

import sys
import threading
import traceback
from functools import wraps
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.context import log_context, propagation
from obs_run.core import log_records, semconv, sink

if TYPE_CHECKING:
    from logging import LogRecord
    from types import ModuleType

_STANDARD = frozenset(  # what every record has, as ``logging.LogRecord`` documents it
    [
        "args",
        "asctime",
        "created",
        "exc_info",
        "exc_text",
        "filename",
        "funcName",
        "levelname",
        "levelno",
        "lineno",
        "message",
        "module",
        "msecs",
        "msg",
        "name",
        "pathname",
        "process",
        "processName",
        "relativeCreated",
        "stack_info",
        "taskName",
        "thread",
        "threadName",
    ]
)
# What structlog adds to an event, and the record has already.
_STRUCTLOG = frozenset(["_record", "_from_structlog", "event", "level", "logger", "timestamp"])
_INT64 = 2**63
_SEVERITIES = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5))
_STRUCTURES = (dict, list, tuple, set, frozenset)


def install(logging: ModuleType) -> None:
    """Record what loggers handle from now on; what the agent's own handlers do stays as it is."""
    # With a configuration file its providers have the say, and its own handler may be on.
    if not settings.get("OBS_LOGS") or settings.get("OTEL_CONFIG_FILE") or is_installed():
        return
    original = logging.Logger.callHandlers

    @wraps(original)
    def call_handlers(self: Any, record: LogRecord) -> None:
        _handling.depth += 1
        try:
            original(self, record)
        finally:
            _handling.depth -= 1
            guard.call("log record", _capture, record)

    logging.Logger.callHandlers = call_handlers


class _Handling(threading.local):
    depth = 0


_handling = _Handling()


def is_handling() -> bool:
    """Whether a logging handler is at work: the record that it gives to the logs API is captured here already."""
    return _handling.depth > 0


def _capture(record: LogRecord) -> None:
    if not log_records.is_wanted():
        return
    log_records.log(
        sink.LogRecord(
            time_ns=int(record.created * 1e9),
            severity=next((number for level, number in _SEVERITIES if record.levelno >= level), 1),
            severity_text=log_records.severity_text(record.levelname),
            body=_message(record),
            attributes=_attributes(record),
            trace=propagation.current_ids(),
            scope=record.name,
        )
    )


def _message(record: LogRecord) -> str:
    told = _structlog(record)
    if told is not None:
        return _as_text(told.get("event", ""))
    if isinstance(record.msg, _STRUCTURES) and not record.args:
        return _as_text(record.msg)
    # The arguments may change after the call, so the text is made now; the agent's handlers made it already.
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 (the agent's own formatting error, which logging reports itself)
        return guard.shown(record.msg)


def _attributes(record: LogRecord) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        semconv.CODE_FILE_PATH: record.pathname,
        semconv.CODE_LINE_NUMBER: record.lineno,
        semconv.CODE_FUNCTION_NAME: record.funcName,
        semconv.THREAD_NAME: record.threadName,
    }
    for key, value in log_context.all_fields().items():
        attributes[key] = _plain(value)
    told = _structlog(record)
    extras, known = (record.__dict__, _STANDARD) if told is None else (told, _STRUCTLOG)
    for key, value in extras.items():
        if key not in known and value is not None:
            attributes[str(key)] = _plain(value)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, BaseException):  # the agent may write anything there
        attributes[semconv.EXCEPTION_TYPE] = error_name(error)
        attributes[semconv.EXCEPTION_MESSAGE] = guard.shown(error)
        stack = traceback.format_exception(type(error), error, error.__traceback__)
        attributes[semconv.EXCEPTION_STACKTRACE] = "".join(stack)
    return {key: value for key, value in attributes.items() if value is not None}


def _plain(value: Any) -> Any:
    plain = isinstance(value, (str, float)) or (isinstance(value, int) and -_INT64 <= value < _INT64)
    return value if plain else _as_text(value)


def _as_text(value: Any) -> str:
    """Return structured values as JSON, as our own logger does, and anything else as its text."""
    if not isinstance(value, _STRUCTURES):
        return guard.shown(value)
    # Most agents log texts and numbers alone.
    from obs_run.base.json_text import to_json
    from obs_run.base.plain_values import Snapshot

    return to_json(Snapshot().value(value))


def _structlog(record: LogRecord) -> dict[str, Any] | None:
    """Return the event of a record that structlog leaves to its own formatter to render."""
    told = record.msg
    return told if type(told) is dict and "_logger" in record.__dict__ else None


def is_installed() -> bool:
    """Whether log records are being captured in this process."""
    logging = sys.modules.get("logging")
    return logging is not None and hasattr(logging.Logger.callHandlers, "__wrapped__")
