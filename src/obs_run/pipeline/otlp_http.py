"""The transport of OTLP over HTTP: keeps to deadlines and forks.

The official exporter's transport was measured and does not: leaving takes 9 to 45 s without a collector, and a child
process shares its parent's connection. Source of the wire rules: OTLP specification 1.9, "OTLP/HTTP".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run._version import __version__
from obs_run.pipeline.otlp_address import Address
from obs_run.pipeline.otlp_answer import read_answer
from obs_run.pipeline.request_buffer import Refused, RetryLater
from obs_run.pipeline.spool import compressed
from obs_run.process import descriptors, private_modules

if TYPE_CHECKING:
    import http.client

    from obs_run.pipeline.otlp_address import EndpointOverride
    from obs_run.pipeline.request_buffer import Outcome, Request
    from obs_run.pipeline.signals import Signal

_RETRYABLE = frozenset({408, 429, 502, 503, 504})
_FIRST_NOT_TAKEN = 300
_LARGEST_ANSWER = 65536
_GATEWAY_TIMEOUT = 504


class _Answer(NamedTuple):
    """What a server answered."""

    status: int
    retry_after: float | None
    text: bytes
    location: str
    is_repeated: bool = False
    """Whether the request was sent twice, and the first one may have been read."""


class HttpTransport:
    """Posts the requests of one signal over one connection that is kept open; where to, the settings say."""

    protocol = "http/protobuf"

    def __init__(self, signal: Signal, override: EndpointOverride | None = None) -> None:
        self._signal = signal
        self._address = Address(signal, override)
        self.address = self._address.shown
        self.key = self._address.key
        self._was_sent = False
        """Whether all of the last request was sent."""
        self.is_gzip = settings.otlp(signal, "COMPRESSION") != "none"
        self._http_error: type[Exception] = private_modules.load("http.client").HTTPException
        self._connection: http.client.HTTPConnection | None = None
        self._identity: descriptors.Identity | None = None

    def prepare(self, body: bytes) -> bytes:
        """Return the body as it is posted, compressed where the settings do not say otherwise."""
        if not self.is_gzip:
            return body
        return compressed(body)

    def send(self, request: Request, until: float) -> Outcome:
        """Post one request."""
        try:
            status, retry_after, text, location, is_repeated = self._exchange(request.body, until)
        except (OSError, self._http_error) as error:
            self.close()
            return RetryLater(f"{type(error).__name__}: {error}", may_have_arrived=self._was_sent)
        if status in _RETRYABLE:
            return RetryLater(f"status {status}", retry_after, may_have_arrived=status == _GATEWAY_TIMEOUT)
        if status >= _FIRST_NOT_TAKEN:
            return Refused(str(status), f"to {location}" if location else text.decode("utf-8", "replace"))
        return read_answer(self._signal, text)._replace(is_repeated=is_repeated)

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

    def _exchange(self, body: bytes, until: float) -> _Answer:
        self._disown_lost()
        if self._connection is not None and _is_dropped(self._connection.sock):
            # A kept-alive connection that the server closed meanwhile says nothing about the server.
            self.close()
        is_reused = self._connection is not None
        self._was_sent = False
        try:
            return self._post(body, until)
        except (OSError, self._http_error) as error:
            if not is_reused or isinstance(error, TimeoutError):
                raise
            # It was closed in this very moment, perhaps after the request had been read.
            self.close()
            was_sent, self._was_sent = self._was_sent, False
            return self._post(body, until)._replace(is_repeated=was_sent)

    def _post(self, body: bytes, until: float) -> _Answer:
        if self._connection is None:
            self._connection = self._address.connect(until)
            self._identity = descriptors.identity(self._connection.sock.fileno())
        connection: Any = self._connection
        connection.sock.until = until
        connection.request("POST", self._address.path, body, self._headers())
        self._was_sent = True
        response = connection.getresponse()
        try:
            text = response.read(_LARGEST_ANSWER)
        except BaseException:
            response.close()
            raise
        retry_after = response.getheader("Retry-After", "").strip()
        if response.will_close or not response.isclosed():
            self.close()
        pause = float(retry_after) if retry_after.isdecimal() else None
        return _Answer(response.status, pause, text, response.getheader("Location", ""))

    def _headers(self) -> dict[str, str]:
        chosen = self._address.headers.now()
        ours = {"Content-Type": "application/x-protobuf", "User-Agent": f"obs-run/{__version__}"}
        if self.is_gzip:
            ours["Content-Encoding"] = "gzip"
        ours |= self._address.proxy_headers
        return {**{name: value for name, value in ours.items() if name.lower() not in chosen}, **chosen}


def _is_dropped(sock: Any) -> bool:
    """Whether the other side has closed an idle connection."""
    import _socket  # as a class of its own, TLS does not let one look ahead

    sock.settimeout(0)
    try:
        return not _socket.socket.recv(sock, 1, _socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
