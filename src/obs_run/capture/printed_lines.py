"""Lines that the agent prints, as log records with the place that printed them; what is written stays as it is.

``print`` looks up ``sys.stdout.write`` at each call, and that is where lines are seen. Its own stand-in only looks
whether there is a new ``sys.stdout``.
"""

from __future__ import annotations

import _io
import builtins
import sys
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, stand_in
from obs_run.capture import foreign_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_STDOUT = 1
_INFO = 20
_MOST = 65536
_NESTED = 2  # signal handlers that print are heard, but not for ever
# What these write was recorded before it was made a line.
_RECORDED = frozenset(["logging", "loguru", "obs_instrumentors", "obs_run", "structlog"])
# What prints for others.
_PRINTERS = frozenset(["click", "codecs", "colorama", "pprint", "rich", "tqdm", "traceback", "typer"])
_FORWARDING = frozenset(["write", "writelines"])


class _Begun(threading.local):
    """The line that a thread has begun to write."""

    text = ""
    depth = 0


_begun = _Begun()


def install() -> None:
    """Have printed lines taken from now on."""
    if foreign_lines.are_wanted() and not stand_in.is_stand_in(builtins.print):
        builtins.print = stand_in.StandIn(builtins.print, _printing(builtins.print))
        _watch(sys.stdout)


def _printing(original: Any) -> stand_in.Called:
    def called() -> Callable[..., Any]:
        guard.call("printed line", _watch, sys.stdout)
        return original  # type: ignore[no-any-return]

    return called


def _watch(stream: Any) -> None:
    """Take what is written to a stream, if it is the process's output: what collects it instead is left alone."""
    if type(stream) is not _io.TextIOWrapper or "write" in stream.__dict__ or stream.closed:
        return
    if stream.fileno() == _STDOUT:
        original = stream.write
        stream.__dict__["write"] = stand_in.StandIn(original, lambda: _writing(original))


def _writing(original: Any) -> Callable[..., Any]:
    def write(*arguments: Any, **named: Any) -> Any:
        if arguments and type(arguments[0]) is str:
            guard.call("printed line", _note, arguments[0], sys._getframe(1))  # noqa: SLF001 (where the agent prints)
        with stand_in.no_frame:
            return original(*arguments, **named)

    return write


def _note(text: str, frame: FrameType) -> None:
    """Take note of a piece that is written; what ends with a newline is a line, whatever lines are inside of it."""
    caller: FrameType | None = frame
    # What stands for sys.stdout and hands on what it gets.
    while caller is not None and _prints_for_others(caller):
        caller = caller.f_back
    if caller is None or foreign_lines.package_of(caller) in _RECORDED or _begun.depth > _NESTED:
        return
    # A line that is written over and over, as of a progress bar.
    begun = "" if text.startswith("\r") else _begun.text
    _begun.text = (begun + text)[-_MOST:]
    if not text.endswith("\n"):
        return
    line, _begun.text = _begun.text.rstrip("\n"), ""
    if line.strip():
        _begun.depth += 1
        try:
            _take(line, caller)
        finally:
            _begun.depth -= 1


def _prints_for_others(frame: FrameType) -> bool:
    return frame.f_code.co_name in _FORWARDING or foreign_lines.package_of(frame) in _PRINTERS


def _take(text: str, caller: FrameType) -> None:
    place = caller.f_code.co_filename, caller.f_lineno, caller.f_code.co_name
    scope = str(caller.f_globals.get("__name__") or "print")
    foreign_lines.take(foreign_lines.Line(_INFO, "INFO", text, {}, place, scope), caller)
