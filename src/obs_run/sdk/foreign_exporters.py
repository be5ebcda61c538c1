"""Scrubbing for providers and exporters that a configuration file made: it is put around each of their exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.pipeline import foreign_content, redact_items, redact_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNKNOWN = "OTEL_CONFIG_FILE: {} cannot be scrubbed here: what is private in them leaves as it is"


def scrub_all() -> None:
    """Scrub what the global providers export; where that cannot be done it is said."""
    for signal, scrub in (("spans", _spans), ("log records", _logs), ("metrics", _metrics)):
        # The SDK keeps its processors in private places, which may change.
        if not guard.call("OTEL_CONFIG_FILE", scrub, default=False):
            guard.warn_once(_UNKNOWN.format(signal))


def _spans() -> bool:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        return True
    for processor in _others(provider._active_span_processor._span_processors):  # noqa: SLF001 (no public way)
        if not _around_exporter(getattr(processor, "span_exporter", None), _span):
            _around(processor, "on_end", _span)
    return True


def _logs() -> bool:
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider

    provider = _logs.get_logger_provider()
    if not isinstance(provider, LoggerProvider):
        return True
    for processor in _others(provider._multi_log_record_processor._log_record_processors):  # noqa: SLF001 (as above)
        batches = getattr(processor, "_batch_processor", processor)
        if not _around_exporter(getattr(batches, "_exporter", None), _record):
            guard.warn_once(_UNKNOWN.format(f"log records for {type(processor).__name__}"))
    return True


def _metrics() -> bool:
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider

    provider = metrics.get_meter_provider()
    if not isinstance(provider, MeterProvider):
        return True
    for reader in provider._measurement_consumer._reader_storages:  # noqa: SLF001 (as above)
        redact_metrics.scrubbed(reader)
    return True


def _others(processors: Iterable[Any]) -> list[Any]:
    # Ours is there as on every provider, and feeds an export path that has no destinations now.
    return [processor for processor in processors if not type(processor).__module__.startswith("obs_run.")]


def _around_exporter(exporter: Any, scrub: Callable[[Any], Any]) -> bool:
    """Have an exporter's batches scrubbed, on the thread that exports them; False where there is no exporter."""
    return exporter is not None and _around(exporter, "export", lambda batch: [scrub(item) for item in batch])


def _around(holder: Any, method: str, scrub: Callable[[Any], Any]) -> bool:
    original = getattr(holder, method)

    def scrubbed(given: Any, *args: Any, **options: Any) -> Any:
        return original(scrub(given), *args, **options)

    setattr(holder, method, scrubbed)
    return True


def _span(span: Any) -> Any:
    return redact_items.clean(foreign_content.span(span))


def _record(record: Any) -> Any:
    return redact_items.clean(foreign_content.record(record))
