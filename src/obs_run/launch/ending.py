"""The last steps of a process that has something to flush: each callback once, in the time there is."""

from __future__ import annotations

import os
from _thread import allocate_lock, get_ident, start_new_thread
from contextlib import suppress
from time import monotonic, sleep

from obs_run.core import guard
from obs_run.launch import exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from obs_run.launch.leaving import Leaving

    Callbacks = Sequence[Callable[[Leaving], None]]

_GRACE = 0.2  # seconds past the deadline after which a callback that still blocks is left behind
_active: tuple[int, int] | None = None  # process and thread that are leaving
_until = 0.0


def in_progress() -> bool:
    """Whether this process is leaving and still has time for it."""
    return _active is not None and _active[0] == os.getpid() and monotonic() < _until


def of_interpreter(leaving: Leaving, callbacks: Callbacks) -> None:
    """Leave by the interpreter's own end."""
    global _active
    _describe_end(leaving)
    _leave(leaving, callbacks)
    _active = None
    if isinstance(leaving.exception, KeyboardInterrupt):
        # The interpreter kills itself by SIGINT after this, unless code was compiled from text meanwhile, which every
        # named tuple does and which makes it forget; this makes it remember.
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 (see above)


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
    _leave(leaving, callbacks)
    return pending.release


def by_exec(leaving: Leaving, callbacks: Callbacks, execve: Callable[..., Any], arguments: tuple[Any, Any, Any]) -> Any:
    """Leave by becoming another program, which continues the trace if it is Python."""
    global _active
    from obs_run.launch.children import exec_environment

    path, argv, env = arguments
    env = exec_environment(env, path)
    call_off = watched(leaving, callbacks, lambda: execve(path, argv, env))
    try:
        return execve(path, argv, env)
    finally:  # it failed, and the agent goes on
        call_off()
        _active = None


def _leave(leaving: Leaving, callbacks: Callbacks) -> None:
    global _active, _until
    me = os.getpid(), get_ident()
    if _active is not None and _active[0] == me[0]:
        if _active[1] != me[1]:
            _wait_for_other(leaving.deadline)
        return
    _active, _until = me, leaving.deadline
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
