"""Asynchronous callbacks: they run in the loop that measures, else in a thread of ours that ends when it is idle."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.process import threads

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

_MOST_WAITING = 1000
_IDLE_SECONDS = 1.0
_FORK_PATIENCE, _BUSY_PATIENCE = 0.5, 0.05
_waiting: set[Any] = set()


def begin(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    """Run ``coroutine``; what it raises is said once for ``site``, and what would wait too long is left out."""
    if len(_waiting) + len(_thread.new) >= _MOST_WAITING:
        coroutine.close()
        guard.warn_once(f"{site}: {_MOST_WAITING} calls are still waiting; more are left out", site)
        return
    # Loaded for those who have such callbacks.
    import asyncio

    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        _thread.add(_guarded(coroutine, site))
    else:
        _keep(running.create_task(_guarded(coroutine, site)))


async def _guarded(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    with guard.guarded(site):
        await coroutine


def _keep(task: asyncio.Task[None]) -> None:
    # Loops hold their tasks weakly.
    _waiting.add(task)
    task.add_done_callback(_waiting.discard)


class _LoopThread:
    """A thread with a loop, there as long as there is work; one that stayed would make each fork a warning."""

    def __init__(self) -> None:
        self.new: list[Coroutine[Any, Any, None]] = []
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ending = False

    def add(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run ``coroutine`` soon."""
        with self._lock:
            self.new.append(coroutine)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="obs-run-callbacks", daemon=True)
                self._thread.start()
            else:
                self._call()

    def _call(self) -> None:
        """Have the thread look at what there is to do."""
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _ended(self, _: object) -> None:
        if self._ending:
            self._call()

    def _run(self) -> None:
        import asyncio

        guard.call("metric subscriber", asyncio.run, self._work(), debug=False)

    async def _work(self) -> None:
        import asyncio

        tasks: set[asyncio.Task[None]] = set()
        with self._lock:
            self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        while True:
            with self._lock:
                begun = {asyncio.create_task(coroutine) for coroutine in self.new}
                self.new.clear()
                self._wake.clear()
            for task in begun:
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(self._ended)
                _keep(task)
            idle = not await self._called(self._wake)
            with self._lock:
                if (idle or self._ending) and not tasks and not self.new:
                    self._thread = self._loop = self._wake = None
                    return

    @staticmethod
    async def _called(wake: asyncio.Event) -> bool:
        import asyncio

        try:
            await asyncio.wait_for(wake.wait(), _IDLE_SECONDS)
        except asyncio.TimeoutError:
            return False
        return True

    def before_fork(self) -> None:
        """End the thread, unless its callbacks take long: Python warns of forks beside threads."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        patience = _BUSY_PATIENCE if _waiting or self.new else _FORK_PATIENCE
        with self._lock:
            self._ending = True
            self._call()
        thread.join(patience)
        self._ending = False
        if not thread.is_alive():
            threads.wait_until_gone(thread)


_thread = _LoopThread()


def _before_fork() -> None:
    _thread.before_fork()


def _after_fork_in_child() -> None:
    global _thread, _waiting
    _thread, _waiting = _LoopThread(), set()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
