"""Where the telemetry of each signal goes, as the settings say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.pipeline.destination import Destinations, SdkDestination

if TYPE_CHECKING:
    from pathlib import Path

    from obs_run.pipeline.delivery_threads import DeliveryThreads
    from obs_run.pipeline.destination import Destination
    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.request_buffer import Transport
    from obs_run.pipeline.signals import Signal
    from obs_run.pipeline.spool import DestinationSpool, Spool

SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")
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


def make_all(lost: Losses, spool: Spool | None = None, threads: DeliveryThreads | None = None) -> Destinations:
    """Return where each signal goes; what does not arrive is counted in ``lost``."""
    if settings.get("OTEL_CONFIG_FILE"):
        # The exporters are the file's.
        return Destinations([], [], [])
    return Destinations(*(of(signal, lost, spool, threads) for signal in SIGNALS))


def make_spool(lost: Losses) -> Spool | None:
    """Return where on the disk waits what OTLP destinations do not take; None where the settings want none."""
    if not settings.get("OBS_SPOOL"):
        return None
    from obs_run.pipeline.spool import Spool

    return Spool(spool_folder(), settings.get("OBS_SPOOL_BYTES"), settings.get("OBS_SPOOL_KEEP"), lost)


def spool_of(spool: Spool | None, signal: Signal, transport: Transport) -> DestinationSpool | None:
    """Return the part of the spool that is one destination's."""
    if spool is None:
        return None
    from obs_run.pipeline.spool_folder import OtlpEndpoint

    return spool.of(OtlpEndpoint(signal, transport.protocol, transport.address, transport.key))


def spool_folder() -> Path:
    """Return the folder of the spool."""
    from obs_run.store.location import absolute, data_folder

    named = settings.get("OBS_SPOOL_FOLDER")
    return absolute(named) if named else data_folder() / "spool"


def number_of_otlp() -> int:
    """Return how many signals go out by OTLP."""
    return sum("otlp" in names(signal) for signal in SIGNALS)


def of(
    signal: Signal, lost: Losses, spool: Spool | None = None, threads: DeliveryThreads | None = None
) -> list[Destination]:
    """Return the destinations of ``signal``; one that cannot be made is said and left out."""
    destinations = []
    # OTLP first: it delivers beside the caller, who writes what the others take.
    for name in sorted(names(signal), key=lambda name: name != "otlp"):
        make = partial(_otlp, signal, lost, spool, threads) if name == "otlp" else partial(_make, name, signal, lost)
        destination = guard.call(f"{name} exporter for {signal}", make)
        if destination is not None:
            destinations.append(destination)
    return destinations


def _make(name: str, signal: Signal, lost: Losses) -> Destination | None:
    if name == "store":
        return SdkDestination(_store(signal), signal, name, lost, replaces_open_spans=signal == "traces")
    if name == "console":
        return SdkDestination(_console(signal), signal, name, lost)
    if name == "memory":
        from obs_run.pipeline import memory

        return SdkDestination(memory.exporter(signal), signal, name, lost)
    # "none" goes nowhere; "prometheus" is a reader of the meter provider.
    return None


def _otlp(signal: Signal, lost: Losses, spool: Spool | None, threads: DeliveryThreads | None) -> Destination | None:
    from obs_run.pipeline.otlp_destination import OtlpDestination

    try:
        transport = transport_of(signal)
    except settings.NotAllowedError as problem:
        guard.warn_once(str(problem))
        return None
    if transport is None:
        return None
    return OtlpDestination(signal, transport, lost, spool_of(spool, signal, transport), threads)


def transport_of(signal: Signal) -> Transport | None:
    """Return what speaks to the OTLP endpoint of a signal; None, after a line, where that needs the extra."""
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
