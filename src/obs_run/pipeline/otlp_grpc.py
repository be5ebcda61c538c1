"""OTLP over gRPC by the official exporters (extra ``grpc``)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from obs_run.core import guard

if TYPE_CHECKING:
    from obs_run.pipeline.destinations import Destination


_EXPORTERS = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}


def destination(signal: str) -> Destination | None:
    """Return the official gRPC exporter of ``signal``; None, said once, where it is not installed."""
    from obs_run.pipeline.destinations import SdkDestination

    module, exporter = _EXPORTERS[signal]
    try:
        found = import_module(f"opentelemetry.exporter.otlp.proto.grpc.{module}")
    except ImportError:
        guard.warn_once("OTEL_EXPORTER_OTLP_PROTOCOL: grpc needs the extra: pip install 'obs-run[grpc]'")
        return None
    return SdkDestination(getattr(found, exporter)())
