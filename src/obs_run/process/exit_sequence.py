"""The last steps of a process that has something to flush: each callback once, in the time there is."""

from __future__ import annotations

import _frozen_importlib
import _imp
import os
import sys
from _thread import allocate_lock, get_ident, start_new_thread
from contextlib import suppress
from time import monotonic, sleep

from obs_run.base import guard
from obs_run.process import exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from obs_run.process.exit_hooks import Leaving

    Callbacks = Sequence[Callable[[Leaving], None]]

_GRACE = 0.2  # seconds past the deadline after which a callback that still blocks is left behind
_LEAST = 0.5  # seconds that a flush is left with when it had to be postponed
_PAUSE = 0.003
_first_signal: tuple[int, float] | None = None
_active: tuple[int, int] | None = None  # process and thread that are leaving
_until = 0.0


def in_progress() -> bool:
    """Whether this process is leaving and still has time for it."""
    return _active is not None and _active[0] == os.getpid() and monotonic() < _until


def of_interpreter(leaving: Leaving, callbacks: Callbacks) -> None:
    """Leave by the interpreter's own end."""
    global _active
    # First of all, because signals are let pass from then on: the process ends in a moment anyway.
    first = _enter(leaving)
    _describe_end(leaving)
    if first:
        _call(leaving, callbacks)
    _active = None
    if isinstance(leaving.exception, KeyboardInterrupt):
        # The interpreter kills itself by SIGINT after this, unless code was compiled from text meanwhile, which every
        # named tuple does and which makes it forget; this makes it remember.
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 (see above)


def postponed(leaving: Leaving) -> bool:
    """Whether the signal comes at a moment at which nothing could be flushed; it is sent again then, soon.

    The export needs modules at its first time that the interrupted thread may be importing, and the queue.
    """
    global _first_signal
    now = monotonic()
    if _first_signal is None or _first_signal[0] != os.getpid():
        _first_signal = os.getpid(), now
    waited = now - _first_signal[1]
    leaving.deadline -= waited
    if leaving.deadline - now < _LEAST or not _busy():
        return False

    def send_again(process: int = os.getpid(), number: int = leaving.signal or 0) -> None:
        sleep(_PAUSE)
        os.kill(process, number)

    start_new_thread(send_again, ())
    return True


def _busy() -> bool:
    queue = sys.modules.get("obs_run.pipeline.queue")
    state = getattr(queue, "state_for_signals", None)
    held, exported = state() if state is not None else (False, False)
    return held or (not exported and (_imp.lock_held() or _imports()))


def _imports() -> bool:
    """Whether this thread is in the midst of an import."""
    me = get_ident()
    locks = tuple(getattr(_frozen_importlib, "_module_locks", {}).values())
    return any(lock is not None and lock.owner == me for lock in (reference() for reference in locks))


def watched(leaving: Leaving, callbacks: Callbacks, give_up: Callable[[], object]) -> Callable[[], object]:
    """Leave in the midst of the agent's work; ``give_up`` is called if that takes too long.

    What was interrupted may hold any lock, so a callback can block for ever. Returns what calls the watch off.
    """
    pending = allocate_lock()
    pending.acquire()

    def watch() -> None:
        if not pending.acquire(timeout=max(leaving.deadline - monotonic(), 0) + _GRACE):
            give_up()

    # Without a watch if there are no more threads, or it is too late for one.
    with suppress(RuntimeError):
        start_new_thread(watch, ())
    if _enter(leaving):
        _call(leaving, callbacks)
    return pending.release


def by_exec(leaving: Leaving, callbacks: Callbacks, execve: Callable[..., Any], arguments: tuple[Any, Any, Any]) -> Any:
    """Leave by becoming another program, which continues the trace if it is Python."""
    global _active
    from obs_run.context.children import exec_environment

    path, argv, env = arguments
    env = exec_environment(env, path)
    call_off = watched(leaving, callbacks, lambda: execve(path, argv, env))
    try:
        return execve(path, argv, env)
    finally:  # it failed, and the agent goes on
        call_off()
        _active = None


def _enter(leaving: Leaving) -> bool:
    """Begin to leave; False if that has begun already, in which case another thread's is waited for."""
    global _active, _until
    me = os.getpid(), get_ident()
    if _active is not None and _active[0] == me[0]:
        if _active[1] != me[1]:
            _wait_for_other(leaving.deadline)
        return False
    _active, _until = me, leaving.deadline
    return True


def _call(leaving: Leaving, callbacks: Callbacks) -> None:
    for callback in tuple(callbacks):
        guard.call("leaving", callback, leaving)


def _wait_for_other(deadline: float) -> None:
    # Another thread is on its way out; os._exit in this one would cut it off.
    while _active is not None and monotonic() < deadline:
        sleep(0.005)


def _describe_end(leaving: Leaving) -> None:
    """Fill in why the interpreter ends."""
    leaving.exit_code, leaving.exception = exit_code.of_interpreter()
    if isinstance(leaving.exception, KeyboardInterrupt):
        leaving.exit_code, leaving.signal = None, 2
