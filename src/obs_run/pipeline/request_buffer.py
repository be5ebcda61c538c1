"""Encoded requests that wait for their destination, in order, in memory and then on the disk; for every protocol."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from obs_run.base import guard
from obs_run.pipeline import losses
from obs_run.process.unpatched import RLock, allocate_lock, time

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.losses import Reason
    from obs_run.pipeline.spool import DestinationSpool, Stored

_LONGEST_BACKOFF = 30.0
_LONGEST_RETRY_AFTER = 300.0  # a server may ask for days, and mean its own maintenance
_MOST_DOUBLINGS = 9
_SPOOLED_AFTER = 2.0
"""Seconds in memory after which a request goes to the disk, for the process may be killed."""
_SPOOL_PAUSE = 30.0
"""Seconds until a spool is asked again that has not taken something."""
_SLOW_FAILURE = 0.5
_REPLAYED_BYTES = 1 << 20
_REPLAY_PAUSE = 1.0
"""What other processes left is sent in shares, of so many bytes each so many seconds."""


class Request(NamedTuple):
    """The body of one request as it is sent, and how many spans, log records or collections of metrics are in it."""

    body: bytes
    items: int


class Delivered(NamedTuple):
    """The destination took the request, all but ``rejected`` of its items; ``message`` is what it said of them."""

    rejected: int = 0
    message: str = ""
    is_repeated: bool = False
    """Whether it was sent a second time, after an attempt that may have arrived."""


class RetryLater(NamedTuple):
    """The destination is away or asks for patience, of ``seconds`` if it said so."""

    reason: str
    seconds: float | None = None
    may_have_arrived: bool = False
    """Whether the request was sent, and only the answer is missing."""


class Refused(NamedTuple):
    """The destination will not take this request, however often it comes; ``status`` in its protocol's words."""

    status: str
    message: str = ""


Outcome = Delivered | RetryLater | Refused


class Transport(Protocol):
    """Brings requests to one address; used by one thread at a time."""

    address: str
    """The address as it may be shown."""
    protocol: str
    key: str
    """What tells this destination from others, another account at the same address included; never shown."""
    is_gzip: bool
    """Whether requests wait compressed."""

    def prepare(self, body: bytes) -> bytes:
        """Return an encoded request in the form that waits and is sent, such as compressed."""

    def send(self, request: Request, until: float) -> Outcome:
        """Send one request, in no more time than until ``until`` (``time.monotonic()``)."""

    def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""

    def after_fork(self) -> None:
        """In a child process: let go of the parent's connection without a word on the wire."""


class _Waiting:
    """A request that waits: in memory, or in the spool."""

    __slots__ = ("items", "may_have_arrived", "request", "since", "size", "stored")

    def __init__(self, request: Request) -> None:
        self.request: Request | None = request
        self.items = request.items
        self.size = len(request.body)
        self.since = time.monotonic()
        self.stored: Stored | None = None
        self.may_have_arrived = False


class Left(NamedTuple):
    """How many items were left as the process ended."""

    lost: int
    spooled: int


class Replayed(NamedTuple):
    """What was sent of what other processes left, and why no more of it was."""

    requests: int
    items: int
    failure: str | None


class RequestBuffer:
    """Requests in the order of their arrival; the oldest go to the spool or are lost where memory is full.

    Any thread adds and closes, one at a time delivers.
    """

    def __init__(
        self,
        most_bytes: int,
        timeout: float,
        count_lost: Callable[[int, Reason], None],
        *,
        spool: DestinationSpool | None = None,
        is_gzip: bool = True,
        count_repeated: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._most_bytes = most_bytes
        self._timeout = timeout
        self._count_lost = count_lost
        self._count_repeated = count_repeated
        self._spool = spool
        self._is_gzip = is_gzip
        self._delivering = allocate_lock()
        self._begin()

    def _begin(self) -> None:
        self._lock = RLock()
        self._waiting: deque[_Waiting] = deque()
        self._sent: _Waiting | None = None
        """The one that is being sent at this moment."""
        self._sent_at = 0.0
        self._failures = 0
        self._is_slow = False
        self._next_try = 0.0
        self._next_replay = 0.0
        self._next_store = 0.0
        self.last_failure = ""
        self.deadline: float | None = None
        """When a delivery that is going on has to end, where it was begun without a deadline."""
        self.bytes = 0
        """In memory."""

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._waiting)

    def add(self, request: Request) -> None:
        """Put a request behind those that wait."""
        with self._lock:
            self._waiting.append(_Waiting(request))
            self.bytes += len(request.body)

    def deliver(self, send: Callable[[Request, float], Outcome], deadline: float | None) -> None:
        """Send what waits, if it is time or with a deadline, until one has to wait; then keep to the bound.

        Without a deadline a share of what other processes left in the spool follows.
        """
        if not self._delivering.acquire(blocking=False):
            return
        try:
            self._send_all(send, deadline)
            if deadline is None and self._spool is not None and not self._failures and self._is_free():
                self._replay_share(send)
        finally:
            self._delivering.release()
            self.keep_bound()

    def is_hopeless(self) -> bool:
        """Whether a try takes long already, or the last one took its time to fail: another has no time to succeed."""
        if self._sent is not None:
            return time.monotonic() - self._sent_at > _SPOOLED_AFTER
        return self._is_slow and self._failures > 0

    def is_due(self) -> bool:
        """Whether it is time to send something."""
        now = time.monotonic()
        if self._waiting:
            return now >= self._next_try
        return self._spool is not None and self._spool.has_claimed() and now >= max(self._next_try, self._next_replay)

    def seconds_until_due(self) -> float | None:
        """Return the seconds until there is something to do, None if nothing waits."""
        if self._waiting:
            due = self._next_try
            if self._spool is not None and self.bytes:
                due = min(due, max(self._oldest_in_memory() + _SPOOLED_AFTER, self._next_store))
        elif self._spool is not None and self._spool.has_claimed():
            due = max(self._next_try, self._next_replay)
        else:
            return None
        return max(0.0, due - time.monotonic())

    def keep_bound(self) -> None:
        """Move to the spool what is old, or more than the bound; or lose the oldest but for the last one."""
        if self._spool is not None and self.bytes and time.monotonic() >= self._next_store:
            self._spool_old()
        for waiting in tuple(self._waiting):
            if self.bytes <= max(self._most_bytes, waiting.size):
                return
            if waiting.request is not None and not self._store(waiting):
                self._lose(waiting, losses.BUFFER_FULL)

    def close(self, reason: Reason) -> Left:
        """Leave what waits to the spool, count as lost what cannot be; also while another thread is held up sending."""
        if self._sent is not None:
            self.last_failure = self.last_failure or "no answer"
        self.spool_all()
        lost = spooled = 0
        while self._waiting:
            waiting = self._waiting[0]
            is_stored = waiting.request is None
            if self._remove(waiting):
                if is_stored:
                    spooled += waiting.items if waiting.stored is None or waiting.stored.is_there() else 0
                else:
                    self._count_lost(waiting.items, reason)
                    lost += waiting.items
        if self._spool is not None:
            self._spool.close()
        return Left(lost, spooled)

    def clear(self) -> None:
        """Forget what waits, as a child process does with what is its parent's."""
        self._delivering = allocate_lock()
        self._begin()
        if self._spool is not None:
            self._spool.after_fork()

    def _send_all(self, send: Callable[[Request, float], Outcome], deadline: float | None) -> None:
        while self._waiting:
            until = self._until(deadline)
            waiting = self._waiting[0]
            if until is None:
                return
            request = self._load(waiting)
            if request is None:
                continue
            begun = self._sent_at = time.monotonic()
            self._sent = waiting
            outcome = _sent(send, request, until)
            self._sent = None
            if isinstance(outcome, RetryLater):
                self._is_slow = time.monotonic() - begun > _SLOW_FAILURE
                self._wait(waiting, outcome)
                return
            self._failures = 0
            if not self._remove(waiting):
                return
            self._finish(waiting, outcome)

    def _until(self, deadline: float | None) -> float | None:
        """Return how long the next request may take; None if it is not its time."""
        now = time.monotonic()
        if deadline is None:
            deadline = self.deadline
        if deadline is None and now < self._next_try:
            return None
        until = now + self._timeout
        if deadline is not None:
            until = min(until, deadline)
        return until if until > now else None

    def _load(self, waiting: _Waiting) -> Request | None:
        """Return a request that is to be sent, from the disk if it is there; None if it is no more."""
        if waiting.request is not None:
            return waiting.request
        body = None
        stored = waiting.stored
        if stored is not None and stored.is_there():
            if self._spool is not None and self._spool.is_expired(stored):
                self._spool.lose(stored, losses.SPOOL_OLD)
            else:
                body = stored.read(as_gzip=self._is_gzip)
                if body is None and self._spool is not None:
                    self._spool.lose(stored, losses.SPOOL_DAMAGED)
        if stored is None or body is None:
            self._remove(waiting)
            return None
        stored.note_tried()
        return Request(body, waiting.items)

    def _finish(self, waiting: _Waiting, outcome: Delivered | Refused) -> None:
        if waiting.stored is not None:
            waiting.stored.finish()
        if isinstance(outcome, Refused):
            self._count_lost(waiting.items, losses.refused(outcome.status))
            return
        if outcome.rejected > 0:
            # A server's number; more than there were cannot have been lost.
            self._count_lost(min(outcome.rejected, waiting.items), losses.PARTLY_REFUSED)
        if waiting.may_have_arrived or outcome.is_repeated:
            self._count_repeated(waiting.items)

    def replay(self, send: Callable[[Request, float], Outcome], room: float = float("inf")) -> Replayed:
        """Send what other processes left in the spool, no more than ``room`` bytes."""
        requests = items = 0
        spool = self._spool
        while spool is not None and room > 0 and self._is_free() and (stored := spool.next_claimed()) is not None:
            waiting = _Waiting(Request(b"", stored.items))
            waiting.request, waiting.stored = None, stored
            # Asked before it is noted that it is tried once more.
            waiting.may_have_arrived = stored.is_tried
            request = self._load(waiting)
            if request is None:
                continue
            room -= len(request.body)
            outcome = _sent(send, request, time.monotonic() + self._timeout)
            if isinstance(outcome, RetryLater):
                # What this process has itself to send is tried when it is its time, whatever becomes of this.
                self._note_failure(waiting, outcome)
                self._next_replay = time.monotonic() + _LONGEST_BACKOFF
                return Replayed(requests, items, outcome.reason)
            self._finish(waiting, outcome)
            if isinstance(outcome, Delivered):
                requests, items = requests + 1, items + waiting.items
        return Replayed(requests, items, None)

    def _replay_share(self, send: Callable[[Request, float], Outcome]) -> None:
        if time.monotonic() >= self._next_replay and self.replay(send, _REPLAYED_BYTES).failure is None:
            self._next_replay = time.monotonic() + _REPLAY_PAUSE

    def _is_free(self) -> bool:
        """Whether there is nothing of this process's own to send, and it goes on."""
        return not self._waiting and self.deadline is None

    @staticmethod
    def _note_failure(waiting: _Waiting, outcome: RetryLater) -> None:
        waiting.may_have_arrived |= outcome.may_have_arrived
        if waiting.stored is not None and not waiting.may_have_arrived:
            waiting.stored.note_waiting()

    def _wait(self, waiting: _Waiting, outcome: RetryLater) -> None:
        self._note_failure(waiting, outcome)
        self.last_failure = outcome.reason
        self._failures += 1
        if outcome.seconds is None:
            pause = min(_LONGEST_BACKOFF, 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS))
        else:
            pause = min(_LONGEST_RETRY_AFTER, max(0.0, outcome.seconds))
        self._next_try = time.monotonic() + pause

    def _oldest_in_memory(self) -> float:
        return min((waiting.since for waiting in tuple(self._waiting) if waiting.request is not None), default=0.0)

    def _spool_old(self) -> None:
        limit = time.monotonic() - _SPOOLED_AFTER
        for waiting in tuple(self._waiting):
            if waiting.request is None:
                continue
            if waiting.since > limit:
                return
            if not self._store(waiting):
                self._next_store = time.monotonic() + _SPOOL_PAUSE
                return

    def spool_all(self) -> bool:
        """Move all that waits in memory to the spool; False where it does not take all."""
        return all(waiting.request is None or self._store(waiting) for waiting in tuple(self._waiting))

    def _store(self, waiting: _Waiting) -> bool:
        """Move a request to the spool; False where there is none or it does not take it."""
        request = waiting.request
        if self._spool is None or request is None:
            return False
        is_tried = waiting.may_have_arrived or waiting is self._sent
        stored: Stored | None = guard.call(
            "spool", self._spool.store, request.body, request.items, is_gzip=self._is_gzip, is_tried=is_tried
        )
        if stored is None:
            return False
        with self._lock:
            if waiting in self._waiting and waiting.request is not None:
                waiting.stored, waiting.request = stored, None
                self.bytes -= waiting.size
                return True
        # It arrived or was given up in this very moment.
        stored.finish()
        return True

    def _lose(self, waiting: _Waiting, reason: Reason) -> None:
        if self._remove(waiting):
            self._count_lost(waiting.items, reason)

    def _remove(self, waiting: _Waiting) -> bool:
        """Remove a request if it still waits; False if another thread has removed it meanwhile."""
        with self._lock:
            try:
                self._waiting.remove(waiting)
            except ValueError:
                return False
            if waiting.request is not None:
                self.bytes -= waiting.size
            return True


def _sent(send: Callable[[Request, float], Outcome], request: Request, until: float) -> Outcome:
    try:
        return send(request, until)
    except Exception as error:  # noqa: BLE001 (the request must not be lost for a failure of ours)
        guard.failed("sending", error)
        return RetryLater(type(error).__name__)
