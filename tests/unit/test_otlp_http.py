"""The transport, against real servers on loopback that behave as collectors do on bad days."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.losses import BUFFER_FULL, NOT_DELIVERED, NOT_ENCODED, PARTLY_REFUSED, Losses
from obs_run.pipeline.otlp_answer import read_answer
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.pipeline.otlp_http import HttpTransport
from obs_run.pipeline.request_buffer import Delivered, Request, RetryLater
from obs_run.runtime import destinations
from tests.pauses import assert_puts_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obs_run.pipeline.signals import Signal

    Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """Answers with ``answers``, the last of which stays; None hangs up without a word."""

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    answers: list[Answer | None] = field(default_factory=lambda: [(200, {}, b"")])
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                server.connections.append(self.request)
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.paths.append(self.path)
                server.headers.append(dict(self.headers))
                server.bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                server.ports.append(self.client_address[1])
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        class Http(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # refused handshakes are what some tests are about

        self._server = Http((self.host, 0), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def spans(self) -> list[str]:
        return [
            span.name
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def hang_up(self) -> None:
        """Close the idle connections, as servers do after a while."""
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(**options: Any) -> Server:
        server = Server(**options)
        made.append(server)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        return server

    yield make
    for server in made:
        server.close()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_said", set())
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())


class Otlp(OtlpDestination):
    """OTLP over HTTP to where the settings say, and what it lost."""

    def __init__(self, signal: Signal) -> None:
        self.losses = Losses()
        self.http = HttpTransport(signal)
        super().__init__(signal, self.http, self.losses)

    def lost(self) -> dict[str, int]:
        """Return the numbers by reason since the last call."""
        return {loss.reason: number for loss, number in self.losses.take_counts().items()}


SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")


def _span(name: str, size: int = 0) -> ReadableSpan:
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    return ReadableSpan(name, context=context, attributes={"text": "x" * size}, start_time=1, end_time=2)


def _soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def _export(to: Otlp, *names: str, deadline: float | None = None) -> None:
    to.export([_span(name) for name in names], deadline)


def test_one_connection_serves_many_exports(serve: Callable[..., Server]) -> None:
    server = serve()
    made = Otlp("traces")
    for name in "abc":
        _export(made, name)
    made.http.close()

    assert server.spans() == ["a", "b", "c"]
    assert server.paths == ["/v1/traces"] * 3
    assert len(set(server.ports)) == 1
    assert server.headers[0]["Content-Type"] == "application/x-protobuf"
    assert server.headers[0]["Content-Encoding"] == "gzip"
    assert server.headers[0]["User-Agent"].startswith("obs-run/")


def test_a_server_that_closed_the_idle_connection_loses_nothing_even_at_the_end(serve: Callable[..., Server]) -> None:
    server = serve()
    made = Otlp("traces")
    _export(made, "a")
    server.hang_up()
    _export(made, "b", deadline=_soon())
    made.http.close()

    assert server.spans() == ["a", "b"]


def test_503_with_retry_after_is_tried_again_when_it_is_time(serve: Callable[..., Server]) -> None:
    server = serve(answers=[(503, {"Retry-After": "70"}, b""), (200, {}, b"")])
    made = Otlp("traces")
    assert_puts_off(lambda: _export(made, "a"), made.seconds_until_due, 70)
    made.retry_pending(None)
    assert len(server.bodies) == 1, "it is not time"
    made.retry_pending(_soon())
    made.http.close()

    assert server.spans() == ["a", "a"]
    assert made.seconds_until_due() is None
    assert made.lost() == {}


@pytest.mark.parametrize("retry_after", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "²", "-3"])
def test_without_a_usable_retry_after_the_pauses_grow(serve: Callable[..., Server], retry_after: str) -> None:
    serve(answers=[(429, {"Retry-After": retry_after}, b"")])
    made = Otlp("traces")
    for pause in (1, 2, 4, 8, 16, 30, 30, 30):
        made.buffer._next_try = 0
        assert_puts_off(lambda: _export(made, "a"), made.seconds_until_due, pause)
    made.http.close()


def test_a_refusal_is_said_once_counted_and_not_repeated(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(answers=[(400, {}, b"bad\nthing 1"), (400, {}, b"bad thing 2"), (301, {"Location": "/"}, b"")])
    made = Otlp("traces")
    for name in "abc":
        _export(made, name, name)
    made.http.close()

    assert len(server.bodies) == 3
    assert made.seconds_until_due() is None
    made.losses.report(final=True)
    assert made.lost() == {"refused by destination (status 400)": 4, "refused by destination (status 301)": 2}
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    look_at = "look at OTEL_EXPORTER_OTLP_ENDPOINT"
    or_log = "or the log of the server"
    assert lines == [
        f"obs-run: {server.url} refused traces: status 400 bad thing 1; {look_at} and _PROTOCOL, {or_log}",
        f"obs-run: {server.url} refused traces: status 301 to /; {look_at}: it is somewhere else",
    ]


def test_a_silent_server_costs_no_more_than_the_deadline_or_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "100000")
        made = Otlp("traces")
        begun = time.monotonic()
        _export(made, "a", deadline=begun + 0.3)
        assert 0.25 < time.monotonic() - begun < 10
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
        patient = Otlp("traces")
        begun = time.monotonic()
        _export(patient, "a")
        assert time.monotonic() - begun < 10
        assert made.seconds_until_due() is not None
        assert patient.seconds_until_due() is not None


def test_a_closed_port_keeps_what_fits_and_counts_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    monkeypatch.setenv("OBS_QUEUE_BYTES", "60000")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    made = Otlp("traces")
    for _ in range(10):
        made.export([_span("a", 4000)], None)

    assert made.buffer.bytes <= 20000
    assert len(made.buffer) + made.lost()[BUFFER_FULL] == 10
    assert not caplog.records or all(record.levelname == "DEBUG" for record in caplog.records)


def test_headers_compression_paths_and_endpoints_of_one_signal(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{server.url}/base/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YTpi,x-tenant=common")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-tenant=mine")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"{server.url}/my/logs?key=1")
    traces, logs = Otlp("traces"), Otlp("logs")
    _export(traces, "a")
    logs.buffer.add(Request(b"", 1))
    logs.retry_pending(None)
    for made in (traces, logs):
        made.http.close()

    assert server.paths == ["/base/v1/traces", "/my/logs?key=1"]
    assert server.headers[0]["x-tenant"] == "mine"
    assert "authorization" not in server.headers[0]
    assert "Content-Encoding" not in server.headers[0]
    assert server.headers[1]["authorization"] == "Basic YTpi"


def test_a_query_of_the_endpoint_stays_behind_the_signals_path(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{server.url}/base?key=1")
    made = Otlp("traces")
    _export(made, "a")
    made.http.close()
    assert server.paths == ["/base/v1/traces?key=1"]


def test_an_ipv6_endpoint(serve: Callable[..., Server]) -> None:
    try:
        server = serve(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 on loopback")
    made = Otlp("traces")
    _export(made, "a")
    made.http.close()
    assert server.spans() == ["a"]


def test_a_large_batch_is_split_and_all_arrives(serve: Callable[..., Server]) -> None:
    server = serve()
    made = Otlp("traces")
    made.export([_span(str(number), 20_000) for number in range(600)], None)
    made.export([_span("huge", 6_000_000)], None)
    made.http.close()

    assert server.spans() == [*map(str, range(600)), "huge"]
    assert all(len(body) <= 4 * 1024 * 1024 for body in server.bodies[:-1])
    assert made.lost() == {}


def test_one_span_that_cannot_be_encoded_loses_no_other(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve()
    made = Otlp("traces")
    what_is_no_span: Any = object()
    made.export([_span("a"), _span("b"), what_is_no_span, _span("c"), _span("d")], None)
    made.http.close()

    assert server.spans() == ["a", "b", "c", "d"]
    assert made.lost() == {NOT_ENCODED: 1}
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1


def test_after_a_fork_the_child_has_its_own_connection_and_says_nothing_on_the_parents(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    made = Otlp("traces")
    _export(made, "a")
    assert made.http._connection is not None
    inherited = made.http._connection.sock.dup()
    made.after_fork()
    _export(made, "b")
    made.http.close()

    assert server.spans() == ["a", "b"]
    assert len(set(server.ports)) == 2
    inherited.settimeout(0)
    with inherited, pytest.raises(BlockingIOError):
        inherited.recv(1)


@pytest.mark.parametrize("retry_after", ["86400", "99999999999", "9" * 400])
def test_a_server_cannot_silence_us_for_longer_than_five_minutes(
    serve: Callable[..., Server], retry_after: str
) -> None:
    serve(answers=[(503, {"Retry-After": retry_after}, b"")])
    made = Otlp("traces")
    assert_puts_off(lambda: _export(made, "a"), made.seconds_until_due, 300)
    made.http.close()


def _partial_success(rejected: int, message: str = "") -> bytes:
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def test_what_a_server_took_in_part_is_counted_and_said_once(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Answer] = [
        (200, {}, _partial_success(2, "two of no use\x1b[31m\x07 to me")),
        (200, {}, _partial_success(1, "one of no use to me")),
        (200, {}, _partial_success(1 << 60)),
        (200, {}, _partial_success(0, "mind your clock")),
        (200, {}, _partial_success(-5)),
        (200, {}, b"{}"),
        (200, {}, b"\n\x00"),
    ]
    server = serve(answers=[*answers])
    made = Otlp("traces")
    lost = []
    for _ in answers:
        _export(made, "a", "b", "c")
        lost.append(made.lost().get(PARTLY_REFUSED, 0))
    made.http.close()

    assert lost == [2, 1, 3, 0, 0, 0, 0]
    assert made.seconds_until_due() is None
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"obs-run: {server.url}/v1/traces refused 2 of traces: two of no use [31m to me",
        f"obs-run: {server.url}/v1/traces says of traces: mind your clock",
    ]


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_has_a_partial_success(signal: Signal) -> None:
    # The fields have the same numbers in all three; the names are what differs.
    assert read_answer(signal, _partial_success(3, "why")) == Delivered(3, "why")


def test_closing_delivers_what_waits_and_lets_go_of_the_connection(serve: Callable[..., Server]) -> None:
    server = serve(answers=[(503, {"Retry-After": "60"}, b""), (200, {}, b"")])
    made = Otlp("traces")
    _export(made, "a")
    made.close(_soon())
    made.close(_soon())
    assert made.http._connection is None
    assert server.spans() == ["a", "a"]
    _export(made, "b")
    made.close(_soon())

    assert server.spans() == ["a", "a", "b"]
    assert made.lost() == {}


@pytest.mark.parametrize("mood", ["closed", "silent", "unavailable"])
def test_closing_counts_what_is_left_once_and_keeps_to_its_deadline(
    mood: str, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if mood == "unavailable":
            serve(answers=[(503, {}, b"")])
        else:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")
        if mood == "closed":
            listening.close()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "100")
        made = Otlp("traces")
        _export(made, "a", "b")
        _export(made, "c")
        made.buffer._timeout = 60.0
        begun = time.monotonic()
        made.close(begun + 0.3)
        made.close(begun + 0.3)
        took = time.monotonic() - begun

    assert took < 30
    assert made.lost() == {NOT_DELIVERED: 3}
    assert made.seconds_until_due() is None


def test_a_request_that_was_sent_may_have_arrived(serve: Callable[..., Server]) -> None:
    serve(answers=[None, (504, {}, b""), (503, {}, b"")])
    http = HttpTransport("traces")
    outcomes = [http.send(Request(b"", 1), _soon()) for _ in range(3)]
    http.close()
    assert [isinstance(each, RetryLater) and each.may_have_arrived for each in outcomes] == [True, True, False]


DRIPS = {
    "status line": (b"", b"HTTP/1.1 2"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Many: a\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("part", DRIPS)
def test_who_drips_holds_up_nobody_for_longer_than_the_deadline(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    beginning, drop = DRIPS[part]
    is_over = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not is_over.wait(0.05):
                connection.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=drip, args=(listening,))
        dripping.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")
        made = Otlp("traces")
        begun = time.monotonic()
        _export(made, "a", deadline=begun + 1)
        took = time.monotonic() - begun
        made.http.close()
        is_over.set()
        dripping.join()
    assert 0.9 < took < 10
    assert made.buffer.last_failure.startswith("TimeoutError")


def test_a_proxy_gets_what_is_not_for_this_machine(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve()
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://me:s%40cret@"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318")
    made = Otlp("traces")
    _export(made, "a")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", proxy.url)
    direct = Otlp("traces")
    _export(direct, "b")
    made.http.close()
    direct.http.close()
    assert proxy.paths == ["http://collector.example:4318/v1/traces", "/v1/traces"]
    assert proxy.headers[0]["Host"] == "collector.example:4318"
    assert proxy.headers[0]["Proxy-Authorization"] == "Basic bWU6c0BjcmV0"
    assert "Proxy-Authorization" not in proxy.headers[1]
    assert proxy.spans() == ["a", "b"]


# TLS


def test_tls_through_a_proxy_is_a_tunnel(
    serve: Callable[..., Server], authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls=_tls(authority, "collector.example"))
    asked: list[bytes] = []

    def tunnel(listening: socket.socket) -> None:
        near, _ = listening.accept()
        with near, socket.create_connection(("127.0.0.1", server.port)) as far:
            asked.append(near.recv(65536))
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, near))
            back.start()
            _pump(near, far)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=tunnel, args=(listening,))
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example:4318")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", _pem(tmp_path / "ca.pem", authority.cert_pem))
        made = Otlp("traces")
        _export(made, "a")
        made.http.close()
        thread.join()
    assert asked[0].startswith(b"CONNECT collector.example:4318 HTTP/1.")
    assert (server.paths, server.spans()) == (["/v1/traces"], ["a"])


def _pump(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _tls(authority: trustme.CA, host: str = "127.0.0.1", *, mutual: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    if mutual:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _pem(path: Path, blob: trustme.Blob) -> str:
    blob.write_to_path(str(path))
    return str(path)


def test_tls_by_an_authority_of_our_own_whatever_requests_is_told(
    serve: Callable[..., Server], authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls=_tls(authority))
    other = _pem(tmp_path / "other.pem", trustme.CA().cert_pem)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", _pem(tmp_path / "ca.pem", authority.cert_pem))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, other)
    made = Otlp("traces")
    _export(made, "a")
    server.hang_up()
    _export(made, "b", deadline=_soon())
    made.after_fork()
    _export(made, "c")
    made.http.close()

    assert server.spans() == ["a", "b", "c"]


def test_a_server_that_nobody_vouches_for_gets_nothing(serve: Callable[..., Server], authority: trustme.CA) -> None:
    server = serve(tls=_tls(authority))
    made = Otlp("traces")
    _export(made, "a", deadline=_soon())
    assert server.bodies == []
    assert made.seconds_until_due() is not None


def test_mutual_tls(
    serve: Callable[..., Server], authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls=_tls(authority, mutual=True))
    client = authority.issue_cert("agent@example.org")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", _pem(tmp_path / "ca.pem", authority.cert_pem))
    _export(Otlp("traces"), "refused", deadline=_soon())
    assert server.bodies == []
    certificate = _pem(tmp_path / "client.pem", client.cert_chain_pems[0])
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", certificate)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", _pem(tmp_path / "key.pem", client.private_key_pem))
    made = Otlp("traces")
    _export(made, "a")
    made.http.close()

    assert server.spans() == ["a"]


@pytest.mark.parametrize("content", [None, "no PEM"])
@pytest.mark.parametrize("name", ["CERTIFICATE", "CLIENT_CERTIFICATE"])
def test_a_wrong_certificate_is_one_line_for_all_signals(
    name: str,
    content: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "wrong.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:4318")
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", str(path))
    assert [destinations.of(signal, Losses()) for signal in SIGNALS] == [[], [], []]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"OTEL_EXPORTER_OTLP_{name}: {str(path)!r}")
    assert "allowed: a readable PEM file" in caplog.messages[0]
