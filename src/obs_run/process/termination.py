"""SIGTERM and SIGHUP, handled where nobody else does.

A forked child has nothing to lose at first: they have their default action there until it records or starts a thread.
"""

import _signal

from obs_run.process import flag, fork
from obs_run.process.unpatched import get_ident, getpid, kill

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    Handler = Callable[[int, FrameType | None], object]

_NAMES = ("SIGTERM", "SIGHUP")
_handled: "dict[int, Handler]" = {}
_masks: "dict[int, Any]" = {}
"""What was blocked before, by the threads that fork."""
suspended: "list[int]" = []
"""The signals that are handled as soon as there is something to lose."""


def install(handler: "Handler") -> "list[str]":
    """Have the signals that nobody handles handled, and return their names."""
    # The first process of a container is not killed by a signal it does not handle, so there is no leaving.
    if getpid() == 1:
        return []
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
            break
        _handled[number] = handler
        names.append(name)
    if names:
        fork.hold_signals(_hold, _release)
        fork.register(fork.RUN, "signals", in_child=_suspend)
    return names


def resume() -> None:
    """Handle the signals from now on, if this is the main thread of a child that does not yet."""
    try:
        while suspended:
            if _signal.getsignal(suspended[-1]) == _signal.SIG_DFL:
                _signal.signal(suspended[-1], _handled[suspended[-1]])
            suspended.pop()
    except (ValueError, IndexError):  # another thread: the main one comes by, too, where it has anything to lose
        return


def handle_again() -> None:
    """Handle the signals that a server has given their default action back, to set handlers of its own for a while."""
    try:
        for number, handler in _handled.items():
            if _signal.getsignal(number) == _signal.SIG_DFL:
                _signal.signal(number, handler)
    except ValueError:  # another thread, in which the server's own handlers could not be set either
        return


def die_of(number: int) -> None:
    """Die of a signal as if it had never been handled."""
    _signal.signal(number, _signal.SIG_DFL)
    kill(getpid(), number)


def _hold() -> None:
    """Hold the signals back: Python makes a child forget those that come before it has begun."""
    _masks[get_ident()] = _signal.pthread_sigmask(_signal.SIG_BLOCK, _handled)


def _release() -> None:
    mask = _masks.pop(get_ident(), None)
    if mask is not None:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _suspend() -> None:
    for number, handler in _handled.items():
        if _signal.getsignal(number) == handler:
            _signal.signal(number, _signal.SIG_DFL)
            suspended.append(number)
