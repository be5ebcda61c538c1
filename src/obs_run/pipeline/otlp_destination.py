"""OTLP as a destination of one signal: encoder, buffer, spool and transport together, the same for HTTP and gRPC."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline import losses, refusal_advice
from obs_run.pipeline.destination import count_items
from obs_run.pipeline.encode import encode, halves, load
from obs_run.pipeline.request_buffer import Refused, Replayed, Request, RequestBuffer, RetryLater
from obs_run.process import descriptors
from obs_run.process.unpatched import RLock, allocate_lock, time

if TYPE_CHECKING:
    from obs_run.pipeline.delivery_threads import DeliveryThreads
    from obs_run.pipeline.destination import Batch
    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.request_buffer import Outcome, Transport
    from obs_run.pipeline.signals import Signal
    from obs_run.pipeline.spool import DestinationSpool

_LARGEST_BODY = 4 * 1024 * 1024
_LONGEST_MESSAGE = 200
_SIGNALS = 3
_SPOOL_RESERVE = 0.2
_LOOK_AGAIN = 1.0

_logger = logging.getLogger("obs_run")


class OtlpDestination:
    """Delivers one signal; what cannot be delivered waits, in memory and then in the spool, and is tried again.

    With ``threads`` it delivers beside the caller, who waits for it only by ``wait`` and ``close``.
    """

    replaces_open_spans = False

    def __init__(
        self,
        signal: Signal,
        transport: Transport,
        lost: Losses,
        spool: DestinationSpool | None = None,
        threads: DeliveryThreads | None = None,
    ) -> None:
        self._signal = signal
        self._transport = transport
        self._count_lost = lost.counter(signal, transport.address)
        self._lost = lost
        self._threads = threads
        self._is_away = False
        self.buffer = RequestBuffer(
            most_bytes=settings.get("OBS_QUEUE_BYTES") // _SIGNALS,
            timeout=settings.otlp(signal, "TIMEOUT") or 10.0,
            count_lost=self._count_lost,
            spool=spool,
            is_gzip=transport.is_gzip,
            count_repeated=self._count_repeated,
        )
        self._begin()

    def _begin(self) -> None:
        self._lock = RLock()
        self._is_wanted = False
        self._is_delivering = False
        self._at_rest = allocate_lock()
        """Held while a thread delivers."""

    def load(self) -> None:
        """Import what the first batch needs."""
        load(self._signal)
        descriptors.load()

    def export(self, batch: Batch, deadline: float | None) -> None:
        """Encode a batch, put it behind what waits, and deliver if it is time."""
        for request in self._requests(batch):
            self.buffer.add(request)
        self._start_delivery(deadline)
        self.buffer.keep_bound()

    def retry_pending(self, deadline: float | None) -> None:
        """Try again what waits, if it is time or with a deadline."""
        if deadline is not None or self.buffer.is_due():
            self._start_delivery(deadline)
        self.buffer.keep_bound()

    def wait(self, deadline: float) -> None:
        """Wait until what waits has been delivered or tried."""
        if self._at_rest.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._at_rest.release()

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        # What comes of a delivery that is going on is not known yet.
        return _LOOK_AGAIN if self._is_delivering else self.buffer.seconds_until_due()

    def is_settled(self) -> bool:
        """Whether all that it was given has arrived, was counted as lost, or is on the disk."""
        return not self.buffer.bytes

    def replay(self) -> Replayed:
        """Send all that processes which are gone left in the spool."""
        return self.buffer.replay(self._send)

    def after_fork(self) -> None:
        """In a child process: what waits is the parent's, and so is the connection."""
        self._transport.after_fork()
        self.buffer.clear()
        self._is_away = False
        self._begin()

    def close(self, deadline: float) -> None:
        """Deliver what waits until the deadline, leave the rest to the spool or count it, and close the connection."""
        left = deadline - time.monotonic()
        if left > 0:
            reserve = min(_SPOOL_RESERVE, left / 10)
            if not (self.buffer.is_hopeless() and self.buffer.spool_all()):
                self._start_delivery(deadline - reserve)
                self.wait(deadline - reserve)
            if not self._is_delivering:
                guard.call("close", self._transport.close)
        rest = self.buffer.close(losses.NOT_DELIVERED)
        if rest.spooled:
            self._lost.keep(rest.spooled, self._base_address(), _printable(self.buffer.last_failure))

    def _start_delivery(self, deadline: float | None) -> None:
        """Have what waits delivered in a thread of its own; in this one where there is none."""
        if self._threads is None:
            self.buffer.deliver(self._send, deadline)
            return
        with self._lock:
            if deadline is not None:
                self.buffer.deadline = deadline
            self._is_wanted = True
            if self._is_delivering:
                return
            self._is_delivering = True
            self._at_rest.acquire()
        if not self._threads.run(self._deliver_all):
            # One after another: each leaves time to those behind it.
            if deadline is not None:
                now = time.monotonic()
                self.buffer.deadline = now + (deadline - now) / 2
            self._deliver_all()

    def _deliver_all(self) -> None:
        while self._take_wish():
            guard.call("export", self.buffer.deliver, self._send, self.buffer.deadline)

    def _take_wish(self) -> bool:
        """Whether there is something to deliver; the delivery is over otherwise."""
        with self._lock:
            if self._is_wanted:
                self._is_wanted = False
                return True
            self._is_delivering = False
            self.buffer.deadline = None
            self._at_rest.release()
            return False

    def _count_repeated(self, number: int) -> None:
        self._lost.count_repeated(number, self._signal, self._transport.address)

    def _base_address(self) -> str:
        return self._transport.address.removesuffix(f"/v1/{self._signal}")

    def _requests(self, batch: Batch) -> list[Request]:
        parts = halves(batch)
        # One item that cannot be encoded shall not lose its whole batch.
        body = guard.call(f"encoding of {self._signal}", encode, self._signal, batch)
        if body is None and parts is None:
            self._count_lost(count_items(batch), losses.NOT_ENCODED)
            return []
        if body is not None and (len(body) <= _LARGEST_BODY or parts is None):
            return [Request(self._transport.prepare(body), count_items(batch))]
        # Many collectors refuse larger bodies; one too large loses its whole batch.
        return [request for part in parts or () for request in self._requests(part)]

    def _send(self, request: Request, until: float) -> Outcome:
        outcome = self._transport.send(request, until)
        if isinstance(outcome, RetryLater):
            if not self._is_away:
                # No warning and no information: on the agent's console that would stand amid its output.
                _logger.debug(
                    "obs-run: %s is away (%s); %s wait", self._transport.address, outcome.reason, self._signal
                )
            self._is_away = True
            return outcome
        if self._is_away:
            self._is_away = False
            _logger.debug("obs-run: %s is back", self._transport.address)
        if isinstance(outcome, Refused):
            words = f"status {outcome.status} {_printable(outcome.message)}".split()
            advice = refusal_advice.of(outcome.status)
            self._lost.refuse(self._base_address(), outcome.status, " ".join(words), advice, self._signal)
        elif outcome.rejected > 0:
            self._warn(f"refused {outcome.rejected} of {self._signal}:", outcome.message, "partial success")
        elif outcome.message:
            self._warn(f"says of {self._signal}:", outcome.message, "message")
        return outcome

    def _warn(self, what: str, message: str, about: str) -> None:
        """Say once what the server says; its text comes from outside, and a terminal obeys control characters."""
        words = f"obs-run: {self._transport.address} {what} {_printable(message)}".split()
        guard.warn_once(" ".join(words).removesuffix(":"), about=f"{self._transport.address} {about}")


def _printable(message: str) -> str:
    start = message[:_LONGEST_MESSAGE]
    return "".join([character if character.isprintable() else " " for character in start])
