"""OTLP JSON as the protobuf requests that an OTLP endpoint takes."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.base.encodable import encodable

if TYPE_CHECKING:
    from obs_run.pipeline.signals import Signal

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_REQUESTS: dict[Signal, tuple[str, str]] = {
    "traces": ("trace", "ExportTraceServiceRequest"),
    "logs": ("logs", "ExportLogsServiceRequest"),
    "metrics": ("metrics", "ExportMetricsServiceRequest"),
}


def encode_request(signal: Signal, data: dict[str, Any]) -> bytes:
    """Return the body of a request; ``ValueError`` for what the protocol cannot say."""
    from google.protobuf import json_format

    module, name = _REQUESTS[signal]
    request = getattr(import_module(f"opentelemetry.proto.collector.{module}.v1.{module}_service_pb2"), name)()
    try:
        json_format.ParseDict(_of_protobuf(data), request, ignore_unknown_fields=True)
        return request.SerializeToString()  # type: ignore[no-any-return]
    except (json_format.ParseError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _of_protobuf(value: Any) -> Any:
    """Return OTLP's JSON as that of protocol buffers, where ids are bytes like any others."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_of_protobuf(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_base64(item) if key in _IDS else _of_protobuf(item) for key, item in value.items()}
    return value


def _as_base64(value: str) -> str:
    return b64encode(bytes.fromhex(value)).decode("ascii")
