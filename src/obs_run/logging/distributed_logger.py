"""The logger: each call is recorded at once, as telemetry and by the handlers, whether it is awaited or not."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from obs_run import privacy, settings
from obs_run.base import guard
from obs_run.base.noop_awaitable import NOOP_AWAITABLE, NoopAwaitable
from obs_run.base.plain_values import Snapshot
from obs_run.capture import foreign_lines
from obs_run.context import log_context, propagation
from obs_run.logging import security
from obs_run.logging.console import ConsoleLogHandler
from obs_run.logging.entry import LogContext
from obs_run.logging.handlers import direct, file_by_settings
from obs_run.logging.levels import LogCategory, LogLevel, category_of, level_of, number_of
from obs_run.logging.log_contexts import LogContextScope
from obs_run.logging.record import Record, exported
from obs_run.process import fork
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from obs_run.logging.entry import StructuredLogEntry
    from obs_run.logging.handlers import Write
    from obs_run.logging.record import Code

_NESTED = 2  # handlers that log are heard, but not for ever


class DistributedLogger:
    """Records for telemetry and for handlers; ``name`` is the scope of the records."""

    def __init__(self, name: str = "distributed_logger") -> None:
        self.name = name
        self._targets: tuple[_Target, ...] = ()
        self._lowest = level_of(settings.get("OBS_LOG_LEVEL")).severity.number
        self._counts = _Counts()
        self._nested = _Nested()
        self._default: LogContext | None = None
        self._defaults: dict[str, Any] = {}
        self._default_fields: dict[str, Any] = {}

    def add_handler(self, handler: Any) -> None:
        """Give records to ``handler``, a ``LogHandler``, from now on."""
        # Made now: the first record may be a signal handler's, amid the making.
        guard.call("privacy", privacy.scrubber)
        self._targets = (*self._targets, _target(handler))

    def remove_handler(self, handler_name: str) -> None:
        """Give no more records to the handlers of that name."""
        self._targets = tuple(each for each in self._targets if _name(each.handler) != handler_name)

    @property
    def handlers(self) -> list[Any]:
        """The handlers, in the order they were added."""
        return [target.handler for target in self._targets]

    def set_default_context(self, context: LogContext | None = None, **fields: Any) -> None:
        """Set the fields of records that have no others: a ``LogContext``, single fields, or both."""
        default = LogContext() if context is None else LogContext.of(context.to_dict())
        default.__dict__.update(fields)
        self._default = default
        self._default_fields = {**({} if context is None else context.own_fields()), **fields}
        self._defaults = Snapshot().fields(LogContext.to_dict(default))

    def context(self, /, **fields: Any) -> LogContextScope:
        """Return a context manager, ``with`` or ``async with``, in which ``fields`` belong to every record.

        It yields the ``LogContext`` that holds inside, and decorates functions. Fields that are None change nothing.
        """
        return LogContextScope(self._current, fields)

    def async_context(self, /, **fields: Any) -> LogContextScope:
        """Return what ``context`` returns."""
        return LogContextScope(self._current, fields)

    def log(
        self,
        /,
        level: LogLevel | str | int,
        message: object = "",
        category: LogCategory | str = LogCategory.SYSTEM,
        data: Any = None,
        exception: Any = None,
        performance_metrics: Any = None,
        tags: Sequence[Any] | None = None,
        **context_overrides: Any,
    ) -> NoopAwaitable:
        """Record ``message``; whatever else is named belongs to the record's context. May be awaited."""
        return self.record(
            level,
            sys._getframe().f_back,  # noqa: SLF001 (as the logging module finds its caller)
            message,
            category=category,
            data=data,
            exception=exception,
            performance_metrics=performance_metrics,
            tags=tags,
            **context_overrides,
        )

    def trace(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level TRACE; takes what ``log`` takes."""
        return self.record(LogLevel.TRACE, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def debug(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level DEBUG; takes what ``log`` takes."""
        return self.record(LogLevel.DEBUG, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def info(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level INFO; takes what ``log`` takes."""
        return self.record(LogLevel.INFO, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def warning(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level WARNING; takes what ``log`` takes."""
        return self.record(LogLevel.WARNING, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def error(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level ERROR; takes what ``log`` takes."""
        return self.record(LogLevel.ERROR, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def critical(self, /, message: object = "", **more: Any) -> NoopAwaitable:
        """Record at level CRITICAL; takes what ``log`` takes."""
        return self.record(LogLevel.CRITICAL, sys._getframe().f_back, message, **more)  # noqa: SLF001 (as in ``log``)

    def get_metrics(self) -> dict[str, Any]:
        """Return what was counted until now; later records do not change it."""
        return {
            **self._counts.taken(),
            "handlers": [_name(handler) for handler in self.handlers],
            "context_stack_depth": log_context.depth(),
        }

    def record(self, level: Any, at: FrameType | Code | None, message: object, /, **more: Any) -> NoopAwaitable:
        """Record as ``log`` does, as called ``at`` a frame or a place (file, line, function); None is nowhere."""
        try:
            level = level_of(level)
            if level.severity.number < self._lowest:
                return NOOP_AWAITABLE
            finish = None
            if isinstance(at, tuple):
                code = at
            else:
                code = _code_of(at)
                finish = guard.call("log observer", _begin_reading, at, level, self.name, message, more)
            record = guard.call("log record", self._make_record, level, code, message, **more)
            if record is None:
                record = Record(time.time_ns(), level, LogCategory.SYSTEM, (0, 0, 0), code)
                record.message = guard.call("log record", Snapshot().text, message, default="[not to be shown]")
            self._counts.add(record)
            if exported():
                guard.call("log record", record.send, self.name)
            if finish is not None:
                guard.call("log observer", finish)
            if not self._targets:
                return NOOP_AWAITABLE
            return guard.call("log handlers", self._handle, record, default=NOOP_AWAITABLE)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("log record", error)
            return NOOP_AWAITABLE

    def _make_record(
        self,
        level: LogLevel,
        code: Code,
        message: object,
        /,
        category: Any = LogCategory.SYSTEM,
        data: Any = None,
        exception: Any = None,
        performance_metrics: Any = None,
        tags: Any = None,
        **context: Any,
    ) -> Record:
        record = Record(time.time_ns(), level, category_of(category), propagation.current_ids(), code)
        snapshot = Snapshot()
        record.message = snapshot.text(message)
        fields = {**self._default_fields, **log_context.all_fields()}
        if context:
            fields.update((name, value) for name, value in context.items() if value is not None)
        if fields:
            record.context = snapshot.fields(fields)
        if data is not None:
            record.data = snapshot.fields(data)
        if performance_metrics is not None:
            record.performance_metrics = snapshot.fields(performance_metrics)
        if tags is not None:
            record.tags = snapshot.texts(tags)
        if exception is True:
            exception = sys.exc_info()[1]
        if exception is not None and exception is not False:
            record.take_error(exception, snapshot)
        if record.category is LogCategory.SECURITY:
            guard.call("audit trail", security.append, record)
        return record

    def _handle(self, record: Record) -> NoopAwaitable:
        nested = self._nested
        nested.depth += 1
        try:
            return self._pass_to_handlers(record, is_nested=nested.depth > _NESTED)
        finally:
            nested.depth -= 1

    def _pass_to_handlers(self, record: Record, *, is_nested: bool) -> NoopAwaitable:
        """Pass the record to the handlers; amid several others of the same thread not to those that may log."""
        entry: StructuredLogEntry | None = None
        awaited = []
        for target in self._targets:
            handler, write = target.handler, target.write
            if not getattr(handler, "enabled", True) or (is_nested and not target.silent):
                continue
            if target.takes is not None and not target.takes(record.level):
                continue
            if entry is None:
                entry = record.scrubbed().entry(self._all_defaults(), self.name)
            if write is None:
                awaited.append(handler)
            elif guard.call(target.site, write, entry, default=False) is False:
                self._counts.add_failed()
        return NOOP_AWAITABLE if entry is None else self._hand_over(entry, awaited)

    def _hand_over(self, entry: StructuredLogEntry, handlers: list[Any]) -> NoopAwaitable:
        """Have handlers that are coroutines take the entry; what is returned may be waited for."""
        if not handlers:
            return NOOP_AWAITABLE
        from obs_run.logging import async_handlers

        if async_handlers.handling():
            return NOOP_AWAITABLE
        work = [async_handlers.Work(handler, entry, self._counts.add_failed) for handler in handlers]
        tasks = [task for task in (async_handlers.hand_over(each) for each in work) if task is not None]
        return async_handlers.Waiting(tasks) if tasks else NOOP_AWAITABLE

    def _all_defaults(self) -> dict[str, Any]:
        if self._default is None:
            # Only now: its made-up id is for records, and costs something.
            self._default = LogContext()
            self._defaults = self._default.to_dict()
        return self._defaults

    def _current(self) -> LogContext:
        return LogContext.of({**self._all_defaults(), **log_context.all_fields()})


def _begin_reading(
    frame: FrameType | None, level: LogLevel, name: str, message: object, more: Mapping[str, Any]
) -> Callable[[], object] | None:
    """Have a line read for what it tells; return what is to be called when it has been recorded."""
    if not isinstance(message, str):
        return None
    data = more.get("data")
    given = {**more, **data} if isinstance(data, dict) else more
    fields = {**log_context.all_fields(), **given}
    place = _code_of(frame)
    line = foreign_lines.Line(number_of(level), level.severity.text, message, fields, place, name)
    return foreign_lines.begin(line, frame)


def _code_of(frame: FrameType | None) -> Code:
    # Called by the interpreter itself, as atexit's functions are, there is no caller.
    return ("", 0, "") if frame is None else (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


class _Target(NamedTuple):
    """A handler, and what is asked of it for each record."""

    handler: Any
    write: Write | None
    takes: Callable[[LogLevel], bool] | None
    site: str
    silent: bool
    """Whether it is one of ours, which do not log."""


def _name(handler: Any) -> str:
    return guard.shown(getattr(handler, "name", None) or type(handler).__name__)


def _target(handler: Any) -> _Target:
    silent = type(handler).__module__.partition(".")[0] == "obs_run"
    takes = getattr(handler, "takes", None)
    return _Target(handler, direct(handler), takes, f"log handler {_name(handler)}", silent)


class _Nested(threading.local):
    depth = 0


class _Counts:
    """How many records there were; reentrant, because a signal handler may log amid another record."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._levels = [0] * len(LogLevel)
        self._categories = [0] * len(LogCategory)
        self._failed = 0
        _all_counts.add(self)

    def add(self, record: Record) -> None:
        with self._lock:
            self._levels[record.level.severity.place] += 1
            self._categories[record.category.index] += 1

    def add_failed(self) -> None:
        with self._lock:
            self._failed += 1

    def taken(self) -> dict[str, Any]:
        with self._lock:
            return {
                "total_logs": sum(self._levels),
                "logs_by_level": dict(zip(LogLevel, self._levels, strict=True)),
                "logs_by_category": dict(zip(LogCategory, self._categories, strict=True)),
                "failed_logs": self._failed,
            }

    def after_fork(self) -> None:
        # Another thread of the parent may have held it.
        self._lock = threading.RLock()


_all_counts: WeakSet[_Counts] = WeakSet()


def _after_fork_in_child() -> None:
    for counts in tuple(_all_counts):
        counts.after_fork()


fork.register(fork.USER_API, "log counts", in_child=_after_fork_in_child)


_first: dict[str, DistributedLogger] = {}


def get_distributed_logger() -> DistributedLogger:
    """Return the process's logger, with the default handlers from the first call on."""
    logger = _first.get("")
    if logger is None:
        logger = DistributedLogger()
        setup_default_handlers(logger)
        # Two threads may ask at once and must get the same; a lock would be one more that a fork can break.
        logger = _first.setdefault("", logger)
    return logger


def setup_default_handlers(logger: DistributedLogger) -> None:
    """Add the handlers that the settings OBS_LOG_* name: console, ``application.log``, and ``errors.log`` from ERROR.

    Nothing is opened before the first record.
    """
    if settings.get("OBS_LOG_CONSOLE") != "none":
        logger.add_handler(ConsoleLogHandler("console"))
    for name, file_name, level in (
        ("application", "application.log", None),
        ("errors", "errors.log", LogLevel.ERROR),
    ):
        handler = file_by_settings(name, file_name, level)
        if handler is not None:
            logger.add_handler(handler)
