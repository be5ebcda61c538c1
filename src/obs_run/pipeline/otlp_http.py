"""The transport of OTLP over HTTP: keeps to deadlines and forks.

The official exporter's transport was measured and does not: leaving takes 9 to 45 s without a collector, and a child
process shares its parent's connection. Source of the wire rules: OTLP specification 1.9, "OTLP/HTTP".
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run._version import __version__
from obs_run.pipeline.otlp_address import Address
from obs_run.pipeline.otlp_answer import read_answer
from obs_run.pipeline.request_buffer import Refused, RetryLater
from obs_run.process import descriptors, private_modules
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    import http.client

    from obs_run.pipeline.otlp_address import EndpointOverride
    from obs_run.pipeline.request_buffer import Outcome, Request
    from obs_run.pipeline.signals import Signal

_RETRYABLE = frozenset({408, 429, 502, 503, 504})
_FIRST_NOT_TAKEN = 300
_LARGEST_ANSWER = 65536
_GZIP = 16 + zlib.MAX_WBITS


class HttpTransport:
    """Posts the requests of one signal over one connection that is kept open; where to, the settings say."""

    def __init__(self, signal: Signal, override: EndpointOverride | None = None) -> None:
        self._signal = signal
        self._address = Address(signal, override)
        self.address = self._address.shown
        self._gzip = settings.otlp(signal, "COMPRESSION") != "none"
        self._http_error: type[Exception] = private_modules.load("http.client").HTTPException
        self._connection: http.client.HTTPConnection | None = None
        self._identity: descriptors.Identity | None = None

    def prepare(self, body: bytes) -> bytes:
        """Return the body as it is posted, compressed where the settings do not say otherwise."""
        if not self._gzip:
            return body
        # The module gzip would ask the agent's clock for the time.
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        return compressor.compress(body) + compressor.flush()

    def send(self, request: Request, until: float) -> Outcome:
        """Post one request."""
        try:
            status, retry_after, answer, location = self._exchange(request.body, until)
        except (OSError, self._http_error) as error:
            self.close()
            return RetryLater(f"{type(error).__name__}: {error}")
        if status in _RETRYABLE:
            return RetryLater(f"status {status}", retry_after)
        if status >= _FIRST_NOT_TAKEN:
            return Refused(str(status), f"to {location}" if location else answer.decode("utf-8", "replace"))
        return read_answer(self._signal, answer)

    def close(self) -> None:
        """Hang up."""
        self._disown_lost()
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _disown_lost(self) -> None:
        """Let go of a connection whose descriptor the agent has closed, and may have taken for something else."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None and descriptors.identity(sock.fileno()) != self._identity:
            sock.detach()
            self._connection = None

    def after_fork(self) -> None:
        """Close the inherited socket without a word on the wire: the connection is the parent's."""
        self._disown_lost()
        if self._connection is not None and self._connection.sock is not None:
            # Closing the descriptor ends no TLS session; SSLSocket.unwrap() would.
            self._connection.sock.close()
        self._connection = None

    def _exchange(self, body: bytes, until: float) -> tuple[int, float | None, bytes, str]:
        self._disown_lost()
        is_reused = self._connection is not None
        try:
            return self._post(body, until)
        except (OSError, self._http_error) as error:
            # A kept-alive connection that the server closed meanwhile says nothing about the server.
            if not is_reused or isinstance(error, TimeoutError):
                raise
            self.close()
            return self._post(body, until)

    def _post(self, body: bytes, until: float) -> tuple[int, float | None, bytes, str]:
        patience = until - time.monotonic()
        if patience <= 0:
            raise TimeoutError("no time left")
        if self._connection is None:
            self._connection = self._address.connect()
        connection = self._connection
        connection.timeout = patience
        if connection.sock is not None:
            connection.sock.settimeout(patience)
        else:
            connection.connect()
            opened: Any = connection.sock
            self._identity = descriptors.identity(opened.fileno())
        connection.request("POST", self._address.path, body, self._headers())
        response = connection.getresponse()
        answer = response.read(_LARGEST_ANSWER)
        retry_after = response.getheader("Retry-After", "").strip()
        if response.will_close or not response.isclosed():
            self.close()
        pause = float(retry_after) if retry_after.isdecimal() else None
        return response.status, pause, answer, response.getheader("Location", "")

    def _headers(self) -> dict[str, str]:
        chosen = self._address.headers.now()
        ours = {"Content-Type": "application/x-protobuf", "User-Agent": f"obs-run/{__version__}"}
        if self._gzip:
            ours["Content-Encoding"] = "gzip"
        return {**{name: value for name, value in ours.items() if name.lower() not in chosen}, **chosen}
