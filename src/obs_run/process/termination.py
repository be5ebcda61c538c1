"""SIGTERM and SIGHUP: handled where nobody else does, and never so that a process outlives what would have ended it.

A child made by a fork has nothing to lose at first: until it records or starts a thread they do what they always do.
"""

import _signal
import sys

from obs_run.base import guard
from obs_run.process import fork, own_imports, unpatched, wakeup
from obs_run.process.unpatched import get_ident, getpid, sleep
from obs_run.process.variables import flag

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    Handler = Callable[[int, FrameType | None], object]

_NAMES = ("SIGTERM", "SIGHUP")
_PAUSE = 0.02
_MOST_TRIES = 6  # how often the main thread is asked to run the handler
_MOST_PAUSES = 50
suspended: "list[int]" = []
"""The signals that are handled as soon as there is something to lose."""


class _Termination:
    """The handler, which signals it is for, and how often it ran."""

    def __init__(self) -> None:
        self.handler: Handler | None = None
        self.numbers: list[int] = []
        self.runs = 0
        self.is_leaving: Callable[[], bool] = bool
        self.leave: Callable[[int], object] = bool
        self.watch = wakeup.SignalWatch(_all_numbers(), self.see_to)
        self.masks: dict[int, Any] = {}

    def handle(self, number: int, interrupted: "FrameType | None") -> None:
        self.runs += 1
        if self.handler is not None:
            self.handler(number, interrupted)

    def is_handled(self, number: int) -> bool:
        return bool(_signal.getsignal(number) == self.handle)

    def see_to(self, number: int) -> None:
        """Have the main thread run the handler of a signal that arrived; leave in its place where it cannot."""
        if self.watch.is_shared():
            # It may be a child's, which may be gone in a moment.
            return
        runs, tries = self.runs, 0
        for _ in range(_MOST_PAUSES):
            sleep(_PAUSE)
            if self.is_leaving() or not self.is_handled(number):
                return
            if self.watch.is_shared():
                return
            if self.runs != runs:
                # It runs, and waits for a better moment.
                runs, tries = self.runs, 0
            if tries == _MOST_TRIES:
                self.leave(number)
                return
            tries += 1
            # A wait in C ends by it; a computation does not.
            _signal.pthread_kill(self.watch.main_thread, number)

    def hold(self) -> None:
        """Hold the signals back: Python makes a child forget those that come before it has begun."""
        self.masks[get_ident()] = _signal.pthread_sigmask(_signal.SIG_BLOCK, self.numbers)

    def release(self) -> None:
        mask = self.masks.pop(get_ident(), None)
        if mask is not None:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _all_numbers() -> "tuple[int, ...]":
    return tuple(getattr(_signal, name) for name in _NAMES if hasattr(_signal, name))


_termination = _Termination()
handler = _termination.handle
"""What handles the signals."""


def install(handle: "Handler", is_leaving: "Callable[[], bool]", leave: "Callable[[int], object]") -> "list[str]":
    """Have the signals that nobody handles handled by ``handle``; return their names.

    Where the main thread does not come to it, and ``is_leaving`` says no, another thread calls ``leave``.
    """
    # The first process of a container is not killed by a signal it does not handle, so there is no leaving.
    if getpid() == 1:
        return []
    termination = _termination
    termination.handler, termination.is_leaving, termination.leave = handle, is_leaving, leave
    names: list[str] = []
    for name in _NAMES:
        number = getattr(_signal, name, None)
        if number is None or not flag(f"OBS_HANDLE_{name}", default=True):
            continue
        if _signal.getsignal(number) != _signal.SIG_DFL:
            continue
        try:
            _signal.signal(number, handler)
        except ValueError:  # not the main thread: obs_run.auto was imported in another
            return names
        termination.numbers.append(number)
        names.append(name)
    if names and hasattr(_signal, "pthread_kill"):
        fork.hold_signals(termination.hold, termination.release)
        fork.register(
            fork.RUN, "signals", before=termination.watch.stop, in_parent=_resume_in_parent, in_child=_begin_in_child
        )
        guard.call("signals", termination.watch.begin)
    return names


def resume() -> None:
    """Handle the signals from now on, if this is the main thread of a child that did not yet."""
    try:
        while suspended:
            if _signal.getsignal(suspended[-1]) == _signal.SIG_DFL:
                _signal.signal(suspended[-1], handler)
            suspended.pop()
    except (ValueError, IndexError):  # another thread: the main one comes by, too, where it has anything to lose
        return
    guard.call("signals", _termination.watch.begin)


def die_of(number: int) -> None:
    """Die of a signal as if it had never been handled, in whatever thread this is."""
    try:
        _signal.signal(number, _signal.SIG_DFL)
    except ValueError:
        ctypes = own_imports.load("ctypes")
        # Python's own function asks for the main thread.
        prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        prototype(("PyOS_setsig", ctypes.pythonapi))(number, None)
        # The one that let it through may be gone.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    unpatched.kill(getpid(), number)


def interrupted_frame() -> "FrameType | None":
    """Return where the main thread is."""
    return sys._current_frames().get(_termination.watch.main_thread)  # noqa: SLF001 (public but for its name)


def _resume_in_parent() -> None:
    if not fork.would_warn_of_threads():
        _termination.watch.resume()


def _begin_in_child() -> None:
    for number in _termination.numbers:
        if _termination.is_handled(number):
            _signal.signal(number, _signal.SIG_DFL)
            suspended.append(number)
    _termination.watch.forget()
