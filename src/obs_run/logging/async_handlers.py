"""Handlers that must be awaited, called from code with an event loop and without one.

Where a loop runs the handler becomes a task of it. Elsewhere the caller's own thread runs it, for a short while, on a
loop that is kept for this: no thread is started, which forks would lose. What is not done then is done as the process
leaves at the latest.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.noop_awaitable import NoopAwaitable
from obs_run.process import exit_hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from obs_run.process.exit_hooks import Leaving

_PATIENCE = 1.0
_handling: ContextVar[bool] = ContextVar("obs_run_log_handling", default=False)
_tasks: dict[asyncio.Task[None], Work] = {}
_late: deque[Work] = deque()
_loop: asyncio.AbstractEventLoop | None = None
_lock = threading.RLock()
_forked: list[asyncio.AbstractEventLoop] = []


def handling() -> bool:
    """Whether the caller is itself such a handler, whose own records it does not get."""
    return _handling.get()


class Work:
    """One entry for one handler."""

    __slots__ = ("_again", "_entry", "_failed", "_handler")

    def __init__(self, handler: Any, entry: Any, failed: Callable[[], object]) -> None:
        self._handler = handler
        self._entry = entry
        self._failed = failed
        self._again = True

    async def run(self) -> None:
        """Have the handler take the entry."""
        _handling.set(True)
        with guard.guarded(f"log handler {guard.shown(getattr(self._handler, 'name', ''))}"):
            if await self._handler.handle(self._entry) is not False:
                return
        self._failed()

    def start(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Run as a task of ``loop``."""
        coroutine = self.run()
        try:
            task = loop.create_task(coroutine)
        except RuntimeError:  # the loop has just been closed
            coroutine.close()
            raise
        # A loop that is left with tasks says so for each; what is left here is run later.
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 (as ``asyncio.gather`` does)
        _tasks[task] = self
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        _tasks.pop(task, None)
        if task.cancelled():
            self.later()

    def later(self) -> None:
        """Run again what a loop that ended has broken off: better twice than not at all."""
        if self._again:
            self._again = False
            _late.append(self)


class Waiting(NoopAwaitable):
    """Awaiting this waits for the handlers, as old code expects; so does a task made of it."""

    __slots__ = ("_inner", "_tasks")

    def __init__(self, tasks: list[asyncio.Task[None]]) -> None:
        self._tasks = tasks
        self._inner: Coroutine[Any, Any, None] | None = None

    async def _wait(self) -> None:
        here = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is here]
        if tasks:
            await asyncio.wait(tasks)

    def __await__(self) -> Generator[Any, Any, None]:
        """Wait."""
        return self._wait().__await__()

    def send(self, value: Any) -> Any:
        """Wait, as a coroutine does."""
        if self._inner is None:
            self._inner = self._wait()
        return self._inner.send(value)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Stop waiting."""
        if self._inner is None:
            return super().throw(kind, value, traceback)
        return self._inner.throw(kind) if value is None else self._inner.throw(kind, value, traceback)

    def close(self) -> None:
        """Stop waiting."""
        if self._inner is not None:
            self._inner.close()


def give(work: Work) -> asyncio.Task[None] | None:
    """Have an entry handled: now, or by the task that is returned."""
    exit_hooks.on_leave(_finish)
    here = _running()
    if here is None:
        _run_here(work)
        return None
    try:
        return work.start(here)
    except RuntimeError:
        _late.append(work)
        return None


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _run_here(work: Work) -> None:
    _late.append(work)
    # A signal handler in the midst of this very function leaves its record to what it interrupted.
    if _lock._is_owned() or not _lock.acquire(timeout=_PATIENCE):  # type: ignore[attr-defined]  # noqa: SLF001 (what Condition uses)
        return
    try:
        _run_late(_PATIENCE)
    finally:
        _lock.release()


def _run_late(seconds: float) -> None:
    """Run what waits, and what an earlier call did not wait for."""
    global _loop
    if _loop is None or _loop.is_closed():
        _loop = asyncio.new_event_loop()
    while _late:
        try:
            work = _late.popleft()
        except IndexError:  # another thread was faster
            break
        work.start(_loop)
    mine = [task for task in _tasks if task.get_loop() is _loop]
    if mine:
        _loop.run_until_complete(asyncio.wait(mine, timeout=seconds))


def _finish(left: Leaving) -> None:
    """Do what is left, in the time there is."""
    if _lock._is_owned() or not _lock.acquire(timeout=_PATIENCE):  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
        return
    try:
        if _running() is None:
            for task, work in tuple(_tasks.items()):
                if task.get_loop() is not _loop and not task.get_loop().is_running():
                    work.later()
            if _late or _tasks:
                _run_late(max(0.0, left.deadline - time.monotonic()))
            if _loop is not None and not _loop.is_closed():
                _loop.close()
    finally:
        _lock.release()


def _after_fork_in_child() -> None:
    global _loop, _lock
    _lock = threading.RLock()
    if _loop is not None:
        # Closing it would take the parent's files out of the selector that both share.
        _forked.append(_loop)
        _loop = None
    _late.clear()
    _tasks.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)
