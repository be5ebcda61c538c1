"""Where the telemetry of each signal goes, as the settings say."""

from __future__ import annotations

from typing import Any, Protocol

from obs_run import settings
from obs_run.base import guard
from obs_run.sdk import providers

_NAMES = {
    "traces": "OTEL_TRACES_EXPORTER",
    "metrics": "OTEL_METRICS_EXPORTER",
    "logs": "OTEL_LOGS_EXPORTER",
}


class Destination(Protocol):
    """Takes batches of one signal on the export thread; never raises for what the network or the disk does."""

    def export(self, batch: Any, deadline: float | None) -> None:
        """Take one batch; with a deadline the process is leaving."""

    def settle(self, deadline: float | None) -> None:
        """Try again what could not be delivered, if it is time."""

    def pause(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""

    def after_fork(self) -> None:
        """In a child process: let go of the parent's connection and of what waits."""


FURTHER: list[Destination] = []
"""Destinations that the agent itself named, for what is given to them by calls on the export thread."""


class SdkDestination:
    """An exporter of the OpenTelemetry SDK's interface as a destination."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, batch: Any, deadline: float | None) -> None:  # noqa: ARG002 (these exporters know no deadline)
        """Give the batch to the exporter; what it fails to deliver is counted, and why is its own to say."""
        result = self._exporter.export(batch)
        if getattr(result, "name", "") == "FAILURE":
            guard.call("measurement", providers.set_up().count_dropped, len(batch) if isinstance(batch, list) else 1)

    def settle(self, deadline: float | None) -> None:
        """Do nothing: these exporters deliver or fail at once."""

    def pause(self) -> float | None:
        """Return None: nothing waits."""

    def after_fork(self) -> None:
        """Tell an exporter that wants to know."""
        if hasattr(self._exporter, "after_fork"):
            self._exporter.after_fork()


def names(signal: str) -> tuple[str, ...]:
    """Return the names of the destinations of ``signal`` ("traces", "metrics", "logs")."""
    chosen: tuple[str, ...] | None = settings.get(_NAMES[signal])
    if chosen is not None:
        return chosen
    return ("otlp",) if settings.otlp(signal, "ENDPOINT") else ("store",)


def of(signal: str) -> list[Destination]:
    """Return the destinations of ``signal``; one that cannot be made is said and left out."""
    made = (guard.call(f"{name} exporter for {signal}", _make, name, signal) for name in names(signal))
    return [destination for destination in made if destination is not None]


def _make(name: str, signal: str) -> Destination | None:
    if name == "otlp":
        return _otlp(signal)
    if name == "store":
        return SdkDestination(_store(signal))
    if name == "console":
        return SdkDestination(_console(signal))
    if name == "memory":
        from obs_run.pipeline import memory

        return SdkDestination(memory.exporter(signal))
    # "none" goes nowhere; "prometheus" is a reader of the meter provider.
    return None


def _otlp(signal: str) -> Destination | None:
    if settings.otlp(signal, "PROTOCOL") == "grpc":
        from obs_run.pipeline import otlp_grpc

        return otlp_grpc.destination(signal)
    from obs_run.pipeline.otlp_http import OtlpHttp

    try:
        return OtlpHttp(signal)
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
