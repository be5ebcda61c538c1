"""One instrument with one set of attributes, whose measurements but the first go past the SDK to what keeps them.

The SDK cleans, copies and hashes the attributes of each measurement anew, which is most of its cost. What it keeps is
the same either way: views, temporality, limits and every reader are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, TraceBasedExemplarFilter

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.metrics import MeterProvider


class _Measurement:
    """What the SDK's aggregations read of a measurement that is no exemplar."""

    __slots__ = ("attributes", "context", "instrument", "time_unix_nano", "value")

    def __init__(self, instrument: Any, attributes: dict[str, Any]) -> None:
        self.instrument = instrument
        self.attributes = attributes
        self.value: float = 0
        self.time_unix_nano = 0
        self.context = None


class Series:
    """Records the values of one instrument and one set of attributes; of one thread at a time."""

    __slots__ = ("_consumer", "_measure", "_measurement", "_storages", "_targets")

    def __init__(
        self, instrument: Any, measure: Callable[[float, dict[str, Any]], None], attributes: dict[str, Any]
    ) -> None:
        """Begin a series; ``measure`` is the instrument's own method that takes a value."""
        self._measure = measure
        self._measurement = _Measurement(instrument, attributes)
        self._consumer = instrument._measurement_consumer  # noqa: SLF001 (no public way)
        self._storages: Any = None
        self._targets: list[tuple[Any, Any]] | None = None

    def record(self, value: float) -> None:
        """Measure ``value``."""
        measurement = self._measurement
        # A reader may come later; then there is one more target.
        storages = self._consumer._reader_storages  # noqa: SLF001 (no public way)
        if storages is not self._storages:
            self._measure(value, measurement.attributes)
            self._targets = guard.call("metric series", _targets, storages, measurement)
            self._storages = storages
            return
        # The SDK is asked to refuse what it does not count, and where its attribute sets are too many.
        if self._targets is None or value < 0:
            self._measure(value, measurement.attributes)
            return
        measurement.value = value
        for match, key in self._targets:
            with match._lock:  # noqa: SLF001 (as above)
                aggregation = match._attributes_aggregation.get(key)  # noqa: SLF001
                if aggregation is not None:
                    aggregation.aggregate(measurement, False)  # noqa: FBT003 (the SDK's order)
            if aggregation is None:
                # Deltas begin anew with each collection, and a forked child without its parent's counts.
                match.consume_measurement(measurement, False)  # noqa: FBT003


def _targets(storages: Any, measurement: _Measurement) -> list[tuple[Any, Any]] | None:
    """Return where the SDK keeps this series: each reader's and view's match, and the key in it."""
    targets = []
    for storage in storages.values():
        for match in storage._get_or_init_view_instrument_match(measurement.instrument):  # noqa: SLF001
            key = _key(match, measurement.attributes)
            if key is None:
                return None
            targets.append((match, key))
    return targets


def _key(match: Any, attributes: dict[str, Any]) -> Any:
    """Return the key under which a view's match keeps the aggregation of these attributes; None if it has none."""
    wanted = match._view._attribute_keys  # noqa: SLF001 (no public way)
    kept = attributes
    if wanted is not None:
        kept = {name: attributes[name] for name in wanted if name in attributes}
    types = _types(kept)
    for key, aggregation in match._attributes_aggregation.items():  # noqa: SLF001
        theirs = aggregation._attributes  # noqa: SLF001
        # 1, 1.0 and True are equal, and yet are labels of different series.
        if theirs == kept and _types(theirs) == types:
            return key
    return None


def _types(attributes: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in attributes.items()}


def applies_to(provider: MeterProvider) -> bool:
    """Whether the SDK keeps its figures where we know, and measurements of the export thread are never exemplars."""
    exemplar_filter = provider._sdk_config.exemplar_filter  # noqa: SLF001 (no public way)
    if not isinstance(provider._measurement_consumer._reader_storages, dict):  # noqa: SLF001
        return False
    # No span is current there.
    return isinstance(exemplar_filter, (TraceBasedExemplarFilter, AlwaysOffExemplarFilter))
