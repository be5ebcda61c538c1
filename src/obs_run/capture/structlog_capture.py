"""Every event of structlog that gets as far as its last processor: a log record, read for what it tells."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, method_stand_ins, stand_in
from obs_run.capture import foreign_lines, log_capture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, ModuleType

_LEVELS = {
    "notset": 5, "trace": 5, "debug": 10, "info": 20, "msg": 20, "log": 20, "warn": 30, "warning": 30, "error": 40,
    "err": 40, "exception": 40, "failure": 40, "fatal": 50, "critical": 50,
}  # fmt: skip
_NAMES = {5: "TRACE", 10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_INFO = 20
_OWN = frozenset(
    [
        "_from_structlog",
        "_record",
        "event",
        "exc_info",
        "exception",
        "level",
        "logger",
        "span_id",
        "stack_info",
        "timestamp",
        "trace_id",
    ]
)
_NOTHING = "_anop"
_NOT_THE_AGENTS = frozenset(["structlog", "obs_run"])
_installed: list[bool] = []


def install(base: ModuleType) -> None:
    """Have events taken as they are processed; called when structlog's module of bound loggers is imported."""
    if not foreign_lines.are_wanted() or stand_in.is_stand_in(base.BoundLoggerBase._process_event):  # noqa: SLF001 (it says that custom wrappers may use it)
        return
    _installed.append(True)
    base.BoundLoggerBase._process_event = _ProcessEvent(base.BoundLoggerBase._process_event, lambda: None)  # type: ignore[arg-type,return-value]  # noqa: SLF001 (as above)


def install_awaited(native: ModuleType) -> None:
    """Have lines of methods that are awaited read as they are called: the rest of it happens in another thread."""
    for kind in set(native.LEVEL_TO_FILTERING_LOGGER.values()):
        _observe_awaited(kind)


def install_awaited_of_stdlib(stdlib: ModuleType) -> None:
    """Do the same for the logger that is made for the logging module."""
    _observe_awaited(stdlib.BoundLogger)


def _observe_awaited(kind: type) -> None:
    if not foreign_lines.is_read():
        return
    for name, method in list(vars(kind).items()):
        level = _LEVELS.get(name[1:]) if name[:1] == "a" else None
        # Those of levels that are left out do nothing.
        if level is not None and not stand_in.is_stand_in(method) and method.__name__ != _NOTHING:
            setattr(kind, name, _awaited(method, level))


def _awaited(method: Any, level: int) -> method_stand_ins.MethodStandIn:
    def call(bound: Any, *args: Any, **fields: Any) -> Any:
        guard.call("structlog", _read, bound, level, args, fields, sys._getframe(1))  # noqa: SLF001 (where the agent logs)
        return method(bound, *args, **fields)

    return method_stand_ins.MethodStandIn(method, lambda: call)


def _read(bound: Any, level: int, args: tuple[Any, ...], fields: dict[str, Any], frame: FrameType) -> None:
    logger = bound._logger  # noqa: SLF001 (custom wrappers may use it)
    if _ends_in_logging(logger) and not logger.isEnabledFor(level):
        return
    event = next((each for each in args if isinstance(each, str)), "")
    context = {**_context_fields(), **bound._context, **fields}  # noqa: SLF001 (as above)
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    line = foreign_lines.Line(level, _NAMES[level], event, context, place, str(_name_of(logger) or "structlog"))
    finish = foreign_lines.begin(line, frame)
    if finish is not None:
        guard.call("log observer", finish)


def _context_fields() -> Mapping[str, Any]:
    contextvars = sys.modules.get("structlog.contextvars")
    return {} if contextvars is None else contextvars.get_contextvars()


def is_recording() -> bool:
    """Whether events are recorded without a processor that the agent adds."""
    return bool(_installed) and log_capture.is_wanted()


class _ProcessEvent(stand_in.StandIn):
    """Takes the place of the method that runs the processors: with ours among them, and no frame around it."""

    __slots__ = ()

    @property
    def __call__(self) -> Any:
        """What is called on the class: the original."""
        return stand_in.original_of(self)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to what has one processor more at each end."""
        if instance is None:
            return self
        observed = guard.call("structlog", _Observed, instance, default=instance)
        return stand_in.original_of(self).__get__(observed, owner)


class _Observed:
    """A bound logger, with processors of ours that look at the event as it is given and as it is rendered."""

    __slots__ = ("_bound", "_context", "_error", "_event", "_logger", "_processors")

    def __init__(self, bound: Any) -> None:
        self._bound = bound
        self._context = bound._context  # noqa: SLF001 (what the method uses)
        self._logger = bound._logger  # noqa: SLF001 (as above)
        processors = tuple(bound._processors)  # noqa: SLF001 (as above)
        self._processors = (self._note_given, *processors[:-1], self._note_processed, *processors[-1:])
        self._error: BaseException | None = None
        self._event: Any = ""

    def __getattr__(self, name: str) -> Any:
        """Ask the logger for all else."""
        return getattr(self._bound, name)

    def _note_given(self, _logger: Any, _method_name: str, event: Any) -> Any:
        guard.call("structlog", self._note, event)
        return event

    def _note(self, event: Mapping[str, Any]) -> None:
        self._event, self._error = event.get("event", ""), _error(event.get("exc_info"))

    def _note_processed(self, logger: Any, method_name: str, event: Any) -> Any:
        if isinstance(event, dict):
            guard.call("structlog", self._take, logger, method_name, event)
        return event

    def _take(self, logger: Any, method_name: str, event: Mapping[str, Any]) -> None:
        if log_capture.is_passing():
            # A formatter at work on a record of the logging module.
            return
        frame, is_elsewhere = _caller()
        name = event.get("level", method_name)
        level = _LEVELS.get(name.lower() if isinstance(name, str) else "", _INFO)
        error = self._error or _error(event.get("exc_info"))
        line = foreign_lines.Line(
            level,
            _NAMES[level],
            event.get("event", self._event),
            {name: value for name, value in event.items() if name not in _OWN},
            ("", 0, "") if frame is None else (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name),
            str(event.get("logger") or _name_of(logger) or "structlog"),
            error,
        )
        if _ends_in_logging(logger):
            foreign_lines.tell_of_record(line)
        else:
            foreign_lines.take(line, None if is_elsewhere else frame)


def _error(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) > 1 else None
    return sys.exc_info()[1] if exc_info else None


def _name_of(logger: Any) -> object:
    """Return what a logger is called; one of the agent's is not asked."""
    is_known = type(logger).__module__.partition(".")[0] in ("logging", "structlog") and "name" in dir(type(logger))
    return logger.name if is_known else None


def _caller() -> tuple[FrameType | None, bool]:
    """Return the frame that logs, and whether it waits in another thread: of the methods that are awaited."""
    contextvars = sys.modules.get("structlog.contextvars")
    calling = getattr(contextvars, "_ASYNC_CALLING_STACK", None)
    frame = None if calling is None else calling.get(None)
    if frame is not None:
        return frame, True
    return foreign_lines.caller_outside(_NOT_THE_AGENTS), False


def _ends_in_logging(logger: Any) -> bool:
    logging = sys.modules.get("logging")
    if logging is None or not isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        return False
    return log_capture.is_capturing()
