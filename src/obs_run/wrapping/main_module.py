"""The script that is run, which no import brings: its classes and functions are wrapped as soon as they are there.

Python executes it without asking anybody. So it is traced, by ``sys.settrace``, line by line and nothing else, until
all that is waited for has its name: with the line after the last of the definitions it runs as it does without us.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.wrapping.wrap_file import SETTING

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
            guard.warn_once(
                f"{SETTING}: {where}: the script's own functions are not reached while a debugger traces it"
            )
            return
        frame = _running_main()
        if frame is None:
            sys.settrace(self._trace)
        elif self._has_begun(frame):
            # It has imported us itself.
            sys.settrace(self._trace)
            frame.f_trace = self._follow_lines

    def _stop(self) -> None:
        if sys.gettrace() is self._trace:
            sys.settrace(None)

    # What Python calls may not raise: it would, in the agent.
    def _follow_calls(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        if event != "call" or frame.f_code.co_name != "<module>":
            return None
        return self._followed_while(guard.call(SETTING, self._begin, frame))

    def _follow_lines(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        return self._followed_while(guard.call(SETTING, self._continue, frame, event))

    def _followed_while(self, is_waiting: bool | None) -> Trace | None:  # noqa: FBT001 (as a guarded call gives it)
        """Return what is called with the next line; nothing is traced any more where something of ours has failed."""
        if is_waiting is None and sys.gettrace() is self._trace:
            sys.settrace(None)
        return self._follow_lines if is_waiting else None

    def _begin(self, frame: FrameType) -> bool:
        """Return whether the lines of a module are to be followed."""
        if not _is_main(frame):
            return False
        if self._has_begun(frame):
            return True
        self._stop()
        return False

    def _has_begun(self, frame: FrameType) -> bool:
        """Leave out what the script never names; return whether there is something to wait for."""
        if frame.f_globals.get("__name__") != MAIN or not _is_of_multiprocessing():
            self._leave_out(frame)
        return bool(self._waiting)

    def _continue(self, frame: FrameType, event: str) -> bool:
        """Look what is there now; return whether there is more to wait for."""
        self._look(frame.f_globals, is_over=event in ("return", "exception"))
        if not self._waiting:
            self._stop()
            frame.f_trace = None
        return bool(self._waiting)

    def _leave_out(self, frame: FrameType) -> None:
        """Say of what the script never names that it is not there, and do not wait for it."""
        names = frame.f_code.co_names
        for one in self._waiting:
            if not _may_bind(names, one):
                guard.call(SETTING, one.tell_missing, MAIN, names)
        self._waiting = [one for one in self._waiting if _may_bind(names, one)]

    def _look(self, namespace: dict[str, Any], *, is_over: bool) -> None:
        there = [one for one in self._waiting if is_over or guard.call(SETTING, one.is_in, namespace, default=True)]
        if there:
            self._waiting = [one for one in self._waiting if one not in there]
        for one in there:
            guard.call(SETTING, one.place_in, namespace, str(namespace.get("__name__")))


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
