"""Lines of other logging libraries that are on their way into the logging module: they were recorded before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import LogRecord

    Origin = tuple[str, int, str]


class _Lines(threading.local):
    handed_on: tuple[Origin, ...] = ()


_lines = _Lines()


def begin(path: str, line: int, text: str) -> None:
    """Note that what takes a library's lines, and may be a handler of the logging module, is about to get one."""
    _lines.handed_on = (*_lines.handed_on, (path, line, text))


def end() -> None:
    """Note that it is done."""
    _lines.handed_on = _lines.handed_on[:-1]


def is_one(record: LogRecord) -> bool:
    """Whether a record of the logging module is such a line."""
    return bool(_lines.handed_on) and any(_is_of(record, *origin) for origin in _lines.handed_on)


def _is_of(record: LogRecord, path: str, line: int, text: str) -> bool:
    if (record.pathname, record.lineno) == (path, line):
        return True
    # Told anew, with the line as the message or inside of it.
    given = [record.msg, *(record.args if isinstance(record.args, tuple) else ())]
    return bool(text) and any(isinstance(each, str) and text in each for each in given)
