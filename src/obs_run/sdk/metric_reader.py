"""The metric reader that the export thread collects from, and what its sums are after a fork."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader

from obs_run import settings
from obs_run.base import guard
from obs_run.process.unpatched import RLock, allocate_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource


def _temporality(preference: str) -> dict[type, AggregationTemporality]:
    """Return the temporality of each instrument (OTLP exporter specification, "Additional configuration")."""
    changing = {"lowmemory": (Counter, Histogram), "delta": (Counter, Histogram, ObservableCounter)}
    return dict.fromkeys(changing.get(preference, ()), AggregationTemporality.DELTA)


class QueueReader(MetricReader):
    """Collects when asked, on the asking thread: the SDK's periodic reader has a thread that breaks in forks."""

    def __init__(self, *, is_cumulative: bool = False) -> None:
        # As the official exporter reads the variable for it.
        preference = settings.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
        super().__init__(preferred_temporality={} if is_cumulative else _temporality(preference))
        self._collected: MetricsData | None = None

    def take(self) -> MetricsData | None:
        """Return what the instruments hold now."""
        if getattr(self, "_collect", self) is None:
            # Its set-up has failed, which is said already; the SDK would say it in the agent's log once more.
            return None
        self.collect()
        collected, self._collected = self._collected, None
        return collected

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> None:  # noqa: ARG002 (the interface)
        self._collected = metrics_data

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Do nothing: the export thread collects a last time when the process leaves."""


def add(provider: MeterProvider, reader: MetricReader) -> None:
    """Have ``provider`` read by one more reader."""
    if hasattr(provider, "add_metric_reader"):
        provider.add_metric_reader(reader)
        return
    # SDKs before 1.42 have no public way.
    from opentelemetry.sdk.metrics._internal.metric_reader_storage import MetricReaderStorage

    consumer: Any = provider._measurement_consumer  # noqa: SLF001 (see above)
    its: Any = reader
    storage = MetricReaderStorage(
        provider._sdk_config,  # noqa: SLF001
        its._instrument_class_temporality,  # noqa: SLF001
        its._instrument_class_aggregation,  # noqa: SLF001
    )
    # Replaced and not changed: another thread may go through it.
    consumer._reader_storages = {**consumer._reader_storages, reader: storage}  # noqa: SLF001
    its._set_collect_callback(consumer.collect)  # noqa: SLF001


def begin_at_zero(provider: MeterProvider, resource: Resource) -> None:
    """In a child process: forget the parent's sums, and renew locks that a thread of the parent may have held.

    The SDK keeps both over a fork, so each child would report its parent's counts again. There is no public way.
    """
    config = provider._sdk_config  # noqa: SLF001 (see above)
    config.resource = resource
    consumer = provider._measurement_consumer  # noqa: SLF001
    consumer._lock = allocate_lock()  # noqa: SLF001
    for storage in consumer._reader_storages.values():  # noqa: SLF001
        storage._lock = RLock()  # noqa: SLF001
        for matches in storage._instrument_view_instrument_matches.values():  # noqa: SLF001
            for match in matches:
                match._lock = allocate_lock()  # noqa: SLF001
                match._attributes_aggregation.clear()  # noqa: SLF001


def before_measurements(provider: MeterProvider, notice: Callable[[], bool]) -> None:
    """Have ``notice`` called before each measurement until it returns True; those pass nothing else of ours."""
    _before(provider, "consume_measurement", notice)


def before_observable(provider: MeterProvider, notice: Callable[[], bool]) -> None:
    """Have ``notice`` called before each observable instrument is made, likewise."""
    _before(provider, "register_asynchronous_instrument", notice)


def _before(provider: MeterProvider, method: str, notice: Callable[[], bool]) -> None:
    consumer: Any = provider._measurement_consumer  # noqa: SLF001 (as above)
    original = getattr(type(consumer), method)

    def call(*arguments: Any, **named: Any) -> None:
        if guard.call("measurement", notice, default=True):
            consumer.__dict__.pop(method, None)
        original(consumer, *arguments, **named)

    setattr(consumer, method, call)
