"""The queue between the agent's threads and the one export thread, bounded by bytes, at home in forks and exits.

Light to import: OpenTelemetry is loaded by the export thread when the first item is on its way out.
"""

from __future__ import annotations

import sys

# The module queue would bring more than this, and an agent may have put other classes into it (gevent does).
from _queue import Empty, SimpleQueue
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.items import comes_first
from obs_run.pipeline.losses import NOT_DELIVERED, QUEUE_FULL, Losses
from obs_run.process import own_imports, termination, threads
from obs_run.process.unpatched import RLock, allocate_lock, are_locks_replaced, get_ident, monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.items import Item


class Consumer(Protocol):
    """Takes what the queue gives, on the export thread: ``export_pipeline.ExportPipeline``."""

    def export(self, items: list[Item], deadline: float | None) -> None:
        """Take a batch; with a deadline the process is leaving."""

    def retry_pending(self, deadline: float | None, dropped: int) -> None:
        """Send what is due, and say that ``dropped`` items found the queue full."""

    def seconds_until_due(self) -> float | None:
        """Return the seconds until something is due; None if nothing is."""

    def close(self, deadline: float, dropped: int, left: int) -> None:
        """Send what is due, and close what it has open; ``left`` items stay in the queue."""

    def load(self) -> None:
        """Import what an export imports at its first time."""

    def give_up(self, left: int) -> None:
        """Count what is lost as the export thread is held up; ``left`` items stay in the queue."""

    def after_fork(self) -> None:
        """In a child process: let go of what is the parent's."""


class Items(Protocol):
    """Takes items from the agent's threads, without blocking."""

    def put(self, item: Item) -> None:
        """Hand over one item."""

    def note_begun(self, span: Any) -> None:
        """Take note of a span of the SDK that has begun, for the case that nobody is left to end it."""

    def is_export_thread(self) -> bool:
        """Whether the caller is the export thread, whose own doings are not recorded."""

    def flush(self, deadline: float) -> bool:
        """Have everything on its way until ``deadline`` (``time.monotonic()``); True if it was done in time."""


_MOST_ITEMS = 512
_LEAST_ITEMS = 4
"""How many the queue holds at least, however large they are."""
_FORK_PATIENCE = 0.5
_LOADING_PATIENCE = 3.0
_MOST_LOADING_SECONDS = 30.0
_CLOSE_RESERVE = 0.1
_ORDERED_SHARE = 0.6
"""How much of the time to leave goes to items in their order."""


class Queue:
    """Takes items from any thread without blocking; one daemon thread exports them.

    ``make_consumer`` is called there, when the first item is on its way out. What is left before that counts as lost.
    ``begin`` is called there whenever the thread begins.
    """

    def __init__(
        self, make_consumer: Callable[[], Consumer], lost: Losses, begin: Callable[[], object] | None = None
    ) -> None:
        self._begin_thread = begin
        self._make_consumer = make_consumer
        self._losses = lost
        self._most_bytes: int = settings.get("OBS_QUEUE_BYTES")
        self._largest_share = self._most_bytes // _LEAST_ITEMS
        self._batch_bytes: int = settings.get("OBS_BATCH_BYTES")
        self._delay: float = settings.get("OTEL_BSP_SCHEDULE_DELAY")
        self._consumer: Consumer | None = None
        self._has_exported = False
        self.is_loaded = False
        """Whether everything that an export needs has been imported."""
        self._begin()

    def _begin(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._dropped = 0
        # Reentrant: a signal handler of the agent may log while the same thread is inside put().
        self._lock = RLock()
        self._draining = allocate_lock()
        self._making = allocate_lock()
        self._exporting: int | None = None
        """The thread that holds ``_draining``."""
        # SimpleQueue is reentrant too, which an Event is not.
        self._wake: SimpleQueue[Any] = SimpleQueue()
        self._asleep = False
        self._is_loading = False
        self._thread: threads.BackgroundThread | None = None
        self._stopping = False
        self._step = 0
        self._waited_for = -1
        self.is_used = False

    def put(self, item: Item) -> None:
        """Hand over one item; when the queue is full the oldest go, counted."""
        if sys.is_finalizing():
            # Nobody is left to export it, and the thread may have died with the lock.
            return
        if termination.suspended:
            termination.resume()
        # A larger one is cut to the limits of content on its way out, and shall not throw out all that is older.
        item.size = min(item.size, self._largest_share)
        with self._lock:
            self.is_used = True
            self._items.append(item)
            self._bytes += item.size
            while self._bytes > self._most_bytes and len(self._items) > 1:
                self._bytes -= self._items.popleft().size
                self._dropped += 1
            must_wake = self._asleep or (self._bytes > self._batch_bytes and self._wake.empty())
            self._asleep = False
        if self._thread is None:
            self._start()
        elif must_wake:
            self._wake.put(None)

    def note_begun(self, span: Any) -> None:
        """Do nothing: what is open when this process ends is ended by itself."""

    def watch_metrics(self) -> None:
        """Have the export thread collect metrics at their interval, even if nothing is ever put."""
        self.is_used = True
        if self._thread is None:
            self._start()
            self._wake.put(None)

    def is_export_thread(self) -> bool:
        """Whether the caller is the export thread, whose own doings are not recorded."""
        thread = self._thread  # a fork in another thread may take it away meanwhile
        return thread is not None and thread.is_current()

    def is_held(self) -> bool:
        """Whether the caller, a signal handler, interrupted this thread while it held the queue or exported."""
        return self._exporting == get_ident() or self._lock._is_owned()  # type: ignore[attr-defined]  # noqa: SLF001 (what Condition uses)

    def flush(self, deadline: float) -> bool:
        """Export everything that waits, until ``deadline`` (``time.monotonic()``); True if it was done in time."""
        return self._hurry(deadline, deadline, closing=False)

    def close(self, deadline: float) -> bool:
        """Do the same as the process leaves, close the destinations, and say what was lost; True if done in time."""
        # What is given up is to be counted and said while there is time.
        reserve = min(_CLOSE_RESERVE, max(0.0, deadline - monotonic()) / 10)
        is_done = self._hurry(deadline - reserve, deadline, closing=True)
        if self.is_export_thread():
            return is_done
        if not is_done:
            guard.call("export", self._give_up)
        # Not in the thread: Python aborts a process that goes down while a daemon thread holds the lock of stderr.
        guard.call("export", self._losses.report, final=True)
        return is_done

    def _give_up(self) -> None:
        self._losses.count(self._count_dropped(), QUEUE_FULL)
        left = self._take_all()
        if self._consumer is not None:
            # The thread is held up by what knows no deadline, such as the look-up of a name.
            self._consumer.give_up(left)
        else:
            # It is still loading what an export needs, on a busy machine or with little time to leave.
            self._losses.count(left, NOT_DELIVERED)

    def _hurry(self, deadline: float, patience: float, *, closing: bool) -> bool:
        """Have everything exported until ``deadline``, and wait for that until ``patience``."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            return bool(guard.call("export", self._drain, deadline, closing=closing))
        if self.is_export_thread():
            return False
        # A plain lock: whatever the interrupted main thread holds, waiting on this one is safe in a signal handler.
        done = allocate_lock()
        done.acquire()
        self._wake.put((deadline, closing, done))
        return done.acquire(timeout=max(0.0, patience - monotonic()))

    def _start(self) -> None:
        if are_locks_replaced() or own_imports.show_at_times():
            # What the thread imports must not meet what greenlets import, or what the agent imports by the same names.
            self.load()
        if not self._is_loading:
            self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            # A thread started while the interpreter goes down never runs, and start() would wait for it forever.
            if self._thread is not None or self._stopping or sys.is_finalizing():
                return
            thread = threads.BackgroundThread(self._run)
            # Started inside the lock: a fork in another thread must not meet a thread that cannot be joined yet.
            self._thread = thread
            try:
                thread.start()
            except RuntimeError:
                pass  # no more threads, or the interpreter is going down; the flush at the exit works without one
            finally:
                if not thread.is_alive():
                    self._thread = None

    def load(self) -> None:
        """Have all that an export needs imported, in the calling thread."""
        with self._lock:
            if self._consumer is not None or self._is_loading:
                return
            self._is_loading = True
        try:
            guard.call("export", self._load)
        finally:  # what is thrown into the thread is the agent's
            self._is_loading = False
        if self.is_used and self._thread is None:
            # What came meanwhile, from here or another thread, has left it to the end of this.
            self._start_thread()

    def _load(self) -> None:
        consumer = self._get_consumer(_MOST_LOADING_SECONDS)
        if consumer is not None:
            consumer.load()
            self.is_loaded = True

    def _get_consumer(self, patience: float) -> Consumer | None:
        """Return the consumer, made by the first thread that needs it; None where that takes another too long."""
        if self._consumer is None and self._making.acquire(timeout=patience):
            try:
                if self._consumer is None:
                    self._consumer = self._make_consumer()
            finally:
                self._making.release()
        return self._consumer

    def _run(self) -> None:
        wake = self._wake
        if self._begin_thread is not None:
            guard.call("threads", self._begin_thread)
        while not self._stopping:
            deadline, closing, done = self._wait(wake) or (None, False, None)
            if not self._stopping or done is not None:
                guard.call("export", self._drain, deadline, closing=closing)
            threads.hide()
            if done is not None:
                done.release()
        self._thread = None

    def _wait(self, wake: SimpleQueue[Any]) -> Any:
        """Return the flush that the thread is asked for, None when it is time to export."""
        with self._lock:
            empty = self._asleep = not self._items
            if not empty:
                pause: float | None = self._delay
            else:
                pause = None if self._consumer is None else self._consumer.seconds_until_due()
        request = _next(wake, pause)
        if empty and request is None and not self._stopping and self._bytes < self._batch_bytes:
            # Woken by the first item after a silence: give others the time to join it.
            request = _next(wake, self._delay)
        return request

    def _drain(self, deadline: float | None, *, closing: bool = False) -> bool:
        """Export what waits; one thread at a time, and a flush does not wait for it past its deadline."""
        draining = self._draining
        if not draining.acquire(timeout=-1 if deadline is None else max(0.0, deadline - monotonic())):
            return False
        self._exporting = get_ident()
        try:
            return self._drain_locked(deadline, closing=closing)
        finally:
            self._exporting = None
            draining.release()

    def _drain_locked(self, deadline: float | None, *, closing: bool) -> bool:
        patience = _MOST_LOADING_SECONDS if deadline is None else max(0.0, deadline - monotonic())
        consumer = self._get_consumer(patience)
        if consumer is None:
            return False
        order_at = _share_of(deadline, _ORDERED_SHARE) if closing and deadline is not None else None
        while self._items and not (deadline is not None and monotonic() > deadline):
            if order_at is not None and monotonic() > order_at:
                order_at = None
                self._order_items()
            self._step += 1
            consumer.export(self._take(), deadline)
            self._has_exported = True
            if self._stopping and deadline is None:
                return False
        self._step += 1
        if closing and deadline is not None:
            consumer.close(deadline, self._count_dropped(), self._take_all())
            return True
        consumer.retry_pending(deadline, self._count_dropped())
        if self._has_exported and not self.is_loaded and deadline is None:
            # What came is of one kind, and the last to come at the end is of another.
            consumer.load()
            self.is_loaded = True
        return not self._items

    def _order_items(self) -> None:
        """Have the roots of traces and what failed go first: there will not be time for all."""
        with self._lock:
            self._items = deque(sorted(self._items, key=comes_first, reverse=True))

    def _take(self) -> list[Item]:
        """Remove the oldest items, a batch of them by count and by bytes."""
        taken: list[Item] = []
        size = 0
        with self._lock:
            while self._items and len(taken) < _MOST_ITEMS and (size < self._batch_bytes or not taken):
                item = self._items.popleft()
                size += item.size
                taken.append(item)
            self._bytes -= size
        return taken

    def _take_all(self) -> int:
        """Remove everything that waits; return how many items that were."""
        with self._lock:
            number = len(self._items)
            self._items.clear()
            self._bytes = 0
        return number

    def _count_dropped(self) -> int:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def before_fork(self) -> None:
        """Send the thread home: a child must not inherit a lock it holds, and Python warns of forks beside threads."""
        # Until after the fork: a span of another thread would start it again.
        with self._lock:
            self._stopping = True
            thread = self._thread
        # A thread that once did not come home in time is busy with a silent collector; each fork would wait for it.
        if thread is None or self.is_export_thread() or self._waited_for == self._step:
            return
        self._wake.put(None)
        # While it loads what an export needs, which takes long on a busy machine, it is waited for longer.
        if not thread.join(_FORK_PATIENCE if self._consumer is not None else _LOADING_PATIENCE):
            self._waited_for = self._step

    def after_fork_in_parent(self) -> None:
        """Go on; also without items, for metrics come at their interval and retries at their time."""
        self._stopping = False
        if self._thread is None and (
            self._items or (self._consumer is not None and self._consumer.seconds_until_due() is not None)
        ):
            self._start()

    def resume_without_thread(self) -> None:
        """Go on without the thread: the next item starts it, or the flush at the exit does without."""
        self._stopping = False

    def after_fork_in_child(self) -> None:
        """Begin empty: what waits is the parent's to export."""
        self._begin()
        # Metrics of the child may go straight to the instruments, without the queue.
        self.is_used = self._consumer is not None
        if self._consumer is not None:
            self._consumer.after_fork()


def _share_of(deadline: float, share: float) -> float:
    """Return the time at which so much of what is left until the deadline will be over."""
    now = monotonic()
    return now + (deadline - now) * share


def _next(wake: SimpleQueue[Any], pause: float | None) -> Any:
    try:
        return wake.get(timeout=pause)
    except Empty:
        return None
