"""What a collector answers to a request that it took, the same by HTTP and by gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.pipeline.request_buffer import Delivered

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.signals import Signal

_DELIVERED = Delivered()
_EMPTY_ANSWERS = (b"", b"\x0a\x00")  # the Collector sends the second: a partial success with nothing in it


def read_answer(signal: Signal, answer: bytes) -> Delivered:
    """Return what an answer says of the items that the collector did not take (OTLP 1.9, "Partial Success")."""
    if answer in _EMPTY_ANSWERS:
        return _DELIVERED
    try:
        partial = _parser(signal)(answer).partial_success
    except Exception:  # noqa: BLE001 (some servers answer in JSON or HTML, and took it all the same)
        return _DELIVERED
    rejected = {"traces": "rejected_spans", "metrics": "rejected_data_points", "logs": "rejected_log_records"}
    return Delivered(getattr(partial, rejected[signal]), partial.error_message)


def _parser(signal: Signal) -> Callable[[bytes], Any]:
    if signal == "traces":
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

        return ExportTraceServiceResponse.FromString
    if signal == "logs":
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

        return ExportLogsServiceResponse.FromString
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

    return ExportMetricsServiceResponse.FromString
