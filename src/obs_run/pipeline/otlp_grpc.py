"""OTLP over gRPC by the official exporters (extra ``grpc``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core import guard

if TYPE_CHECKING:
    from obs_run.pipeline.destinations import Destination


def destination(signal: str) -> Destination | None:
    """Return the official gRPC exporter of ``signal``; None, said once, where it is not installed."""
    from obs_run.pipeline.destinations import SdkDestination

    try:
        if signal == "traces":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Exporter
        elif signal == "metrics":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Exporter
        else:
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as Exporter
    except ImportError:
        guard.warn_once("OTEL_EXPORTER_OTLP_PROTOCOL: grpc needs the extra: pip install 'obs-run[grpc]'")
        return None
    return SdkDestination(Exporter())
