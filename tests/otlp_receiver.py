"""A small OTLP/HTTP receiver for tests: it keeps what arrives, or misbehaves as told."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Mood = Literal["up", "silent", "unavailable"]


@dataclass
class Span:
    """A span as it arrived; ids as hexadecimal text, empty for none."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    status: int
    links: list[str]
    events: list[str]


@dataclass
class Log:
    """A log record as it arrived."""

    body: Any
    severity: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Metric:
    """A metric as it arrived: its name, and the attributes of each point."""

    name: str
    unit: str
    points: list[dict[str, Any]]
    values: list[float]
    """The value of each point, of a histogram its count."""
    resource: dict[str, Any]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the default of 5, processes that end together wait a second for their connection to be tried again.
    request_queue_size = 128


@dataclass
class Receiver:
    """A server on a free loopback port; ``mood`` may be changed at any time, ``close`` frees the port."""

    mood: Mood = "up"
    spans: list[Span] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    users: list[tuple[int, int]] = field(default_factory=list)
    """The number of each connection on which something came, and the process id of whom it came from."""
    tls: ssl.SSLContext | None = None
    port: int = 0
    """0 for one that is free."""

    def __post_init__(self) -> None:
        self._woken = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), self._handler())
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening: from now on connections are refused."""
        self._woken.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def wait_for(self, condition: Callable[[Receiver], bool], seconds: float = 60) -> bool:
        """Wait until ``condition`` holds; processes that have ended may still have sent their last a moment ago."""
        end = time.monotonic() + seconds
        while not condition(self):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def named(self, name: str) -> list[Span]:
        """Return the spans of this name."""
        return [span for span in self.spans if span.name == name]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self
        numbers = count()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.number = next(numbers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.requests.append(self.path)
                if receiver.mood == "silent":
                    receiver._woken.wait(60)
                    self.close_connection = True
                    return
                if receiver.mood == "up":
                    receiver._take(self.path, body, self.number)
                self.send_response(200 if receiver.mood == "up" else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _take(self, path: str, body: bytes, connection: int) -> None:
        came: list[Any] = []
        if path == "/v1/traces":
            self.spans.extend(came := list(_spans(ExportTraceServiceRequest.FromString(body))))
        elif path == "/v1/logs":
            self.logs.extend(came := list(_logs(ExportLogsServiceRequest.FromString(body))))
        elif path == "/v1/metrics":
            self.metrics.extend(came := list(_metrics(ExportMetricsServiceRequest.FromString(body))))
        self.users.extend((connection, item.resource["process.pid"]) for item in came if "process.pid" in item.resource)


def _spans(request: ExportTraceServiceRequest) -> Iterable[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _attributes(span.attributes),
                    _attributes(resource.resource.attributes),
                    span.status.code,
                    [link.trace_id.hex() for link in span.links],
                    [event.name for event in span.events],
                )


def _logs(request: ExportLogsServiceRequest) -> Iterable[Log]:
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for log in scope.log_records:
                yield Log(
                    _value(log.body),
                    log.severity_text,
                    log.trace_id.hex(),
                    log.span_id.hex(),
                    _attributes(log.attributes),
                    _attributes(resource.resource.attributes),
                )


def _metrics(request: ExportMetricsServiceRequest) -> Iterable[Metric]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                data = getattr(metric, metric.WhichOneof("data") or "gauge")
                points = [_attributes(point.attributes) for point in data.data_points]
                values = [_number(point) for point in data.data_points]
                yield Metric(metric.name, metric.unit, points, values, _attributes(resource.resource.attributes))


def _number(point: Any) -> float:
    number: float = point.count if hasattr(point, "count") else getattr(point, point.WhichOneof("value"))
    return number


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind)
