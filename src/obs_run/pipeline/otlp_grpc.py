"""The transport of OTLP over gRPC (extra ``grpc``): sends requests that we encoded through a channel of our own.

The official exporters encode and retry themselves and forget what they gave up. Source of the rules which failures are
tried again, and when: OTLP specification 1.9, "OTLP/gRPC Throttling" and "Failures".
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.base.masking import masked_value
from obs_run.pipeline import otlp_address
from obs_run.pipeline.otlp_answer import read_answer
from obs_run.pipeline.request_buffer import Refused, RetryLater
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from obs_run.pipeline.otlp_address import EndpointOverride
    from obs_run.pipeline.request_buffer import Outcome, Request
    from obs_run.pipeline.signals import Signal

_METHODS: dict[Signal, str] = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
_UNANSWERED = frozenset({"CANCELLED", "DEADLINE_EXCEEDED"})
_CUT = ("socket closed", "connection reset", "broken pipe", "goaway", "stream removed")
"""What gRPC says of a connection that ended under a call."""
_RETRYABLE_IF_SAID = "RESOURCE_EXHAUSTED"
_DETAILS = "grpc-status-details-bin"
_BILLION = 1e9


class GrpcTransport:
    """Sends the requests of one signal over one channel, made anew when certificates change and after a fork.

    ``ImportError`` where gRPC is not installed; ``settings.NotAllowedError`` for files of no use.
    """

    protocol = "grpc"
    is_gzip = False

    def __init__(self, signal: Signal, override: EndpointOverride | None = None) -> None:
        self._grpc: Any = import_module("grpc")
        self._signal = signal
        url = urlsplit(override.url if override else otlp_address.grpc_url(signal))
        self._target = url.netloc.rpartition("@")[2]
        self.address = masked_value(f"{url.scheme}://{self._target}")
        self._headers = otlp_address.Headers(signal, url, override)
        self.key = f"{url.scheme}://{self._target}\n{self._headers.account()}"
        self._gzip = settings.otlp(signal, "COMPRESSION") != "none"
        self._files = otlp_address.Files.of(signal) if url.scheme == "https" else None
        self._credentials: Any = None
        self._credentials_of: list[object] = []
        if self._files is not None:
            self._credentials_of = self._files.states()
            self._credentials = otlp_address.credentials(self._files)
        self._channel: Any = None
        self._call: Any = None
        self._inherited: list[Any] = []

    def prepare(self, body: bytes) -> bytes:
        """Return the body as it is: gRPC compresses what it sends itself."""
        return body

    def send(self, request: Request, until: float) -> Outcome:
        """Call the collector's service with one request."""
        self._renew_credentials()
        if self._channel is None:
            self._open()
        metadata = tuple(self._headers.now().items())
        try:
            answer = self._call(request.body, timeout=until - time.monotonic(), metadata=metadata)
        except self._grpc.RpcError as error:
            return self._outcome(error)
        return read_answer(self._signal, answer)

    def close(self) -> None:
        """Close the channel."""
        channel, self._channel, self._call = self._channel, None, None
        if channel is not None:
            channel.close()

    def after_fork(self) -> None:
        """Leave the parent's channel as it is: a call on it hangs in its child, and so does closing it."""
        if self._channel is not None:
            self._inherited.append((self._channel, self._call))
        self._channel = self._call = None

    def _open(self) -> None:
        options = (
            ("grpc.primary_user_agent", f"obs-run/{__version__}"),
            # What the parent's channels connected to is no use to a child, nor what failed to the next try.
            ("grpc.use_local_subchannel_pool", 1),
        )
        compression = self._grpc.Compression.Gzip if self._gzip else self._grpc.Compression.NoCompression
        if self._credentials is None:
            channel = self._grpc.insecure_channel(self._target, options=options, compression=compression)
        else:
            channel = self._grpc.secure_channel(
                self._target, self._credentials, options=options, compression=compression
            )
        self._channel = channel
        # Without serializers: the bytes are encoded already, and those of the answer are read by us.
        self._call = channel.unary_unary(_METHODS[self._signal])

    def _renew_credentials(self) -> None:
        if self._files is None:
            return
        states = self._files.states()
        if states == self._credentials_of:
            return
        self._credentials_of = states
        try:
            self._credentials = otlp_address.credentials(self._files)
        except settings.NotAllowedError as problem:
            guard.warn_once(f"{problem}; the certificate of before stays")
            return
        self.close()

    def _outcome(self, error: Any) -> Outcome:
        status: str = error.code().name
        message = error.details() or ""
        if status == "UNAVAILABLE":
            # A channel that failed to connect waits longer and longer before it tries; when to try is the buffer's.
            self.close()
        delay = _retry_delay(error)
        if status in _RETRYABLE or (status == _RETRYABLE_IF_SAID and delay is not None):
            is_cut = any(word in message.lower() for word in _CUT)
            may_have_arrived = status in _UNANSWERED or (status == "UNAVAILABLE" and is_cut)
            return RetryLater(f"{status}: {message}", delay, may_have_arrived)
        return Refused(status, message)


def _retry_delay(error: Any) -> float | None:
    """Return the seconds that the collector asks to wait, as ``google.rpc.RetryInfo`` in the status's details."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            return guard.call("reading of a status", _delay_in_details, value)
    return None


def _delay_in_details(details: bytes) -> float | None:
    status = import_module("google.rpc.status_pb2").Status.FromString(details)
    for detail in status.details:
        info = import_module("google.rpc.error_details_pb2").RetryInfo()
        if detail.Unpack(info):
            return float(info.retry_delay.seconds + info.retry_delay.nanos / _BILLION)
    return None
