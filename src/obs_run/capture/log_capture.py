"""Every record of the logging module, from whatever logger, on its way into the queue.

No handler is added: a handler on the root logger misses loggers that do not propagate, and makes
``logging.basicConfig`` do nothing. The one place that every record passes is ``Logger.callHandlers``.
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard, passive_values, stand_in
from obs_run.base.payload import error_name
from obs_run.context import log_context, propagation
from obs_run.core import log_records, semconv, sink
from obs_run.process import unpatched

if TYPE_CHECKING:
    from logging import Logger, LogRecord
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
# What ``log_correlation`` adds.
_CORRELATION = frozenset(["otelServiceName", "otelSpanID", "otelTraceID", "otelTraceSampled"])
# What structlog adds to an event, and the record has already.
_STRUCTLOG = frozenset(["_record", "_from_structlog", "event", "level", "logger", "timestamp"])
_SEVERITIES = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5))


def install(logging: ModuleType) -> None:
    """Record what loggers handle from now on; what the agent's own handlers do stays as it is."""
    correlates = settings.get("OTEL_PYTHON_LOG_CORRELATION")
    if not (_is_wanted() or correlates) or stand_in.is_stand_in(logging.Logger.callHandlers):
        return
    original = logging.Logger.callHandlers
    begin = _begin_correlated if correlates else _begin
    observed = stand_in.observed(original, begin)
    # Not a function around the original: handlers look for the caller in the stack, as loguru's documents have them do.
    logging.Logger.callHandlers = stand_in.MethodStandIn(original, lambda: observed)


def _begin(_logger: Logger, record: LogRecord) -> stand_in.End:
    def end(_has_returned: bool) -> None:  # noqa: FBT001 (see stand_in.End)
        _handling.depth -= 1
        guard.call("log record", _capture, record)

    _handling.depth += 1
    return end


def _begin_correlated(logger: Logger, record: LogRecord) -> stand_in.End | None:
    from obs_run.capture import log_correlation

    guard.call("log correlation", log_correlation.add, record)
    return _begin(logger, record) if _is_wanted() else None


def _is_wanted() -> bool:
    # With a configuration file its providers have the say, and its own handler may be on.
    return bool(settings.get("OBS_LOGS") and not settings.get("OTEL_CONFIG_FILE"))


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
            time_ns=unpatched.time.time_ns() if unpatched.is_clock_moved() else int(record.created * 1e9),
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
        return str(passive_values.attribute(told.get("event", "")))
    if passive_values.is_structure(record.msg) and not record.args:
        return str(passive_values.attribute(record.msg))
    # The arguments may change after the call, so the text is made now.
    arguments = record.args
    values = tuple(arguments.values()) if type(arguments) is dict else arguments or ()
    is_passive = type(values) is tuple and passive_values.is_passive((record.msg, *values))
    # What runs code of the agent is made a text by its handlers, or by nobody.
    formatted = record.__dict__.get("message")
    if not is_passive:
        return formatted if isinstance(formatted, str) and formatted else passive_values.message(record.msg, arguments)
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 (the agent's own formatting error, which logging reports itself)
        guard.pass_on_thrown_in(error)
        return guard.shown(record.msg)


def _attributes(record: LogRecord) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        semconv.CODE_FILE_PATH: record.pathname,
        semconv.CODE_LINE_NUMBER: record.lineno,
        semconv.CODE_FUNCTION_NAME: record.funcName,
        semconv.THREAD_NAME: record.threadName,
    }
    for key, value in log_context.all_fields().items():
        attributes[key] = passive_values.attribute(value)
    told = _structlog(record)
    extras, known = (record.__dict__, _STANDARD) if told is None else (told, _STRUCTLOG)
    for key, value in extras.items():
        if key not in known and key not in _CORRELATION and value is not None:
            attributes[str(key)] = passive_values.attribute(value)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, BaseException):  # the agent may write anything there
        attributes[semconv.EXCEPTION_TYPE] = error_name(error)
        attributes[semconv.EXCEPTION_MESSAGE] = guard.shown(error)
        stack = traceback.format_exception(type(error), error, error.__traceback__)
        attributes[semconv.EXCEPTION_STACKTRACE] = "".join(stack)
    return {key: value for key, value in attributes.items() if value is not None}


def _structlog(record: LogRecord) -> dict[str, Any] | None:
    """Return the event of a record that structlog leaves to its own formatter to render."""
    told = record.msg
    return told if type(told) is dict and "_logger" in record.__dict__ else None


def is_installed() -> bool:
    """Whether log records are being captured in this process."""
    logging = sys.modules.get("logging")
    return logging is not None and stand_in.is_stand_in(logging.Logger.callHandlers) and _is_wanted()
