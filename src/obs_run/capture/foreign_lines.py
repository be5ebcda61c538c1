"""Lines that are written past the logging module: each becomes a log record, and is read for what it tells."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, passive_values
from obs_run.capture import log_capture
from obs_run.context import propagation
from obs_run.core import log_records, sink
from obs_run.process import unpatched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from logging import LogRecord
    from types import FrameType
    from typing import Protocol

    Finish = Callable[[], object]

    class Reader(Protocol):
        """Reads lines for what they tell: ``bridge.line_reader.LineReader``."""

        def observe(self, record: LogRecord, frame: FrameType | None) -> Finish | None:
            """Do what ``read`` does for a record of the logging module."""

        def read(self, line: Line, frame: FrameType) -> Finish | None:
            """Begin what a line tells that begins; return what is to be done when it has been recorded."""

        def end_left(self, frame: FrameType) -> None:
            """End what was begun in calls that the exception being handled has left."""


class Line:
    """A line as plain values; the level is a number of the logging module, the place is file, line and function."""

    __slots__ = ("error", "fields", "level", "level_name", "message", "place", "scope", "time_ns")

    def __init__(
        self,
        level: int,
        level_name: str,
        message: Any,
        fields: Mapping[str, Any],
        place: tuple[str, int, str],
        scope: str,
        error: BaseException | None = None,
        time_ns: int | None = None,
    ) -> None:
        self.level = level
        self.level_name = level_name
        self.message = message
        self.fields = fields
        self.place = place
        self.scope = scope
        self.error = error
        self.time_ns = time_ns

    @property
    def text(self) -> str:
        """The message as a text."""
        return self.message if type(self.message) is str else str(passive_values.attribute(self.message))


class _State(threading.local):
    line: Line | None = None
    is_making = False
    """Whether the thread makes the reader; what a signal handler says meanwhile is not read."""


_make_reader: list[Callable[[], Reader | None]] = []
_readers: list[Reader | None] = []
_state = _State()


def read_with(make_reader: Callable[[], Reader | None]) -> None:
    """Have lines read from now on; the reader is made when the first one comes."""
    if not is_read():
        _make_reader.append(make_reader)


def reader() -> Reader | None:
    """Return what reads lines, None where nothing does."""
    if not _readers and _make_reader and not _state.is_making:
        _state.is_making = True
        try:
            made = _make_reader[0]()
        finally:
            _state.is_making = False
        if not _readers:
            # Two threads may make one at once: to wait for another amid imports could be for ever.
            _readers.append(made)
    return _readers[0] if _readers else None


def are_wanted() -> bool:
    """Whether anything comes of lines: records, or what they tell."""
    return log_capture.is_wanted() or is_read()


def is_read() -> bool:
    """Whether lines are read for what they tell."""
    return bool(_make_reader or _readers)


def take(line: Line, frame: FrameType | None) -> None:
    """Record a line that ``frame`` writes now, and have it read."""
    finish = begin(line, frame)
    if log_capture.is_wanted() and log_records.is_wanted():
        guard.call("log record", _record, line)
    if finish is not None:
        guard.call("log observer", finish)


def begin(line: Line, frame: FrameType | None) -> Finish | None:
    """Have a line read that ``frame`` writes now; return what is to be called when it has been recorded."""
    reading = None if frame is None else reader()
    if reading is None:
        return None
    finish: Finish | None = guard.call("log observer", reading.read, line, frame)
    return finish


def tell_of_record(line: Line) -> None:
    """Say what the next record of the logging module is, where that comes from this line and in this thread."""
    if is_read():
        # It would keep its frames alive.
        line.error = None
        _state.line = line


def find_line(path: str, line: int, library: str) -> Line | None:
    """Return what was said of a record from this place, or from inside of the library that has written it."""
    line_of_record = _state.line
    if line_of_record is None:
        return None
    if line_of_record.place[:2] != (path, line) and f"/{library}/" not in path.replace("\\", "/"):
        return None
    _state.line = None
    return line_of_record


def plain_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return fields as they are compared."""
    return {name.lower(): str(value).lower() for name, value in fields.items() if type(value) in (str, int)}


def _record(line: Line) -> None:
    attributes = log_capture.place_and_context(*line.place, threading.current_thread().name)
    for name, value in line.fields.items():
        if value is not None:
            attributes[str(name)] = passive_values.attribute(value)
    attributes.update(log_capture.exception_attributes(line.error))
    log_records.log(
        sink.LogRecord(
            time_ns=unpatched.time.time_ns() if line.time_ns is None else line.time_ns,
            severity=log_capture.severity(line.level),
            severity_text=log_records.severity_text(line.level_name),
            body=line.text,
            attributes=attributes,
            trace=propagation.current_ids(),
            scope=line.scope,
        )
    )


def frame_at(path: str, line: int, frame: FrameType | None) -> FrameType | None:
    """Return the frame that stands at a place, from ``frame`` outwards."""
    while frame is not None:
        if frame.f_lineno == line and frame.f_code.co_filename == path:
            return frame
        frame = frame.f_back
    return None


def caller_outside(packages: Iterable[str]) -> FrameType | None:
    """Return the innermost frame that is of none of these packages."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (as the logging module finds its caller)
    while frame is not None and package_of(frame) in packages:
        frame = frame.f_back
    return frame


def package_of(frame: FrameType) -> str:
    """Return the name of the package that the code of a frame is of."""
    return str(frame.f_globals.get("__name__")).partition(".")[0]
