"""Handlers that must be awaited, called from code with an event loop and without one.

Where a loop runs the handler becomes a task of it. Elsewhere the caller's own thread runs it, for a short while, on a
loop that is kept for this: no thread is started, which forks would lose. What is not done then is done as the process
leaves at the latest.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.guarded import guarded
from obs_run.base.noop_awaitable import NoopAwaitable
from obs_run.process import exit_hooks, fork

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from obs_run.process.exit_sequence import ExitInfo

_PATIENCE = 1.0
_handling: ContextVar[bool] = ContextVar("obs_run_log_handling", default=False)


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
        with guarded(f"log handler {guard.shown(getattr(self._handler, 'name', ''))}"):
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
        _waiting.tasks[task] = self
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        _waiting.tasks.pop(task, None)
        if task.cancelled():
            self.later()

    def later(self) -> None:
        """Run again what a loop that ended has broken off: better twice than not at all."""
        if self._again:
            self._again = False
            _waiting.late.append(self)


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


def hand_over(work: Work) -> asyncio.Task[None] | None:
    """Have an entry handled: now, or by the task that is returned."""
    exit_hooks.on_exit(_waiting.finish)
    running = _running_loop()
    if running is None:
        _waiting.run_here(work)
        return None
    try:
        return work.start(running)
    except RuntimeError:
        _waiting.late.append(work)
        return None


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _WaitingWork:
    """The work of this process that is not done, and the loop that runs it for callers that have none."""

    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[None], Work] = {}
        self.late: deque[Work] = deque()
        """What no loop runs at the moment."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.RLock()
        self._loops_of_parents: list[asyncio.AbstractEventLoop] = []

    def run_here(self, work: Work) -> None:
        """Run what waits in the caller's thread, for a short while."""
        self.late.append(work)
        # A signal handler in the midst of this very function leaves its record to what it interrupted.
        if not self._acquire():
            return
        try:
            self._run_late(_PATIENCE)
        finally:
            self._lock.release()

    def _acquire(self) -> bool:
        if self._lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 (what Condition uses)
            return False
        return self._lock.acquire(timeout=_PATIENCE)

    def _run_late(self, seconds: float) -> None:
        """Run what waits, and what an earlier call did not wait for."""
        loop = self._loop
        if loop is None or loop.is_closed():
            loop = self._loop = asyncio.new_event_loop()
        while self.late:
            try:
                work = self.late.popleft()
            except IndexError:  # another thread was faster
                break
            work.start(loop)
        own = [task for task in self.tasks if task.get_loop() is loop]
        if own:
            loop.run_until_complete(asyncio.wait(own, timeout=seconds))

    def finish(self, info: ExitInfo) -> None:
        """Do what is left, in the time there is."""
        if not self._acquire():
            return
        try:
            if _running_loop() is None:
                self._finish(max(0.0, info.deadline - time.monotonic()))
        finally:
            self._lock.release()

    def _finish(self, seconds: float) -> None:
        for task, work in tuple(self.tasks.items()):
            if task.get_loop() is not self._loop and not task.get_loop().is_running():
                work.later()
        if self.late or self.tasks:
            self._run_late(seconds)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.close()

    def begin_anew(self) -> None:
        """In a child process: what waits is the parent's."""
        self._lock = threading.RLock()
        if self._loop is not None:
            # Closing it would take the parent's files out of the selector that both share.
            self._loops_of_parents.append(self._loop)
            self._loop = None
        self.late.clear()
        self.tasks.clear()


_waiting = _WaitingWork()
fork.register(fork.USER_API, "log handlers", in_child=_waiting.begin_anew)
