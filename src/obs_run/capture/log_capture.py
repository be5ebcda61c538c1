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
from obs_run.base import guard, method_stand_ins, observed_calls, passive_values, stand_in
from obs_run.base.payload import error_name
from obs_run.capture import handed_on
from obs_run.context import log_context, propagation
from obs_run.core import log_records, semconv, sink
from obs_run.process import unpatched

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger, LogRecord
    from types import FrameType, ModuleType

    Observer = Callable[[LogRecord, FrameType], Callable[[], object] | None]

RECORD_FIELDS = frozenset((
    "args", "asctime", "created", "exc_info", "exc_text", "filename", "funcName", "levelname", "levelno", "lineno",
    "message", "module", "msecs", "msg", "name", "pathname", "process", "processName", "relativeCreated", "stack_info",
    "taskName", "thread", "threadName",
))  # fmt: skip
"""What every record has, as ``logging.LogRecord`` documents it."""
# What ``log_correlation`` adds.
_CORRELATION = frozenset(["otelServiceName", "otelSpanID", "otelTraceID", "otelTraceSampled"])
# What structlog adds to an event, and the record has already.
_STRUCTLOG = frozenset(["_record", "_from_structlog", "event", "level", "logger", "timestamp"])
_SEVERITIES = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5))


_observers: list[Observer] = []


def observe(observer: Observer) -> None:
    """Have ``observer`` called with each record before it is handled; what it gives is called when that is done."""
    _observers.append(observer)


def install(logging: ModuleType) -> None:
    """Record what loggers handle from now on; what the agent's own handlers do stays as it is."""
    correlates = settings.get("OTEL_PYTHON_LOG_CORRELATION")
    if not (is_wanted() or correlates or _observers) or stand_in.is_stand_in(logging.Logger.callHandlers):
        return
    original = logging.Logger.callHandlers
    begin = _begin_correlated if correlates else _begin if is_wanted() else _begin_passing
    if _observers:
        begin = _observing(begin)
    observed = observed_calls.observed(original, begin)
    # Not a function around the original: handlers look for the caller in the stack, as loguru's documents have them do.
    logging.Logger.callHandlers = method_stand_ins.MethodStandIn(original, lambda: observed)


def _begin(_logger: Logger, record: LogRecord) -> observed_calls.End:
    def end(_has_returned: bool) -> None:  # noqa: FBT001 (see observed_calls.End)
        _handling.depth -= 1
        if not handed_on.is_one(record):
            guard.call("log record", _capture, record)

    _handling.depth += 1
    return end


def _begin_passing(_logger: Logger, _record: LogRecord) -> observed_calls.End:
    def end(_has_returned: bool) -> None:  # noqa: FBT001 (see observed_calls.End)
        _handling.passing -= 1

    _handling.passing += 1
    return end


def _begin_correlated(logger: Logger, record: LogRecord) -> observed_calls.End | None:
    from obs_run.capture import log_correlation

    guard.call("log correlation", log_correlation.add, record)
    return _begin(logger, record) if is_wanted() else _begin_passing(logger, record)


def _observing(
    begin: Callable[[Logger, LogRecord], observed_calls.End | None],
) -> Callable[..., observed_calls.End | None]:
    def observed(logger: Logger, record: LogRecord) -> observed_calls.End | None:
        if handed_on.is_one(record):
            return begin(logger, record)
        ends = [guard.call("log observer", observer, record, sys._getframe(1)) for observer in _observers]  # noqa: SLF001
        end = begin(logger, record)
        if not any(ends):
            return end

        def end_all(has_returned: bool) -> None:  # noqa: FBT001 (see observed_calls.End)
            if end is not None:
                end(has_returned)
            for each in ends:
                if each is not None:
                    guard.call("log observer", each)

        return end_all

    return observed


def is_wanted() -> bool:
    """Whether what is logged is to be recorded."""
    # With a configuration file its providers have the say, and its own handler may be on.
    return bool(settings.get("OBS_LOGS") and not settings.get("OTEL_CONFIG_FILE"))


class _Handling(threading.local):
    depth = 0
    passing = 0


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
            severity=severity(record.levelno),
            severity_text=log_records.severity_text(record.levelname),
            body=read_message(record),
            attributes=_attributes(record),
            trace=propagation.current_ids(),
            scope=record.name,
        )
    )


def is_passing() -> bool:
    """Whether a logging handler is at work, on a record that is looked at, be it captured or not."""
    return _handling.depth > 0 or _handling.passing > 0


def severity(level: int) -> int:
    """Return OpenTelemetry's number for one of the logging module."""
    return next((number for least, number in _SEVERITIES if level >= least), 1)


def read_message(record: LogRecord) -> str:
    """Return the text of a record, without running code of the agent."""
    event_dict = _structlog(record)
    if event_dict is not None:
        return str(passive_values.attribute(event_dict.get("event", "")))
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
    attributes = place_and_context(record.pathname, record.lineno, record.funcName, record.threadName)
    event_dict = _structlog(record)
    extras, known = (record.__dict__, RECORD_FIELDS) if event_dict is None else (event_dict, _STRUCTLOG)
    # Most lines have none of their own, and each passes here.
    if extras.keys() - known:
        for key, value in extras.items():
            if key not in known and key not in _CORRELATION and value is not None:
                attributes[str(key)] = passive_values.attribute(value)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is not None:
        attributes.update(exception_attributes(error))
    if None in attributes.values():
        return {key: value for key, value in attributes.items() if value is not None}
    return attributes


def place_and_context(path: str, line: int, function: str | None, thread: str | None) -> dict[str, Any]:
    """Return where a line comes from, and the fields of the log context."""
    attributes: dict[str, Any] = {
        semconv.CODE_FILE_PATH: path,
        semconv.CODE_LINE_NUMBER: line,
        semconv.CODE_FUNCTION_NAME: function,
        semconv.THREAD_NAME: thread,
    }
    for key, value in log_context.all_fields().items():
        attributes[key] = passive_values.attribute(value)
    return attributes


def exception_attributes(error: object) -> dict[str, Any]:
    """Return what is told of the exception of a line; where the agent gave anything else, nothing."""
    if not isinstance(error, BaseException):
        return {}
    stack = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        semconv.EXCEPTION_TYPE: error_name(error),
        semconv.EXCEPTION_MESSAGE: guard.shown(error),
        semconv.EXCEPTION_STACKTRACE: "".join(stack),
    }


def _structlog(record: LogRecord) -> dict[str, Any] | None:
    """Return the event of a record that structlog leaves to its own formatter to render."""
    event_dict = record.msg
    return event_dict if type(event_dict) is dict and "_logger" in record.__dict__ else None


def is_installed() -> bool:
    """Whether log records are being captured in this process."""
    return is_capturing() and is_wanted()


def is_capturing() -> bool:
    """Whether log records are looked at in this process."""
    logging = sys.modules.get("logging")
    return logging is not None and stand_in.is_stand_in(logging.Logger.callHandlers)
