"""Asynchronous callbacks: they run in the loop that measures, else in a thread of ours that ends when it is idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.guarded import guarded
from obs_run.process import fork, threads
from obs_run.process.unpatched import RLock

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

_MOST_WAITING = 1000
_IDLE_SECONDS = 1.0
_FORK_PATIENCE, _BUSY_PATIENCE = 0.5, 0.05


def begin(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    """Run ``coroutine``; what it raises is said once for ``site``, and what would wait too long is left out."""
    if _callbacks.is_full():
        coroutine.close()
        guard.warn_once(f"{site}: {_MOST_WAITING} calls are still waiting; more are left out", site)
        return
    # Loaded for those who have such callbacks.
    import asyncio

    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        _callbacks.thread.add(_guarded(coroutine, site))
    else:
        _callbacks.keep(running.create_task(_guarded(coroutine, site)))


async def _guarded(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    with guarded(site):
        await coroutine


class _LoopThread:
    """A thread with a loop, there as long as there is work; one that stayed would make each fork a warning."""

    def __init__(self, keep: Callable[[asyncio.Task[None]], None]) -> None:
        self._keep = keep
        self.new: list[Coroutine[Any, Any, None]] = []
        self._lock = RLock()
        self._thread: threads.BackgroundThread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ending = False

    def add(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run ``coroutine`` soon."""
        with self._lock:
            self.new.append(coroutine)
            if self._thread is None:
                self._thread = threads.BackgroundThread(self._run)
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
                self._keep(task)
            # Loops ask for the current thread as they begin, and so may callbacks.
            threads.hide()
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

    def end(self, patience: float) -> None:
        """End the thread, unless its callbacks take longer."""
        thread = self._thread
        if thread is None or thread.is_current():
            return
        with self._lock:
            self._ending = True
            self._call()
        thread.join(patience)
        self._ending = False


class _Callbacks:
    """The callbacks of this process that have begun, and the thread for those without a loop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self.thread = _LoopThread(self.keep)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it ends: loops hold their tasks weakly."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def is_full(self) -> bool:
        """Whether as many are waiting as may wait."""
        return len(self._running) + len(self.thread.new) >= _MOST_WAITING

    def before_fork(self) -> None:
        """End the thread, unless its callbacks take long: Python warns of forks beside threads."""
        is_busy = bool(self._running or self.thread.new)
        self.thread.end(_BUSY_PATIENCE if is_busy else _FORK_PATIENCE)

    def begin_anew(self) -> None:
        """In a child process: the thread and what it runs are the parent's."""
        self._running = set()
        self.thread = _LoopThread(self.keep)


_callbacks = _Callbacks()
fork.register(fork.USER_API, "metric callbacks", before=_callbacks.before_fork, in_child=_callbacks.begin_anew)
