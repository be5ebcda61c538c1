"""Where the telemetry of each signal goes, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.destination import Destinations, SdkDestination

if TYPE_CHECKING:
    from obs_run.pipeline.destination import Destination
    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.request_buffer import Transport
    from obs_run.pipeline.signals import Signal

_NAMES = {
    "traces": "OTEL_TRACES_EXPORTER",
    "metrics": "OTEL_METRICS_EXPORTER",
    "logs": "OTEL_LOGS_EXPORTER",
}


def names(signal: str) -> tuple[str, ...]:
    """Return the names of the destinations of ``signal`` ("traces", "metrics", "logs")."""
    chosen: tuple[str, ...] | None = settings.get(_NAMES[signal])
    if chosen is not None:
        return chosen
    return ("otlp",) if settings.otlp(signal, "ENDPOINT") else ("store",)


def make_all(lost: Losses) -> Destinations:
    """Return where each signal goes; what does not arrive is counted in ``lost``."""
    if settings.get("OTEL_CONFIG_FILE"):
        # The exporters are the file's.
        return Destinations([], [], [])
    return Destinations(of("traces", lost), of("metrics", lost), of("logs", lost))


def of(signal: Signal, lost: Losses) -> list[Destination]:
    """Return the destinations of ``signal``; one that cannot be made is said and left out."""
    destinations = []
    for name in names(signal):
        destination = guard.call(f"{name} exporter for {signal}", _make, name, signal, lost)
        if destination is not None:
            destinations.append(destination)
    return destinations


def _make(name: str, signal: Signal, lost: Losses) -> Destination | None:
    if name == "otlp":
        return _otlp(signal, lost)
    if name == "store":
        return SdkDestination(_store(signal), signal, name, lost)
    if name == "console":
        return SdkDestination(_console(signal), signal, name, lost)
    if name == "memory":
        from obs_run.pipeline import memory

        return SdkDestination(memory.exporter(signal), signal, name, lost)
    # "none" goes nowhere; "prometheus" is a reader of the meter provider.
    return None


def _otlp(signal: Signal, lost: Losses) -> Destination | None:
    from obs_run.pipeline.otlp_destination import OtlpDestination

    try:
        transport = _transport(signal)
    except settings.NotAllowedError as problem:
        guard.warn_once(str(problem))
        return None
    return None if transport is None else OtlpDestination(signal, transport, lost)


def _transport(signal: Signal) -> Transport | None:
    if settings.otlp(signal, "PROTOCOL") != "grpc":
        from obs_run.pipeline.otlp_http import HttpTransport

        return HttpTransport(signal)
    from obs_run.pipeline.otlp_grpc import GrpcTransport

    try:
        return GrpcTransport(signal)
    except ImportError:
        guard.warn_once("OTEL_EXPORTER_OTLP_PROTOCOL: grpc needs the extra: pip install 'obs-run[grpc]'")
        return None


def _store(signal: str) -> Any:
    from obs_run.store import exporters

    classes = {
        "traces": exporters.StoreSpanExporter,
        "metrics": exporters.StoreMetricExporter,
        "logs": exporters.StoreLogExporter,
    }
    read = settings.get
    return classes[signal](read("OBS_STORE_FILE"), read("OBS_STORE_MAX_BYTES"), read("OBS_STORE_KEEP"))


def _console(signal: str) -> Any:
    if signal == "traces":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if signal == "metrics":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter()
    from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter

    return ConsoleLogRecordExporter()
