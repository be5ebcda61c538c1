"""JSON lines in place of what the logging module's handlers write to the console."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from logging import LogRecord
    from types import ModuleType

_CONSOLE = frozenset({1, 2})


def install(logging: ModuleType) -> None:
    """Have every handler for stdout or stderr write JSON from now on, whenever it was or will be made."""
    original = logging.StreamHandler.format
    if hasattr(original, "__wrapped__"):
        return
    # Now, and not at the first record: a handler's lock is held then, and an import takes locks, too.
    from obs_run.logging.formatter import LogFormatter

    formatter = LogFormatter()

    @wraps(original)
    def as_line(self: Any, record: LogRecord) -> str:
        line: str | None = None
        if guard.call("log console", _is_console, self):
            line = guard.call("log console", formatter.format, record)
        return original(self, record) if line is None else line

    logging.StreamHandler.format = as_line


def _is_console(handler: Any) -> bool:
    stream = handler.stream
    if stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        return stream is not None
    fileno = getattr(stream, "fileno", None)
    try:
        return fileno is not None and fileno() in _CONSOLE
    except Exception:  # noqa: BLE001 (the agent's own stream; those in memory have no number)
        return False
