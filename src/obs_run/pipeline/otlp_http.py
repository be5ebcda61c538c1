"""OTLP over HTTP with protobuf: the official encoder, and a transport that keeps to deadlines, forks and sizes.

The official exporter's transport was measured and does not: leaving takes 9 to 45 s without a collector, and a child
process shares its parent's connection. Source of the wire rules: OTLP specification 1.9, "OTLP/HTTP".
"""

from __future__ import annotations

import gzip
import http.client
import logging
import socket
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from obs_run import settings
from obs_run._version import __version__
from obs_run.core import guard
from obs_run.pipeline.encode import encode, halves

_PATHS = {"traces": "v1/traces", "metrics": "v1/metrics", "logs": "v1/logs"}
_RETRYABLE = frozenset({408, 429, 502, 503, 504})
_LARGEST_BODY = 4 * 1024 * 1024
_LONGEST_PAUSE = 30.0

_logger = logging.getLogger("obs_run")


class OtlpHttp:
    """Delivers one signal; what cannot be delivered waits in memory, bounded by bytes, and is tried again."""

    def __init__(self, signal: str) -> None:
        self._signal = signal
        self._address = _Address(signal)
        self._connection: http.client.HTTPConnection | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._most_bytes: int = settings.get("OBS_QUEUE_BYTES")
        self._failures = 0
        self._next_try = 0.0

    def export(self, batch: Any, deadline: float | None) -> None:
        """Encode a batch, put it behind what waits, and deliver if it is time."""
        for part in self._encoded(batch):
            self._waiting.append(part)
            self._waiting_bytes += len(part)
        while self._waiting_bytes > self._most_bytes and len(self._waiting) > 1:
            self._waiting_bytes -= len(self._waiting.popleft())
            guard.warn_once(f"obs-run: {self._signal} were dropped, the collector is away and memory is full")
        self._deliver(deadline)

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

    def _encoded(self, batch: Any) -> list[bytes]:
        body = encode(self._signal, batch)
        if len(body) > _LARGEST_BODY and (parts := halves(batch)) is not None:
            # Many collectors refuse larger bodies; one too large loses its whole batch.
            return [encoded for part in parts for encoded in self._encoded(part)]
        return [gzip.compress(body, 1) if self._address.gzip else body]

    def _deliver(self, deadline: float | None) -> None:
        while self._waiting:
            now = time.monotonic()
            if deadline is None and now < self._next_try:
                return
            patience = self._address.timeout if deadline is None else min(self._address.timeout, deadline - now)
            if patience <= 0 or not self._post(self._waiting[0], patience):
                return
            self._waiting_bytes -= len(self._waiting.popleft())

    def _post(self, body: bytes, patience: float) -> bool:
        """Send one request; True if it need not be sent again."""
        try:
            status, retry_after, answer = self._exchange(body, patience)
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            self._try_later(None, f"{type(error).__name__}: {error}")
            return False
        if status in _RETRYABLE:
            self._try_later(retry_after, f"status {status}")
            return False
        if self._failures:
            _logger.info("obs-run: %s is back", self._address.url)
        self._failures = 0
        if status >= http.client.BAD_REQUEST:
            said = answer[:200].decode("utf-8", "replace").strip()
            guard.warn_once(f"obs-run: {self._address.url} refused {self._signal}: status {status} {said}".rstrip())
        return True

    def _exchange(self, body: bytes, patience: float) -> tuple[int, float | None, bytes]:
        reused = self._connection is not None
        try:
            return self._request(body, patience)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A kept-alive connection that the server closed meanwhile tells nothing about the server.
            if not reused:
                raise
            self._hang_up()
            return self._request(body, patience)

    def _request(self, body: bytes, patience: float) -> tuple[int, float | None, bytes]:
        if self._connection is None:
            self._connection = self._address.connect(patience)
        connection = self._connection
        connection.timeout = patience
        if connection.sock is not None:
            connection.sock.settimeout(patience)
        connection.request("POST", self._address.path, body, self._address.headers)
        response = connection.getresponse()
        answer = response.read()
        retry_after = response.getheader("Retry-After", "")
        if response.will_close:
            self._hang_up()
        return response.status, float(retry_after) if retry_after.isdigit() else None, answer

    def _try_later(self, retry_after: float | None, why: str) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE, 2.0 ** (self._failures - 1)) if retry_after is None else retry_after
        self._next_try = time.monotonic() + pause
        if self._failures == 1:
            # Not a warning: without the agent's own logging set up that would print over its output.
            _logger.info("obs-run: %s is away (%s); %s wait in memory", self._address.url, why, self._signal)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _Address:
    """Where and how to connect, from the standard variables."""

    def __init__(self, signal: str) -> None:
        own = settings.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
        base = settings.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
        self.url: str = own or f"{base.rstrip('/')}/{_PATHS[signal]}"
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            name = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT" if own else "OTEL_EXPORTER_OTLP_ENDPOINT"
            raise ValueError(f"{name}: {own or base!r} is not allowed; allowed: http://host:port or https://host:port")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.timeout: float = settings.otlp(signal, "TIMEOUT") or 10.0
        self.gzip = settings.otlp(signal, "COMPRESSION") != "none"
        self._tls = {key: settings.otlp(signal, key) for key in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")}
        self.headers = {
            "Content-Type": "application/x-protobuf",
            "User-Agent": f"obs-run/{__version__}",
            **({"Content-Encoding": "gzip"} if self.gzip else {}),
            **(settings.otlp(signal, "HEADERS") or {}),
        }

    def connect(self, patience: float) -> http.client.HTTPConnection:
        """Return a connection, not yet opened."""
        if not self._secure:
            return _NoDelayConnection(self._host, self._port, timeout=patience)
        return http.client.HTTPSConnection(self._host, self._port, timeout=patience, context=self._tls_context())

    def _tls_context(self) -> Any:
        import ssl

        context = ssl.create_default_context(cafile=self._tls["CERTIFICATE"])
        if not self._tls["CERTIFICATE"] and not context.get_ca_certs():
            # Slim containers have no system certificates; HTTP clients bring certifi.
            try:
                import certifi
            except ImportError:
                pass
            else:
                context.load_verify_locations(certifi.where())
        if self._tls["CLIENT_CERTIFICATE"]:
            context.load_cert_chain(self._tls["CLIENT_CERTIFICATE"], self._tls["CLIENT_KEY"])
        return context


class _NoDelayConnection(http.client.HTTPConnection):
    """Sends small bodies at once: headers and body are two writes, which Nagle would hold back."""

    def connect(self) -> None:
        """Open the connection."""
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
