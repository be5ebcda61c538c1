"""OTLP over HTTP with protobuf: the official encoder, and a transport that keeps to deadlines, forks and sizes.

The official exporter's transport was measured and does not: leaving takes 9 to 45 s without a collector, and a child
process shares its parent's connection. Source of the wire rules: OTLP specification 1.9, "OTLP/HTTP".
"""

from __future__ import annotations

import gzip
import http.client
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.pipeline.encode import encode, halves
from obs_run.pipeline.otlp_address import Address, Elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Elsewhere", "OtlpHttp"]

_RETRYABLE = frozenset({408, 429, 502, 503, 504})
_LARGEST_BODY = 4 * 1024 * 1024
_LARGEST_ANSWER = 65536
_LONGEST_PAUSE = 30.0
_SIGNALS = 3

_logger = logging.getLogger("obs_run")


class _Request(NamedTuple):
    body: bytes
    items: int


class OtlpHttp:
    """Delivers one signal; what cannot be delivered waits in memory, bounded by bytes, and is tried again."""

    def __init__(self, signal: str, lost: Callable[[int], object], elsewhere: Elsewhere | None = None) -> None:
        self._lost = lost
        self._signal = signal
        self._address = Address(signal, elsewhere)
        self._timeout: float = settings.otlp(signal, "TIMEOUT") or 10.0
        self._gzip = settings.otlp(signal, "COMPRESSION") != "none"
        self._connection: http.client.HTTPConnection | None = None
        self._waiting: deque[_Request] = deque()
        self._waiting_bytes = 0
        self._most_bytes: int = settings.get("OBS_QUEUE_BYTES") // _SIGNALS
        self._failures = 0
        self._next_try = 0.0

    def export(self, batch: Any, deadline: float | None) -> None:
        """Encode a batch, put it behind what waits, and deliver if it is time."""
        for request in self._encoded(batch):
            self._waiting.append(request)
            self._waiting_bytes += len(request.body)
        self._deliver(deadline)
        while self._waiting_bytes > self._most_bytes and len(self._waiting) > 1:
            self._lost(self._taken().items)

    def settle(self, deadline: float | None) -> None:
        """Try again what waits, if it is time."""
        self._deliver(deadline)

    def pause(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        return max(0.0, self._next_try - time.monotonic()) if self._waiting else None

    def after_fork(self) -> None:
        """Close the inherited socket without a word on the wire: the connection is the parent's."""
        if self._connection is not None and self._connection.sock is not None:
            # Closing the descriptor ends no TLS session; SSLSocket.unwrap() would.
            self._connection.sock.close()
        self._connection = None
        self._waiting.clear()
        self._waiting_bytes = 0
        self._failures = 0
        self._next_try = 0.0

    def _encoded(self, batch: Any) -> list[_Request]:
        parts = halves(batch)
        # One item that cannot be encoded shall not lose its whole batch.
        body = guard.call(f"encoding of {self._signal}", encode, self._signal, batch)
        if body is None and parts is None:
            self._lost(1)
            return []
        if body is not None and (len(body) <= _LARGEST_BODY or parts is None):
            return [_Request(gzip.compress(body, 1) if self._gzip else body, _count(batch))]
        # Many collectors refuse larger bodies; one too large loses its whole batch.
        return [encoded for part in parts or () for encoded in self._encoded(part)]

    def _deliver(self, deadline: float | None) -> None:
        while self._waiting:
            now = time.monotonic()
            if deadline is None and now < self._next_try:
                return
            until = now + self._timeout
            if deadline is not None:
                until = min(until, deadline)
            if until <= now or not self._post(self._waiting[0], until):
                return
            self._taken()

    def _taken(self) -> _Request:
        request = self._waiting.popleft()
        self._waiting_bytes -= len(request.body)
        return request

    def _post(self, request: _Request, until: float) -> bool:
        """Send one request; True if it need not be sent again."""
        try:
            status, retry_after, answer = self._exchange(request.body, until)
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            self._try_later(None, f"{type(error).__name__}: {error}")
            return False
        if status in _RETRYABLE:
            self._try_later(retry_after, f"status {status}")
            return False
        if self._failures:
            _logger.debug("obs-run: %s is back", self._address.shown)
        self._failures = 0
        if status >= http.client.MULTIPLE_CHOICES:
            self._lost(request.items)
            said = answer[:200].decode("utf-8", "replace").strip()
            line = f"obs-run: {self._address.shown} refused {self._signal}: status {status} {said}"
            guard.warn_once(" ".join(line.split()), about=f"{self._address.shown} {status}")
        return True

    def _exchange(self, body: bytes, until: float) -> tuple[int, float | None, bytes]:
        reused = self._connection is not None
        try:
            return self._request(body, until)
        except (OSError, http.client.HTTPException) as error:
            # A kept-alive connection that the server closed meanwhile tells nothing about the server.
            if not reused or isinstance(error, TimeoutError):
                raise
            self._hang_up()
            return self._request(body, until)

    def _request(self, body: bytes, until: float) -> tuple[int, float | None, bytes]:
        patience = until - time.monotonic()
        if patience <= 0:
            raise TimeoutError("no time left")
        if self._connection is None:
            self._connection = self._address.connect()
        connection = self._connection
        connection.timeout = patience
        if connection.sock is not None:
            connection.sock.settimeout(patience)
        connection.request("POST", self._address.path, body, self._headers())
        response = connection.getresponse()
        answer = response.read(_LARGEST_ANSWER)
        retry_after = response.getheader("Retry-After", "").strip()
        if response.will_close or not response.isclosed():
            self._hang_up()
        return response.status, float(retry_after) if retry_after.isdecimal() else None, answer

    def _headers(self) -> dict[str, str]:
        shown = self._address.headers.now()
        ours = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"obs-run/{__version__}",
            **({"Content-Encoding": "gzip"} if self._gzip else {}),
        }
        return {**{name: value for name, value in ours.items() if name.lower() not in shown}, **shown}

    def _try_later(self, retry_after: float | None, why: str) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE, 2.0 ** min(self._failures - 1, 9)) if retry_after is None else retry_after
        self._next_try = time.monotonic() + pause
        if self._failures == 1:
            # No warning and no information: on the agent's console that would stand amid its output.
            _logger.debug("obs-run: %s is away (%s); %s wait in memory", self._address.shown, why, self._signal)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _count(batch: Any) -> int:
    return len(batch) if isinstance(batch, list) else 1
