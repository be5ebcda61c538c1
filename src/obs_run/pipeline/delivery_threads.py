"""Threads in which destinations deliver side by side, so that a slow one holds up no other; at home in forks."""

from __future__ import annotations

import sys
from _queue import SimpleQueue
from typing import TYPE_CHECKING

from obs_run.process import threads
from obs_run.process.unpatched import RLock, monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], object]


class DeliveryThreads:
    """Runs each job in a thread of its own, and keeps the threads for the next ones."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        # Reentrant: a signal handler may end the process amid a delivery in the main thread.
        self._lock = RLock()
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []

    def start(self, number: int) -> None:
        """Have so many threads, as far as there can be: none can be started once the interpreter goes down."""
        while len(self._all) < number:
            worker = self._started()
            if worker is None:
                return
            self._rest(worker)

    def run(self, job: Job) -> bool:
        """Have ``job`` run beside the caller; False where there can be no more threads."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or self._started()
        if worker is None:
            return False
        worker.jobs.put(job)
        return True

    def stop(self, patience: float) -> None:
        """Send the threads home before a fork; one that is held up by a silent server is waited for only once."""
        deadline = monotonic() + patience
        with self._lock:
            workers, self._all, self._idle = self._all, [], []
        for worker in workers:
            worker.jobs.put(None)
        for worker in workers:
            if not worker.thread.join(max(0.0, deadline - monotonic())):
                deadline = 0.0

    def after_fork(self) -> None:
        """In a child process: there are none."""
        self._begin()

    def _started(self) -> _Worker | None:
        if sys.is_finalizing():
            return None
        worker = _Worker(self._rest)
        try:
            worker.thread.start()
        except RuntimeError:
            return None
        with self._lock:
            self._all.append(worker)
        return worker

    def _rest(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._all:
                self._idle.append(worker)


class _Worker:
    """One thread, and what it is to do next."""

    def __init__(self, rest: Callable[[_Worker], None]) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.thread = threads.BackgroundThread(self._run)
        self._rest = rest

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            job()
            threads.hide()
            self._rest(self)
