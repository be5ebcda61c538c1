"""The queue between the agent's threads and the one export thread, bounded by bytes, at home in forks and exits.

Light to import: OpenTelemetry is loaded by the export thread when the first item is on its way out.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.core import guard

if TYPE_CHECKING:
    from obs_run.pipeline.export import Export
    from obs_run.pipeline.items import Item

_MOST_ITEMS = 512
_FORK_PATIENCE = 0.5


class Queue:
    """Takes items from any thread without blocking; one daemon thread exports them."""

    def __init__(self) -> None:
        self._most_bytes: int = settings.get("OBS_QUEUE_BYTES")
        self._batch_bytes: int = settings.get("OBS_BATCH_BYTES")
        self._delay: float = settings.get("OTEL_BSP_SCHEDULE_DELAY")
        self._export: Export | None = None
        self.dropped = 0
        self.exported = False
        """Whether everything that an export needs has been imported."""
        self._begin()
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork_in_parent,
            after_in_child=self._after_fork_in_child,
        )

    def _begin(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        # Reentrant: a signal handler of the agent may log while the same thread is inside put().
        self._lock = threading.RLock()
        # SimpleQueue is reentrant too, which an Event is not.
        self._wake: SimpleQueue[Any] = SimpleQueue()
        self._asleep = False
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._may_start = True
        self.used = False

    def put(self, item: Item) -> None:
        """Hand over one item; when the queue is full the oldest go, counted."""
        with self._lock:
            self.used = True
            self._items.append(item)
            self._bytes += item.size
            while self._bytes > self._most_bytes and len(self._items) > 1:
                self._bytes -= self._items.popleft().size
                self.dropped += 1
            must_wake = self._asleep or (self._bytes > self._batch_bytes and self._wake.empty())
            self._asleep = False
            must_start = self._thread is None and not self._stopping
        if must_start:
            self._start()
        elif must_wake:
            self._wake.put(None)

    def watch_metrics(self) -> None:
        """Have the export thread collect metrics at their interval, even if nothing is ever put."""
        self.used = True
        if self._thread is None and not self._stopping:
            self._start()
            self._wake.put(None)

    def in_export_thread(self) -> bool:
        """Whether the caller is the export thread, whose own doings are not recorded."""
        return self._thread is not None and _thread.get_ident() == self._thread.ident

    def held(self) -> bool:
        """Whether the caller, a signal handler, interrupted this thread while it held the queue's lock."""
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 (what Condition uses)

    def flush(self, deadline: float) -> bool:
        """Export everything that waits, until ``deadline`` (``time.monotonic()``); True if it was done in time."""
        if self._thread is None or not self._thread.is_alive():
            return self._drain(deadline)
        # A plain lock: whatever the interrupted main thread holds, waiting on this one is safe in a signal handler.
        done = _thread.allocate_lock()
        done.acquire()
        self._wake.put((deadline, done))
        return done.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping:
                return
            thread = threading.Thread(target=self._run, name="obs-run-export", daemon=True)
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:
                # The interpreter is going down; the flush at the exit works without a thread.
                self._stopping = True

    def _run(self) -> None:
        wake = self._wake
        while True:
            request = self._wait(wake)
            if request is _STOP:
                if self._stopping:
                    return
                continue
            deadline, done = request or (None, None)
            guard.call("export", self._drain, deadline)
            if done is not None:
                done.release()

    def _wait(self, wake: SimpleQueue[Any]) -> Any:
        """Return what the thread is asked for, None when it is time to export."""
        with self._lock:
            empty = self._asleep = not self._items
            pause = self._delay if not empty else None if self._export is None else self._export.pause()
        request = _next(wake, pause)
        if empty and request is None and self._bytes < self._batch_bytes:
            # Woken by the first item after a silence: give others the time to join it.
            request = _next(wake, self._delay)
        return request

    def _drain(self, deadline: float | None) -> bool:
        from obs_run.pipeline.export import Export

        if self._export is None:
            self._export = Export()
        while self._items and not (deadline is not None and time.monotonic() > deadline):
            self._export.batch(self._take(), deadline)
            if self._stopping:
                return False
        self._export.settle(deadline, self._count_dropped())
        self.exported = True
        return not self._items

    def _take(self) -> list[Item]:
        """Remove the oldest items, a batch of them by count and by bytes."""
        taken: list[Item] = []
        size = 0
        with self._lock:
            while self._items and len(taken) < _MOST_ITEMS and size < self._batch_bytes:
                item = self._items.popleft()
                size += item.size
                taken.append(item)
            self._bytes -= size
        return taken

    def _count_dropped(self) -> int:
        with self._lock:
            dropped, self.dropped = self.dropped, 0
        return dropped

    def _before_fork(self) -> None:
        """Send the thread home: a child must not inherit a lock it holds, and Python warns of forks beside threads."""
        with self._lock:
            thread = self._thread
            self._may_start = not self._stopping
            # Until after the fork: another thread's span would start it again.
            self._stopping = True
        if thread is None or _thread.get_ident() == thread.ident:
            return
        self._wake.put(_STOP)
        thread.join(_FORK_PATIENCE)
        if not thread.is_alive():
            self._wake = SimpleQueue()
            self._thread = None

    def _after_fork_in_parent(self) -> None:
        self._stopping = not self._may_start
        if self._items and self._thread is None:
            self._start()

    def _after_fork_in_child(self) -> None:
        self._begin()
        self.dropped = 0
        # Metrics of the child may go straight to the instruments, without the queue.
        self.used = self._export is not None
        from obs_run.sdk import ending

        ending.begin_in_child()
        if self._export is not None:
            self._export.after_fork()


def _next(wake: SimpleQueue[Any], pause: float | None) -> Any:
    try:
        return wake.get(timeout=pause)
    except Empty:
        return None


_STOP = object()
_queue: Queue | None = None
_made = threading.Lock()


def queue() -> Queue:
    """Return the process's queue, made at the first call."""
    global _queue
    if _queue is None:
        # A wrong value is said by a log record, which asks for the queue: that must not happen inside the lock.
        for name in ("OBS_QUEUE_BYTES", "OBS_BATCH_BYTES", "OTEL_BSP_SCHEDULE_DELAY"):
            settings.get(name)
        with _made:
            if _queue is None:
                _queue = Queue()
                from obs_run.sdk import ending

                ending.prepare()
    return _queue


def in_use() -> bool:
    """Whether this process ever put something into its queue, or exports metrics."""
    return _queue is not None and _queue.used


def state_for_signals() -> tuple[bool, bool]:
    """Return whether this thread holds the queue, and whether an export needs no more imports."""
    return (_queue.held(), _queue.exported) if _queue is not None else (False, False)
