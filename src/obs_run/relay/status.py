"""What a relay says of itself, in a file beside the buffers, for ``obsctl relay`` and for agents that end."""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from typing import TYPE_CHECKING, Any

from obs_run._version import __version__
from obs_run.base import guard
from obs_run.base.masking import masked
from obs_run.buffer import relay_client
from obs_run.process.unpatched import getpid, monotonic, time

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 1.0
_MOST_LINES = 20


class _Lines(logging.Handler):
    """Keeps the last lines of logger ``obs_run``."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[tuple[float, str]] = deque(maxlen=_MOST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append((record.created, record.getMessage()))


class Status:
    """Writes the file when something has changed, at most once a second."""

    def __init__(self, path: str) -> None:
        self._place = os.path.join(path, relay_client.STATUS)
        self._written = ""
        self._next = 0.0
        self._started = time.time()
        self._lines = _Lines()
        logger = logging.getLogger("obs_run")
        logger.addHandler(self._lines)
        logger.propagate = False

    def write(self, describe: Callable[[], dict[str, Any]], *, is_over: bool = False) -> None:
        """Write what is so now, with what ``describe`` returns."""
        if monotonic() < self._next and not is_over:
            return
        self._next = monotonic() + _SECONDS
        own = {"version": __version__, "pid": getpid(), "started": self._started, "is_over": is_over}
        text = json.dumps({**own, **describe(), "lines": list(self._lines.lines)})
        if text != self._written:
            self._written = text
            guard.call("status", self._replace, text)

    def _replace(self, text: str) -> None:
        _write(self._place, text)


def write_failure(path: str, error: Exception) -> None:
    """Say that the relay of a folder could not work, and why."""
    text = f"the relay failed and is begun again: {type(error).__name__}: {guard.shown(error)}"
    described = {"version": __version__, "pid": getpid(), "is_over": False, "lines": [(time.time(), masked(text))]}
    guard.call("status", _write, os.path.join(path, relay_client.STATUS), json.dumps(described))


def _write(place: str, text: str) -> None:
    temporary = f"{place}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(temporary, place)
