"""Where the telemetry of each signal goes, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.destination import Destinations, SdkDestination

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.destination import Destination

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


def make_all(lost: Callable[[int], object]) -> Destinations:
    """Return where each signal goes; ``lost(number)`` is told of what a destination had to give up."""
    if settings.get("OTEL_CONFIG_FILE"):
        # The exporters are the file's.
        return Destinations([], [], [])
    return Destinations(of("traces", lost), of("metrics", lost), of("logs", lost))


def of(signal: str, lost: Callable[[int], object]) -> list[Destination]:
    """Return the destinations of ``signal``; one that cannot be made is said and left out."""
    made = (guard.call(f"{name} exporter for {signal}", _make, name, signal, lost) for name in names(signal))
    return [destination for destination in made if destination is not None]


def _make(name: str, signal: str, lost: Callable[[int], object]) -> Destination | None:
    if name == "otlp":
        return _otlp(signal, lost)
    if name == "store":
        return SdkDestination(_store(signal), lost)
    if name == "console":
        return SdkDestination(_console(signal), lost)
    if name == "memory":
        from obs_run.pipeline import memory

        return SdkDestination(memory.exporter(signal), lost)
    # "none" goes nowhere; "prometheus" is a reader of the meter provider.
    return None


def _otlp(signal: str, lost: Callable[[int], object]) -> Destination | None:
    if settings.otlp(signal, "PROTOCOL") == "grpc":
        from obs_run.pipeline import otlp_grpc

        return otlp_grpc.destination(signal, lost)
    from obs_run.pipeline.otlp_http import OtlpHttp

    try:
        return OtlpHttp(signal, lost)
    except settings.NotAllowedError as problem:
        guard.warn_once(str(problem))
        return None


def _store(signal: str) -> Any:
    from obs_run.store import exporters

    made = {
        "traces": exporters.StoreSpanExporter,
        "metrics": exporters.StoreMetricExporter,
        "logs": exporters.StoreLogExporter,
    }
    read = settings.get
    return made[signal](read("OBS_STORE_FILE"), read("OBS_STORE_MAX_BYTES"), read("OBS_STORE_KEEP"))


def _console(signal: str) -> Any:
    if signal == "traces":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if signal == "metrics":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter()
    from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter

    return ConsoleLogRecordExporter()
