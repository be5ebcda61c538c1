"""The last steps of a process that has something to flush: each callback once, in the time there is.

Loaded at the start and light, because a signal may arrive in the midst of any import.
"""

from __future__ import annotations

import _frozen_importlib
import _imp
import os

from obs_run.base import guard, stand_in
from obs_run.process import exit_code
from obs_run.process.held_signals import HeldSignals
from obs_run.process.unpatched import allocate_lock, get_ident, getpid, monotonic, sleep, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from obs_run.process.exit_info import ExitInfo

    Callbacks = Callable[[ExitInfo], Iterable[Callable[[ExitInfo], None]]]
    Busy = Callable[[], bool]

_GRACE = 0.2  # seconds past the deadline after which a callback that still blocks is left behind
_LEAST = 0.5  # seconds that a flush is left with when it had to be postponed
_PAUSE = 0.003


class _Sequence:
    """Which process and thread are leaving, and since when."""

    def __init__(self) -> None:
        self.first_signal: tuple[int, int, float] | None = None
        """Process, number, and when it came."""
        self.leaving: tuple[int, int] | None = None
        """Process and thread."""
        self.until = 0.0
        self.is_busy: Busy | None = None
        self.held = HeldSignals()


_sequence = _Sequence()


def ask_before_flush(is_busy: Busy) -> None:
    """Have ``is_busy`` asked, in a signal handler, whether nothing can be flushed at this very moment."""
    _sequence.is_busy = is_busy


def in_progress() -> bool:
    """Whether this process is leaving and still has time for it."""
    leaving = _sequence.leaving
    return leaving is not None and leaving[0] == getpid() and monotonic() < _sequence.until


def is_late() -> bool:
    """Whether this process is leaving and has no more time for it."""
    leaving = _sequence.leaving
    return leaving is not None and leaving[0] == getpid() and monotonic() >= _sequence.until


def of_interpreter(info: ExitInfo, callbacks: Callbacks) -> None:
    """Leave by the interpreter's own end."""
    # First of all, because signals are let pass from then on: the process ends in a moment anyway.
    first = _enter(info)
    info.signal = pending_signal()
    if info.signal is None:
        guard.call("exit code", _describe_end, info)
    if first:
        _call(info, callbacks)
    _sequence.leaving = None
    if isinstance(info.exception, KeyboardInterrupt):
        # The interpreter kills itself by SIGINT after this, unless code was compiled from text meanwhile, which every
        # named tuple does and which makes it forget; this makes it remember.
        try:  # noqa: SIM105 (contextlib is not loaded for this)
            exec("raise KeyboardInterrupt")  # noqa: S102 (see above)
        except KeyboardInterrupt:
            pass


def postponed(info: ExitInfo) -> bool:
    """Whether the signal comes at a moment at which nothing could be flushed; it is sent again then, soon.

    The export needs modules at its first time that the interrupted thread may be importing, and the queue.
    """
    now = monotonic()
    first = _sequence.first_signal
    if first is None or first[0] != getpid():
        first = _sequence.first_signal = getpid(), info.signal or 0, now
    info.deadline -= now - first[2]
    is_busy = _sequence.is_busy or is_importing
    if info.deadline - now < _LEAST or not is_busy():
        return False

    def send_again(process: int = getpid(), number: int = info.signal or 0) -> None:
        sleep(_PAUSE)
        os.kill(process, number)

    start_new_thread(send_again, ())
    return True


def pending_signal() -> int | None:
    """Return the signal that came to this process and is to kill it, though the process could still go on a little."""
    first = _sequence.first_signal
    if first is None or first[0] != getpid():
        return None
    return first[1]


def is_importing() -> bool:
    """Whether this thread is in the midst of an import, or another holds the lock of all imports."""
    if _imp.lock_held():
        return True
    me = get_ident()
    locks = tuple(getattr(_frozen_importlib, "_module_locks", {}).values())
    return any(lock is not None and lock.owner == me for lock in (reference() for reference in locks))


def watched(info: ExitInfo, callbacks: Callbacks, give_up: Callable[[], object]) -> Callable[[], object]:
    """Leave in the midst of the agent's work; ``give_up`` is called if that takes too long.

    What was interrupted may hold any lock, so a callback can block for ever. Returns what calls the watch off.
    """
    _sequence.held.hold()
    pending = allocate_lock()
    pending.acquire()

    def watch() -> None:
        if not pending.acquire(timeout=max(info.deadline - monotonic(), 0) + _GRACE):
            # What the agent asked for may fail, which this thread cannot tell it.
            guard.call("exit", give_up)

    # Without a watch if there are no more threads, or it is too late for one.
    try:  # noqa: SIM105 (as above)
        start_new_thread(watch, ())
    except RuntimeError:
        pass
    if _enter(info):
        _call(info, callbacks)
    return pending.release


def by_exec(info: ExitInfo, callbacks: Callbacks, become: Callable[[], Any]) -> Any:
    """Leave by becoming another program."""
    call_off = watched(info, callbacks, become)
    with stand_in.no_frame:
        try:
            # To the agent's handlers, or to the program that comes.
            for number in _sequence.held.release():
                os.kill(getpid(), number)
            return become()
        finally:  # it failed, and the agent goes on
            call_off()
            _sequence.leaving = None


def _enter(info: ExitInfo) -> bool:
    """Begin to leave; False if that has begun already, in which case another thread's is waited for."""
    me = getpid(), get_ident()
    leaving = _sequence.leaving
    if leaving is not None and leaving[0] == me[0]:
        if leaving[1] != me[1]:
            _wait_for_other(info.deadline)
        return False
    _sequence.leaving, _sequence.until = me, info.deadline
    return True


def _call(info: ExitInfo, callbacks: Callbacks) -> None:
    for callback in callbacks(info):
        guard.call("exit", callback, info)


def _wait_for_other(deadline: float) -> None:
    # Another thread is on its way out; os._exit in this one would cut it off.
    while _sequence.leaving is not None and monotonic() < deadline:
        sleep(0.005)


def _describe_end(info: ExitInfo) -> None:
    """Fill in why the interpreter ends."""
    info.exit_code, info.exception = exit_code.of_interpreter()
    if isinstance(info.exception, KeyboardInterrupt):
        info.exit_code, info.signal = None, 2
