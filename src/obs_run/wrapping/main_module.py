"""The script that is run, which no import brings: its classes and functions are wrapped as soon as they are there.

Python executes it without asking anybody. So it is traced, by ``sys.settrace``, line by line and nothing else, until
all that is waited for has its name: with the line after the last of the definitions it runs as it does without us.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from obs_run.wrapping.placing import Declared

    Trace = Callable[[FrameType, str, Any], Any]

MAIN = "__main__"
_NAMES = (MAIN, "__mp_main__")
"""A child of ``multiprocessing`` executes its parent's script by the second name."""


class MainModule:
    """Waits for the script's definitions."""

    def __init__(self, declared: list[Declared]) -> None:
        self._waiting = declared
        self._trace: Trace = self._follow_calls

    def watch(self) -> None:
        """Begin to wait, unless somebody else traces."""
        if sys.gettrace() is not None:
            where = ", ".join(sorted({one.entry.where for one in self._waiting}))
            guard.warn_once(f"OBS_WRAP: {where}: the script's own functions are not reached while a debugger traces it")
            return
        sys.settrace(self._trace)
        frame = _running_main()
        if frame is not None:
            # It has imported us itself.
            frame.f_trace = self._follow_lines

    def _stop(self) -> None:
        if sys.gettrace() is self._trace:
            sys.settrace(None)

    def _follow_calls(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        if event != "call" or not _is_main(frame):
            return None
        if frame.f_globals.get("__name__") != MAIN or not _is_of_multiprocessing():
            self._leave_out(frame)
        if not self._waiting:
            self._stop()
            return None
        return self._follow_lines

    def _leave_out(self, frame: FrameType) -> None:
        """Say of what the script never names that it is not there, and do not wait for it."""
        names = frame.f_code.co_names
        for one in self._waiting:
            if not _may_bind(names, one):
                guard.call("OBS_WRAP", one.tell_missing, MAIN, names)
        self._waiting = [one for one in self._waiting if _may_bind(names, one)]

    def _follow_lines(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        guard.call("OBS_WRAP", self._look, frame.f_globals, is_over=event in ("return", "exception"))
        if self._waiting:
            return self._follow_lines
        self._stop()
        frame.f_trace = None
        return None

    def _look(self, namespace: dict[str, Any], *, is_over: bool) -> None:
        there = [one for one in self._waiting if is_over or one.is_in(namespace)]
        if there:
            self._waiting = [one for one in self._waiting if one not in there]
        for one in there:
            one.place_in(namespace, str(namespace.get("__name__")))


def _is_main(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") in _NAMES


def _is_of_multiprocessing() -> bool:
    return "--multiprocessing-fork" in sys.argv or "--multiprocessing-fork" in sys.orig_argv


def _may_bind(names: tuple[str, ...], declared: Declared) -> bool:
    from obs_run.wrapping.entries import is_pattern

    first = declared.target.first_name()
    return is_pattern(first) or first in names


def _running_main() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (public but for its name)
    while frame is not None and not _is_main(frame):
        frame = frame.f_back
    return frame
