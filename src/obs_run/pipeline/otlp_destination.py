"""OTLP as a destination of one signal: encoder, buffer and transport put together, the same for HTTP and gRPC."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline import losses, refusal_advice
from obs_run.pipeline.destination import count_items
from obs_run.pipeline.encode import encode, halves, load
from obs_run.pipeline.request_buffer import Refused, Request, RequestBuffer, RetryLater
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from obs_run.pipeline.destination import Batch
    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.request_buffer import Outcome, Transport
    from obs_run.pipeline.signals import Signal

_LARGEST_BODY = 4 * 1024 * 1024
_LONGEST_MESSAGE = 200
_SIGNALS = 3

_logger = logging.getLogger("obs_run")


class OtlpDestination:
    """Delivers one signal; what cannot be delivered waits in memory, bounded by bytes, and is tried again."""

    def __init__(self, signal: Signal, transport: Transport, lost: Losses) -> None:
        self._signal = signal
        self._transport = transport
        self._count_lost = lost.counter(signal, transport.address)
        self._lost = lost
        self._is_away = False
        self.buffer = RequestBuffer(
            most_bytes=settings.get("OBS_QUEUE_BYTES") // _SIGNALS,
            timeout=settings.otlp(signal, "TIMEOUT") or 10.0,
            count_lost=self._count_lost,
        )

    def load(self) -> None:
        """Import what the first batch needs."""
        load(self._signal)

    def export(self, batch: Batch, deadline: float | None) -> None:
        """Encode a batch, put it behind what waits, and deliver if it is time."""
        for request in self._requests(batch):
            self.buffer.add(request)
        self.buffer.deliver(self._send, deadline)

    def retry_pending(self, deadline: float | None) -> None:
        """Try again what waits, if it is time or with a deadline."""
        self.buffer.deliver(self._send, deadline)

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        return self.buffer.seconds_until_due()

    def after_fork(self) -> None:
        """In a child process: what waits is the parent's, and so is the connection."""
        self._transport.after_fork()
        self.buffer.clear()
        self._is_away = False

    def close(self, deadline: float) -> None:
        """Deliver what waits until the deadline, count what is left as lost, and let go of the connection."""
        if time.monotonic() < deadline:
            self.buffer.deliver(self._send, deadline)
            guard.call("close", self._transport.close)
        self.buffer.give_up(losses.NOT_DELIVERED)

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
                    "obs-run: %s is away (%s); %s wait in memory", self._transport.address, outcome.reason, self._signal
                )
            self._is_away = True
            return outcome
        if self._is_away:
            self._is_away = False
            _logger.debug("obs-run: %s is back", self._transport.address)
        if isinstance(outcome, Refused):
            words = f"status {outcome.status} {_printable(outcome.message)}".split()
            address = self._transport.address.removesuffix(f"/v1/{self._signal}")
            advice = refusal_advice.of(outcome.status)
            self._lost.refuse(address, outcome.status, " ".join(words), advice, self._signal)
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
