"""How far long work has come, on stderr: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_SECONDS_ON_TERMINAL = 0.2
_SECONDS_ELSEWHERE = 30.0
_BLANK = "\r\x1b[K"


class Progress:
    """Counts what is done; nothing is said of work that is over at once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = 0
        self._is_terminal = sys.stderr.isatty()
        self._pause = _SECONDS_ON_TERMINAL if self._is_terminal else _SECONDS_ELSEWHERE
        self._next = time.monotonic() + self._pause
        self._is_said = False

    def __enter__(self) -> Self:
        """Return the progress; leaving the block takes the line away."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the line away."""
        if self._is_terminal and self._is_said:
            sys.stderr.write(_BLANK)
            sys.stderr.flush()

    def add(self, number: int) -> None:
        """Count so many records more."""
        self._done += number
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pause
        self._is_said = True
        text = f"obsctl: {self._done:,} {self._what}"
        sys.stderr.write(f"{_BLANK}{text}" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()
