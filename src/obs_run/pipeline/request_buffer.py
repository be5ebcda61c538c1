"""Encoded requests that wait for their destination, in memory and in order; the same for every protocol."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from obs_run.base import guard
from obs_run.pipeline import losses
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.losses import Reason

_LONGEST_BACKOFF = 30.0
_LONGEST_RETRY_AFTER = 300.0  # a server may ask for days, and mean its own maintenance
_MOST_DOUBLINGS = 9


class Request(NamedTuple):
    """The body of one request as it is sent, and how many spans, log records or collections of metrics are in it."""

    body: bytes
    items: int


class Delivered(NamedTuple):
    """The destination took the request, all but ``rejected`` of its items; ``message`` is what it said of them."""

    rejected: int = 0
    message: str = ""


class RetryLater(NamedTuple):
    """The destination is away or asks for patience, of ``seconds`` if it said so."""

    reason: str
    seconds: float | None = None


class Refused(NamedTuple):
    """The destination will not take this request, however often it comes; ``status`` in its protocol's words."""

    status: str
    message: str = ""


Outcome = Delivered | RetryLater | Refused


class Transport(Protocol):
    """Brings requests to one address; used by one thread at a time."""

    address: str
    """The address as it may be shown."""

    def prepare(self, body: bytes) -> bytes:
        """Return an encoded request in the form that waits and is sent, such as compressed."""

    def send(self, request: Request, until: float) -> Outcome:
        """Send one request, in no more time than until ``until`` (``time.monotonic()``)."""

    def close(self) -> None:
        """Let go of the connection; the next request makes a new one."""

    def after_fork(self) -> None:
        """In a child process: let go of the parent's connection without a word on the wire."""


class RequestBuffer:
    """Requests in the order of their arrival, bounded by bytes: when they are too many, the oldest are lost."""

    def __init__(self, most_bytes: int, timeout: float, count_lost: Callable[[int, Reason], None]) -> None:
        self._most_bytes = most_bytes
        self._timeout = timeout
        self._count_lost = count_lost
        self._requests: deque[Request] = deque()
        self._failures = 0
        self._next_try = 0.0
        self.bytes = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._requests)

    def add(self, request: Request) -> None:
        """Put a request behind those that wait."""
        self._requests.append(request)
        self.bytes += len(request.body)

    def deliver(self, send: Callable[[Request, float], Outcome], deadline: float | None) -> None:
        """Send what waits, if it is time or with a deadline, until one has to wait; lose what exceeds the bound."""
        try:
            self._send_all(send, deadline)
        finally:
            # Afterwards, because what was delivered needs no room; the last one stays, whatever its size.
            while self.bytes > self._most_bytes and len(self._requests) > 1:
                self._lose(self._requests[0], losses.BUFFER_FULL)

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        if not self._requests:
            return None
        return max(0.0, self._next_try - time.monotonic())

    def give_up(self, reason: Reason) -> None:
        """Count all that waits as lost; also from another thread than the one that delivers, and that is held up."""
        while self._requests:
            self._lose(self._requests[0], reason)

    def clear(self) -> None:
        """Forget what waits, as a child process does with what is its parent's."""
        self._requests.clear()
        self.bytes = 0
        self._failures = 0
        self._next_try = 0.0

    def _send_all(self, send: Callable[[Request, float], Outcome], deadline: float | None) -> None:
        while self._requests:
            now = time.monotonic()
            if deadline is None and now < self._next_try:
                return
            until = now + self._timeout
            if deadline is not None:
                until = min(until, deadline)
            if until <= now:
                return
            request = self._requests[0]
            outcome = _sent(send, request, until)
            if isinstance(outcome, RetryLater):
                self._wait(outcome)
                return
            self._failures = 0
            if not self._remove(request):
                return
            if isinstance(outcome, Refused):
                self._count_lost(request.items, losses.refused(outcome.status))
            elif outcome.rejected > 0:
                # A server's number; more than there were cannot have been lost.
                self._count_lost(min(outcome.rejected, request.items), losses.PARTLY_REFUSED)

    def _wait(self, outcome: RetryLater) -> None:
        self._failures += 1
        if outcome.seconds is None:
            pause = min(_LONGEST_BACKOFF, 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS))
        else:
            pause = min(_LONGEST_RETRY_AFTER, max(0.0, outcome.seconds))
        self._next_try = time.monotonic() + pause

    def _lose(self, request: Request, reason: Reason) -> None:
        if self._remove(request):
            self._count_lost(request.items, reason)

    def _remove(self, request: Request) -> bool:
        """Remove the oldest request if it is still this one; False if another thread gave it up meanwhile."""
        try:
            self._requests.remove(request)
        except ValueError:
            return False
        self.bytes -= len(request.body)
        return True


def _sent(send: Callable[[Request, float], Outcome], request: Request, until: float) -> Outcome:
    try:
        return send(request, until)
    except Exception as error:  # noqa: BLE001 (the request must not be lost for a failure of ours)
        guard.failed("sending", error)
        return RetryLater(type(error).__name__)
