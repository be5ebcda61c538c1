"""Threads of ours: the agent does not see them, and what it decides for its own threads is not decided for them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, stand_in
from obs_run.process import own_imports, unpatched
from obs_run.process.unpatched import allocate_lock, get_ident, monotonic, sleep, start_new_thread

if TYPE_CHECKING:
    from collections.abc import Callable

_GONE_PATIENCE = 0.05
_idents: set[int] = set()
"""The threads of ours that run now."""
_LEAST_STACK = 1 << 20  # what an export needs, TLS and the scrubbing of nested values included
# What the hardware raises in the thread itself cannot be held back.
_OWN_FAULTS = frozenset(("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP"))


class BackgroundThread:
    """Runs a function beside the agent: ``threading`` does not know the thread, and no signal is delivered in it."""

    def __init__(self, function: Callable[..., object], *arguments: Any) -> None:
        self._function = function
        self._arguments = arguments
        self._running = allocate_lock()
        self._has_begun = False
        self._ident = 0
        self._native_id = 0

    def start(self) -> None:
        """Begin; RuntimeError where there can be no more threads."""
        _hide_from_walks()
        if "threading" in sys.modules:
            own_imports.keep(sys.modules["threading"], _idents)
        self._running.acquire()
        try:
            _start_quietly(self._begin)
        finally:
            # A handler of the agent's that raises as the signals are let through again comes after the beginning.
            if not self._has_begun:
                self._running.release()

    def is_current(self) -> bool:
        """Whether the caller runs in this thread."""
        return get_ident() == self._ident

    def is_alive(self) -> bool:
        """Whether the thread has not ended."""
        return self._running.locked()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has ended and the system has forgotten it; False if it goes on."""
        if not self._running.acquire(timeout=timeout):
            return False
        self._running.release()
        self._wait_until_gone()
        return True

    def _begin(self) -> None:
        start_new_thread(self._run, ())
        self._has_begun = True

    def _run(self) -> None:
        self._ident = get_ident()
        _idents.add(self._ident)
        self._native_id = unpatched.get_native_id()
        try:
            guard.call("background thread", self._function, *self._arguments)
        finally:
            hide()
            _idents.discard(self._ident)
            self._ident = 0
            self._running.release()

    def _wait_until_gone(self) -> None:
        # Python 3.12 warns of forks by the system's count.
        place = f"/proc/self/task/{self._native_id}"
        deadline = monotonic() + _GONE_PATIENCE
        while os.path.exists(place) and monotonic() < deadline:
            sleep(0)


def hide() -> None:
    """Have ``threading`` forget this thread: whoever asks for the current one, as ``logging`` does, makes it known."""
    threading: Any = sys.modules.get("threading")
    active = getattr(threading, "_active", None)
    if active is None:
        return
    ident = threading.get_ident()
    if isinstance(active.get(ident), threading._DummyThread):  # noqa: SLF001 (there is no public way)
        active.pop(ident, None)


def _hide_from_walks() -> None:
    """Have those who look at all threads not see ours, which ``threading`` does not know either."""
    import _thread

    _replace(sys, "_current_frames", _frames_without_ours)
    _replace(sys, "_current_exceptions", _exceptions_without_ours)
    _replace(_thread, "_count", _number_without_ours)


def _replace(module: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Have ``change`` applied to what a function returns."""
    original = getattr(module, name, None)
    if original is None or stand_in.is_stand_in(original):
        return

    def called(*arguments: Any, **named: Any) -> Any:
        with stand_in.no_frame:
            found = original(*arguments, **named)
        return guard.call("threads", change, found, default=found)

    setattr(module, name, stand_in.StandIn(original, lambda: called))


def _frames_without_ours(found: dict[int, Any]) -> dict[int, Any]:
    mine = get_ident()
    # Behind this function, the guard, and what is called in place of the original.
    found[mine] = sys._getframe(3)  # noqa: SLF001 (public but for its name)
    return _exceptions_without_ours(found)


def _exceptions_without_ours(found: dict[int, Any]) -> dict[int, Any]:
    for ident in _idents - {get_ident()}:
        found.pop(ident, None)
    return found


def _number_without_ours(found: int) -> int:
    return found - len(_idents)


def _start_quietly(begin: Callable[[], None]) -> None:
    """Have ``begin`` start a thread with no signals let through, and a stack that is large enough."""
    import _signal  # built in: the module signal may be patched, and costs more

    if not hasattr(_signal, "pthread_sigmask"):
        _start_with_stack(begin)
        return
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())
    try:
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _all_signals(_signal))
        _start_with_stack(begin)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _all_signals(signal: Any) -> set[int]:
    faults = {getattr(signal, name) for name in _OWN_FAULTS if hasattr(signal, name)}
    return {number for number in signal.valid_signals() if number not in faults}


def _start_with_stack(begin: Callable[[], None]) -> None:
    # 0 is the system's choice.
    chosen = unpatched.stack_size()
    if not 0 < chosen < _LEAST_STACK:
        begin()
        return
    unpatched.stack_size(_LEAST_STACK)
    try:
        begin()
    finally:
        unpatched.stack_size(chosen)
