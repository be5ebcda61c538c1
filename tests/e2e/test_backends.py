"""The backends without our product: what goes in by OTLP is read back from each."""

import secrets
import socket
import sys
import time
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.e2e.backends import clients, http, run, waiting
from tests.e2e.backends.fixtures import FindTool
from tests.e2e.backends.servers import Backends, CollectorServer, JaegerServer

PROTOBUF = "application/x-protobuf"
SCOPE = InstrumentationScope(name="probe")


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def resource(service: str) -> Resource:
    return Resource(attributes=[text("service.name", service), text("service.instance.id", "one")])


def push_span(collector: clients.Collector, service: str, trace_id: bytes) -> None:
    now = time.time_ns()
    span = Span(
        trace_id=trace_id,
        span_id=b"\x01" * 8,
        name="chat",
        kind=Span.SpanKind.SPAN_KIND_CLIENT,
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
        attributes=[
            text("model", "m-1"),
            KeyValue(key="tokens", value=AnyValue(int_value=12)),
            KeyValue(key="cost", value=AnyValue(double_value=0.5)),
            KeyValue(key="stream", value=AnyValue(bool_value=True)),
            KeyValue(key="stops", value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="end")]))),
        ],
        status=Status(code=Status.StatusCode.STATUS_CODE_ERROR, message="refused"),
        events=[Span.Event(name="exception", time_unix_nano=now, attributes=[text("exception.type", "ValueError")])],
        links=[Span.Link(trace_id=b"\x02" * 16, span_id=b"\x03" * 8)],
    )
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(resource=resource(service), scope_spans=[ScopeSpans(scope=SCOPE, spans=[span])]),
        ]
    )
    assert http.post(f"{collector.otlp_http}/v1/traces", request.SerializeToString(), PROTOBUF) == 200


def push_metric(collector: clients.Collector, service: str) -> None:
    now = time.time_ns()
    total = Sum(
        aggregation_temporality=AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
        is_monotonic=True,
        data_points=[NumberDataPoint(as_int=7, start_time_unix_nano=now - 1_000_000, time_unix_nano=now)],
    )
    metric = Metric(name="probe.tokens", unit="{token}", sum=total)
    request = ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(resource=resource(service), scope_metrics=[ScopeMetrics(scope=SCOPE, metrics=[metric])])
        ]
    )
    assert http.post(f"{collector.otlp_http}/v1/metrics", request.SerializeToString(), PROTOBUF) == 200


def push_log(collector: clients.Collector, service: str, trace_id: bytes) -> None:
    record = LogRecord(
        time_unix_nano=time.time_ns(),
        severity_number=SeverityNumber.SEVERITY_NUMBER_WARN,
        severity_text="WARNING",
        body=AnyValue(string_value="slow answer"),
        trace_id=trace_id,
        span_id=b"\x01" * 8,
    )
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(resource=resource(service), scope_logs=[ScopeLogs(scope=SCOPE, log_records=[record])])
        ]
    )
    assert http.post(f"{collector.otlp_http}/v1/logs", request.SerializeToString(), PROTOBUF) == 200


@pytest.fixture
def service() -> str:
    return f"probe-{secrets.token_hex(4)}"


@pytest.fixture
def trace_id() -> bytes:
    return secrets.token_bytes(16)


def test_a_span_is_read_back_from_jaeger(backends: Backends, service: str, trace_id: bytes) -> None:
    push_span(backends.collector, service, trace_id)

    [span] = backends.jaeger.trace(trace_id.hex())

    assert (span.name, span.kind, span.status, span.status_message) == ("chat", "CLIENT", "ERROR", "refused")
    assert (span.trace_id, span.span_id, span.parent_span_id) == (trace_id.hex(), "01" * 8, "")
    assert span.attributes == {"model": "m-1", "tokens": 12, "cost": 0.5, "stream": True, "stops": ["end"]}
    assert span.end_ns - span.start_ns == 1_000_000
    assert [(event.name, event.attributes) for event in span.events] == [
        ("exception", {"exception.type": "ValueError"})
    ]
    assert [(link.trace_id, link.span_id) for link in span.links] == [("02" * 16, "03" * 8)]
    assert span.resource["service.name"] == service
    assert span.scope == "probe"


def test_a_service_is_found_in_jaeger(backends: Backends, service: str, trace_id: bytes) -> None:
    push_span(backends.collector, service, trace_id)

    assert {span.trace_id for span in backends.jaeger.find(service)} == {trace_id.hex()}
    assert service in backends.jaeger.services()


def test_a_metric_is_answered_by_prometheus(backends: Backends, service: str) -> None:
    push_metric(backends.collector, service)

    [sample] = backends.prometheus.query(f'probe_tokens_total{{job="{service}"}}')

    assert sample.value == 7
    assert sample.labels["instance"] == "one"


def test_the_collectors_own_figures_are_answered_by_prometheus(
    backends: Backends, service: str, trace_id: bytes
) -> None:
    push_span(backends.collector, service, trace_id)

    assert backends.prometheus.query('otelcol_receiver_accepted_spans{job="collector"} > 0')


def test_a_log_is_kept_with_its_trace(backends: Backends, service: str, trace_id: bytes) -> None:
    push_log(backends.collector, service, trace_id)

    [log] = backends.collector.logs(trace_id.hex())

    assert (log.body, log.severity_text, log.span_id) == ("slow answer", "WARNING", "01" * 8)
    assert log.resource["service.name"] == service


def test_a_port_in_use_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(run, "USUAL_PORTS", (port,))
        monkeypatch.setattr(sys, "argv", ["run", str(tmp_path)])
        with pytest.raises(SystemExit, match=f"^port {port} of 127.0.0.1 is in use: end what listens there$"):
            run.main()
    assert not run.is_taken(port)


@pytest.fixture
def apart(backend_tool: FindTool, tmp_path: Path) -> tuple[CollectorServer, JaegerServer]:
    """A Collector and a Jaeger of the test's own, not yet running."""
    backend_tool("collector")
    backend_tool("jaeger")
    jaeger = JaegerServer.at_free_ports(tmp_path)
    return CollectorServer.at_free_ports(tmp_path, jaeger.otlp), jaeger


def test_the_collector_keeps_a_trace_until_jaeger_is_back(
    apart: tuple[CollectorServer, JaegerServer], service: str, trace_id: bytes
) -> None:
    collector, jaeger = apart
    with collector.up() as gate:
        push_span(gate, service, trace_id)
        waiting.until(lambda: gate.figure("otelcol_exporter_queue_size") > 0, "the span waits in the queue")
        with jaeger.up() as found:
            [span] = found.trace(trace_id.hex(), seconds=60)
        waiting.until(lambda: gate.figure("otelcol_exporter_queue_size") == 0, "the queue is empty")

    assert span.resource["service.name"] == service


def test_a_trace_that_waits_survives_a_restart_of_the_collector(
    apart: tuple[CollectorServer, JaegerServer], service: str, trace_id: bytes
) -> None:
    collector, jaeger = apart
    with collector.up() as before:
        push_span(before, service, trace_id)
    with collector.up(), jaeger.up() as found:
        [span] = found.trace(trace_id.hex(), seconds=60)

    assert span.resource["service.name"] == service
