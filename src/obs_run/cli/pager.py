"""Long output on a terminal goes through the user's pager; short output, and what no person looks at, never does."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT = "less"
_NONE = ("", "cat")
_LESS = "FRX"
"""What ``less`` is told where nothing tells it: end where all fits, keep colours, leave the text on the screen."""


@contextmanager
def paged() -> Iterator[None]:
    """Have what is printed inside shown by the pager once it is longer than the terminal is high."""
    command = _command()
    if command is None or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    terminal, output = sys.stdout, _Output(sys.stdout, command)
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = terminal
        output.finish()


def _command() -> list[str] | None:
    """Return the pager that the user wants; None for none, or for one that is not there."""
    wanted = os.environ.get("PAGER", _DEFAULT).strip()
    try:
        words = shlex.split(wanted)
    except ValueError:
        return None
    if wanted in _NONE or shutil.which(words[0]) is None:
        return None
    return words


class _Output(io.TextIOBase):
    """Stands for the terminal: holds a page back, and gives all to the pager where there is more."""

    def __init__(self, terminal: TextIO, command: list[str]) -> None:
        self._terminal = terminal
        self._command = command
        self._room = shutil.get_terminal_size().lines - 1
        self._held: list[str] = []
        self._pager: subprocess.Popen[str] | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the terminal."""
        return self._terminal.encoding

    def isatty(self) -> bool:
        """Return True: the pager shows what a terminal can."""
        return True

    def fileno(self) -> int:
        """Return that of the terminal, whose size is asked for by it."""
        return self._terminal.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Keep the text, or give it to the pager."""
        if self._pager is None:
            self._held.append(text)
            self._room -= text.count("\n")
            if self._room >= 0:
                return len(text)
            self._begin()
            text, self._held = "".join(self._held), []
        to = self._terminal if self._pager is None or self._pager.stdin is None else self._pager.stdin
        to.write(text)
        return len(text)

    def _begin(self) -> None:
        try:
            self._pager = subprocess.Popen(  # noqa: S603 (the program that the user names)
                self._command,
                stdin=subprocess.PIPE,
                env={"LESS": _LESS, **os.environ},
                text=True,
                encoding=self.encoding,
                errors="backslashreplace",
            )
        except OSError:
            # It went away meanwhile, or is no program.
            self._room = sys.maxsize

    def finish(self) -> None:
        """Print what is held, or wait until the reader has seen enough."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._held = []
            return
        # A pager that was left early reads no more.
        with suppress(BrokenPipeError):
            if self._pager.stdin is not None:
                self._pager.stdin.close()
        while True:
            # Ctrl-C is the pager's: it stays, and so does who started it.
            with suppress(KeyboardInterrupt):
                self._pager.wait()
                return
