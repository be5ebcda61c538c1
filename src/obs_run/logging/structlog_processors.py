"""Processors for structlog: ids and log context in every event, and every event recorded as telemetry.

``structlog.configure(processors=[add_context, record_event, ...])``, before the one that renders. ``record_event`` is
for loggers that print or write themselves; what goes on to the logging module is recorded there, and only there.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.capture import log_capture, structlog_capture
from obs_run.logging.foreign_records import SPAN_ID, TRACE_ID, captured, ids_and_fields, send
from obs_run.logging.levels import LogLevel

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from obs_run.logging.record import Code

    Event = MutableMapping[str, Any]

__all__ = ["add_context", "record_event"]

_LEVELS = {
    "notset": LogLevel.TRACE,
    "trace": LogLevel.TRACE,
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "msg": LogLevel.INFO,
    "log": LogLevel.INFO,
    "warn": LogLevel.WARNING,
    "warning": LogLevel.WARNING,
    "error": LogLevel.ERROR,
    "err": LogLevel.ERROR,
    "exception": LogLevel.ERROR,
    "failure": LogLevel.ERROR,
    "fatal": LogLevel.CRITICAL,
    "critical": LogLevel.CRITICAL,
}
_OWN = frozenset(["event", "level", "timestamp", "logger", "exc_info", "_record", "_from_structlog", TRACE_ID, SPAN_ID])
_NOT_THE_AGENTS = frozenset(["structlog", "obs_run"])


def add_context(logger: Any, method_name: str, event_dict: Event) -> Event:  # noqa: ARG001 (a processor's arguments)
    """Add ``trace_id``, ``span_id`` and the fields of the log context; what the event has itself stays."""
    for name, value in guard.call("structlog", ids_and_fields, default={}).items():
        event_dict.setdefault(name, value)
    return event_dict


def record_event(logger: Any, method_name: str, event_dict: Event) -> Event:
    """Record the event as telemetry, and return it as it is."""
    guard.call("structlog", _record, logger, method_name, event_dict)
    return event_dict


def _record(logger: Any, method_name: str, event: Event) -> None:
    if captured() or structlog_capture.is_recording() or (_is_stdlib(logger) and _stdlib_is_captured()):
        return
    name = event.get("level", method_name)
    level = _LEVELS.get(name.lower() if isinstance(name, str) else "", LogLevel.INFO)
    send(
        level,
        level.severity.text,
        event.get("event", ""),
        {name: value for name, value in event.items() if name not in _OWN},
        code=_caller(),
        scope=str(event.get("logger") or getattr(logger, "name", None) or "structlog"),
        error=_error(event.get("exc_info")),
    )


def _is_stdlib(logger: Any) -> bool:
    return isinstance(logger, (logging.Logger, logging.LoggerAdapter))


def _stdlib_is_captured() -> bool:
    return log_capture.is_installed()


def _error(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) > 1 else None
    return sys.exc_info()[1] if exc_info else None


def _caller() -> Code:
    frame = sys._getframe(1)  # noqa: SLF001 (as the logging module finds its caller)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _NOT_THE_AGENTS:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
