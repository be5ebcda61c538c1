"""Every message of loguru that a handler gets: a log record, read for what it tells, whatever handlers there are."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, method_stand_ins, observed_calls, stand_in
from obs_run.capture import foreign_lines, handed_on, log_capture
from obs_run.process import unpatched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, ModuleType

_IDS = frozenset(["trace_id", "span_id"])
_NOT_THE_AGENTS = frozenset(["loguru", "obs_run"])
_EXIT = "__exit__"
_FEW = 4


class _Latest(threading.local):
    times: tuple[Any, ...] = ()
    """Of the latest messages: each handler gets the same one, and nothing of it must be kept alive but this."""


_latest = _Latest()
_installed: list[bool] = []


def install(handlers: ModuleType) -> None:
    """Have messages taken as the first handler gets them; called when loguru's module of handlers is imported."""
    if not foreign_lines.are_wanted() or stand_in.is_stand_in(handlers.Handler.emit):
        return
    _installed.append(True)
    handlers.Handler.emit = _observed_method(handlers.Handler.emit, _begin_handler)


def install_sinks(sinks: ModuleType) -> None:
    """Note which records of the logging module come out of loguru; called when its module of sinks is imported."""
    if not foreign_lines.are_wanted():
        return
    for kind in (sinks.StandardSink, sinks.CallableSink):
        if not stand_in.is_stand_in(kind.write):
            kind.write = _observed_method(kind.write, _begin_sink)


def is_recording() -> bool:
    """Whether messages are recorded without a sink that the agent adds."""
    return bool(_installed) and log_capture.is_wanted()


def _observed_method(original: Any, begin: observed_calls.Begin) -> method_stand_ins.MethodStandIn:
    observed = observed_calls.observed(original, begin)
    return method_stand_ins.MethodStandIn(original, lambda: observed)


def _begin_handler(
    _handler: Any, record: Mapping[str, Any], _level_id: Any, from_decorator: Any, *_: object, **__: object
) -> None:
    # Of a record of the logging module, handed on to loguru, the record is captured.
    if log_capture.is_passing() or _is_known(record["time"]):
        return
    guard.call("loguru", _take, record, is_decorator=bool(from_decorator))


def _is_known(time: Any) -> bool:
    if any(time is each for each in _latest.times):
        return True
    _latest.times = (time, *_latest.times[: _FEW - 1])
    return False


def _take(record: Mapping[str, Any], *, is_decorator: bool) -> None:
    error, level = record["exception"], record["level"]
    line = foreign_lines.Line(
        level.no,
        level.name,
        record["message"],
        {name: value for name, value in record["extra"].items() if name not in _IDS},
        (record["file"].path, record["line"], record["function"]),
        record["name"] or "loguru",
        None if error is None else error.value,
        None if unpatched.is_clock_moved() else int(record["time"].timestamp() * 1e9),
    )
    # Where the statement is, wherever ``opt(depth=...)`` says that it comes from.
    frame, called = _statement()
    reader = foreign_lines.reader()
    is_caught = is_decorator or called == _EXIT
    if not is_caught or reader is None or frame is None:
        foreign_lines.take(line, frame)
        return
    # Of logger.catch: the line stands where the function is called or the block begins, and is no statement there.
    foreign_lines.take(line, None)
    guard.call("log observer", reader.end_left, frame)


def _statement() -> tuple[FrameType | None, str]:
    """Return the agent's frame that loguru was called from, and the name of the function that was."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (as the logging module finds its caller)
    called = ""
    while frame is not None and foreign_lines.package_of(frame) in _NOT_THE_AGENTS:
        called = frame.f_code.co_name
        frame = frame.f_back
    return frame, called


def _begin_sink(_sink: Any, message: Any) -> observed_calls.End | None:
    record = getattr(message, "record", None)
    if record is None:
        return None
    handed_on.begin(record["file"].path, record["line"], record["message"])
    return lambda _has_returned: handed_on.end()
