"""OTLP over gRPC by the official exporters (extra ``grpc``)."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.core import guard

if TYPE_CHECKING:
    from collections.abc import Callable

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
    # It warns at each try of a collector that is away, which without the agent's own logging set up goes to stderr;
    # what is given up is an error.
    logging.getLogger("opentelemetry.exporter.otlp.proto.grpc").setLevel(logging.ERROR)
    return SdkDestination(_Renewed(getattr(found, exporter)))


class _Renewed:
    """An exporter that is made anew after a fork: a channel of the parent's hangs in its child."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._exporter = make()
        self._inherited: list[Any] = []

    def export(self, batch: Any) -> Any:
        """Export a batch."""
        if self._exporter is None:
            self._exporter = self._make()
        return self._exporter.export(batch)

    def after_fork(self) -> None:
        """Let go of the channel; closing it, as its end would, hangs too."""
        self._inherited.append(self._exporter)
        self._exporter = None
