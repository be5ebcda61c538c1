"""OTLP over gRPC against a real server on loopback that is away, hangs, refuses, and comes back."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.losses import NOT_DELIVERED, PARTLY_REFUSED, Losses
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.pipeline.otlp_grpc import GrpcTransport
from tests.pauses import assert_puts_off
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.pipeline.signals import Signal
    from tests.unit.agents import Run

    Serve = Callable[..., "Collector"]

grpc: Any = import_module("grpc")
error_details: Any = import_module("google.rpc.error_details_pb2")
status_pb2: Any = import_module("google.rpc.status_pb2")

SERVICES: dict[str, Any] = {
    "trace": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
RETRYABLE = ("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS")


class Collector:
    """Takes every signal; ``failures`` are called first, one for each request, and may abort it."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Any] = []
        self.failures: list[Callable[[Any], Any]] = []
        self.agents: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
        for service, request in SERVICES.items():
            name = f"opentelemetry.proto.collector.{service}.v1.{service.capitalize()}Service"
            handler = grpc.unary_unary_rpc_method_handler(self._export, request.FromString)
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
        self.port: int = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()

    def _export(self, request: Any, context: Any) -> bytes:
        self.agents.append(dict(context.invocation_metadata())["user-agent"])
        if self.failures:
            answer = self.failures.pop(0)(context)
            if answer is not None:
                return bytes(answer)
        self.requests.append(request)
        return b""

    def spans(self) -> list[str]:
        return [
            span.name
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self) -> None:
        self._server.stop(0).wait()


class Otlp(OtlpDestination):
    """OTLP over gRPC to where the settings say, and what it lost."""

    def __init__(self, signal: Signal = "traces") -> None:
        self.losses = Losses()
        super().__init__(signal, GrpcTransport(signal), self.losses)

    def lost(self) -> dict[str, int]:
        return {loss.reason: number for loss, number in self.losses.take_counts().items()}

    def put(self, *names: str, deadline: float | None = None) -> None:
        self.export([_span(name) for name in names], deadline)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_said", set())
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    running: list[Collector] = []

    def start(port: int = 0) -> Collector:
        collector = Collector(port)
        running.append(collector)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        return collector

    yield start
    for collector in running:
        collector.close()


@pytest.fixture
def free_port(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    return port


def _span(name: str) -> ReadableSpan:
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    return ReadableSpan(name, context=context, start_time=1, end_time=2)


def _soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def _abort(status: str, message: str = "") -> Callable[[Any], None]:
    return lambda context: context.abort(grpc.StatusCode[status], message)


def _throttle(seconds: int) -> Callable[[Any], None]:
    info = error_details.RetryInfo()
    info.retry_delay.seconds = seconds
    detail = AnyMessage()
    detail.Pack(info)
    details = status_pb2.Status(code=8, message="later", details=[detail]).SerializeToString()

    def abort(context: Any) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", details),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later")

    return abort


def test_nothing_is_lost_while_the_collector_is_not_there_yet(serve: Serve, free_port: int) -> None:
    otlp = Otlp()
    for number in range(50):
        otlp.put(str(number))
        otlp.retry_pending(_soon())
    assert otlp.seconds_until_due() is not None
    collector = serve(free_port)
    otlp.put("last", deadline=_soon())
    otlp.close(_soon())

    assert collector.spans() == [*map(str, range(50)), "last"]
    assert otlp.lost() == {}


def test_nothing_is_lost_in_an_outage(serve: Serve, free_port: int) -> None:
    before = serve(free_port)
    otlp = Otlp()
    otlp.put("before")
    before.close()
    for number in range(10):
        otlp.put(str(number), deadline=_soon())
    after = serve(free_port)
    otlp.retry_pending(_soon())
    otlp.close(_soon())

    assert before.spans() == ["before"]
    assert after.spans() == [*map(str, range(10))]
    assert otlp.lost() == {}


@pytest.mark.parametrize("status", RETRYABLE)
def test_what_passes_is_tried_again(serve: Serve, status: str) -> None:
    collector = serve()
    collector.failures = [_abort(status), _abort(status)]
    otlp = Otlp()
    assert_puts_off(lambda: otlp.put("a"), otlp.seconds_until_due, 1)
    assert_puts_off(lambda: otlp.retry_pending(_soon()), otlp.seconds_until_due, 2)
    otlp.retry_pending(_soon())
    otlp.close(_soon())

    assert collector.spans() == ["a"]
    assert otlp.lost() == {}


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "UNKNOWN"])
def test_what_does_not_pass_is_said_once_and_counted(
    serve: Serve, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    collector = serve()
    collector.failures = [_abort(status, "not\nfor\x1b[2J you")] * 2
    otlp = Otlp()
    otlp.put("a", "b")
    otlp.put("c")
    otlp.put("d")
    otlp.close(_soon())

    assert collector.spans() == ["d"]
    otlp.losses.report(final=True)
    assert otlp.lost() == {f"refused by destination (status {status})": 3}
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    address = f"http://127.0.0.1:{collector.port}"
    assert line.startswith(f"obs-run: {address} refused traces: status {status} not for [2J you; look at ")


@pytest.mark.parametrize(("asked", "waited"), [(7, 7), (86400, 300)])
def test_a_collector_that_asks_for_patience_gets_it_within_reason(serve: Serve, asked: int, waited: float) -> None:
    collector = serve()
    collector.failures = [_throttle(asked)]
    otlp = Otlp()
    assert_puts_off(lambda: otlp.put("a"), otlp.seconds_until_due, waited)
    otlp.close(_soon())
    assert collector.spans() == ["a"]


def test_what_was_taken_in_part_is_counted(serve: Serve) -> None:
    collector = serve()
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    collector.failures = [lambda _context: answer]
    otlp = Otlp()
    otlp.put("a", "b", "c")
    otlp.close(_soon())
    assert otlp.lost() == {PARTLY_REFUSED: 2}


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_every_signal_goes_to_its_service(serve: Serve, compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("m").create_counter("calls").add(3)
    metrics = reader.get_metrics_data()
    assert metrics is not None
    batches: dict[Signal, Any] = {"traces": [_span("a")], "metrics": metrics, "logs": [making.log("said")]}
    for signal, batch in batches.items():
        otlp = Otlp(signal)
        otlp.export(batch, None)
        otlp.close(_soon())
        assert otlp.lost() == {}

    assert [type(request) for request in collector.requests] == list(SERVICES.values())
    assert all(agent.startswith("obs-run/") for agent in collector.agents)


def test_a_silent_collector_costs_no_more_than_the_deadline_or_the_timeout(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = serve()
    silent = threading.Event()
    collector.failures = [lambda _context: silent.wait(60) or b""] * 3
    try:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
        otlp = Otlp()
        begun = time.monotonic()
        otlp.put("a")
        assert 0.15 < time.monotonic() - begun < 30
        assert otlp.seconds_until_due() is not None
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")
        patient = Otlp()
        begun = time.monotonic()
        patient.put("a", "b", deadline=begun + 0.2)
        patient.close(begun + 0.4)
        patient.close(begun + 0.4)
        assert 0.15 < time.monotonic() - begun < 30
        assert patient.lost() == {NOT_DELIVERED: 2}
    finally:
        silent.set()


def test_a_closed_port_ends_in_a_count(free_port: int) -> None:
    assert free_port
    otlp = Otlp()
    otlp.put("a", "b")
    begun = time.monotonic()
    otlp.close(_soon())
    assert time.monotonic() - begun < 30
    assert otlp.lost() == {NOT_DELIVERED: 2}
    assert otlp.seconds_until_due() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_child_has_a_channel_of_its_own(agent: Run, serve: Serve) -> None:
    collector = serve()
    ran = agent(
        """
        import os
        from opentelemetry import trace
        tracer = trace.get_tracer("agent")
        def span(name):
            tracer.start_span(name).end()
            trace.get_tracer_provider().force_flush()
        span("parent")
        pid = os.fork()
        span("after, in the child" if not pid else "after, in the parent")
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        span("last")
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        OTEL_METRICS_EXPORTER="none",
        OBS_RUN_SPAN="false",
        PYTHONWARNINGS="ignore::DeprecationWarning",
    )
    assert (ran.code, ran.err) == (0, "")
    assert sorted(collector.spans()) == ["after, in the child", "after, in the parent", "last", "parent"]
