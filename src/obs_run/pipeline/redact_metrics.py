"""Scrubbing of collected metrics: labels and what metrics say of themselves; series that become equal are merged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, held_values
from obs_run.core import semconv
from obs_run.pipeline import merge_points, redact, redact_items

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.redact import Redaction

_MOST_CACHED = 4096


class MetricRedaction:
    """Scrubs one collection after another; the same labels come again and again, and are remembered."""

    def __init__(self, redaction: Redaction, items: redact_items.ItemRedaction) -> None:
        self._values = redaction
        self._items = items
        self._cache: dict[int, tuple[Any, Any]] = {}
        self._held = held_values.changes()

    def data(self, collected: Any) -> Any:
        """Return ``MetricsData`` that may leave."""
        return _rebuilt(collected, "resource_metrics", self._resource)

    def _resource(self, metrics: Any) -> Any:
        scoped = _rebuilt(metrics, "scope_metrics", self._scope)
        resource = self._items.resource(metrics.resource)
        return scoped if resource is metrics.resource else replace(scoped, resource=resource)

    def _scope(self, metrics: Any) -> Any:
        clean = _rebuilt(metrics, "metrics", self._metric)
        scope = self._items.scope(metrics.scope)
        return clean if scope is metrics.scope else replace(clean, scope=scope)

    def _metric(self, metric: Any) -> Any:
        """Return a metric that may leave; None for one that cannot, because its name is what must not be told."""
        try:
            if self._values.text(metric.name) is not metric.name:
                guard.warn_once("OBS_PRIVACY: a metric is left out: something private was found in its name")
                return None
            description, unit = self._values.text(metric.description), self._values.text(metric.unit)
        except Exception as error:  # noqa: BLE001 (whatever it was, the texts must not leave as they are)
            redact_items.say_withheld("a metric", error)
            return None
        data = self._data(metric.data)
        if data is metric.data and description is metric.description and unit is metric.unit:
            return metric
        return replace(metric, description=description, unit=unit, data=data)

    def _data(self, data: Any) -> Any:
        points = [self._point(point) for point in data.data_points]
        if all(one is other for one, other in zip(points, data.data_points, strict=True)):
            return data
        return replace(data, data_points=merge_points.merged(points, data))

    def _point(self, point: Any) -> Any:
        attributes = self._labels(point.attributes)
        exemplars = point.exemplars
        if exemplars:
            clean = [self._exemplar(each) for each in exemplars]
            if any(one is not other for one, other in zip(clean, exemplars, strict=True)):
                return replace(point, attributes=attributes, exemplars=clean)
        return point if attributes is point.attributes else replace(point, attributes=attributes)

    def _exemplar(self, exemplar: Any) -> Any:
        attributes = self._labels(exemplar.filtered_attributes)
        return (
            exemplar
            if attributes is exemplar.filtered_attributes
            else replace(exemplar, filtered_attributes=attributes)
        )

    def _labels(self, attributes: Any) -> Any:
        self._values.renew()
        if held_values.changes() != self._held:
            self._held = held_values.changes()
            self._cache.clear()
        cached = self._cache.get(id(attributes))
        if cached is not None and cached[0] is attributes:
            return cached[1]
        try:
            clean = self._values.attributes(attributes)
        except Exception as error:  # noqa: BLE001 (as above)
            redact_items.say_withheld("metric labels", error)
            clean = {semconv.OBS_PRIVACY_WITHHELD: True}
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[id(attributes)] = attributes, clean
        return clean


def _rebuilt(holder: Any, field: str, scrub: Callable[[Any], Any]) -> Any:
    before = getattr(holder, field)
    after = [clean for each in before if (clean := scrub(each)) is not None]
    same = len(before) == len(after) and all(one is other for one, other in zip(before, after, strict=True))
    return holder if same else replace(holder, **{field: after})


def scrubbed(reader: Any) -> Any:
    """Return a metric reader that is given nothing but what may leave; of any kind, also of the agent's own choice."""
    receive = reader._receive_metrics  # noqa: SLF001 (the method that readers are made by)

    def receive_scrubbed(metrics_data: Any, *args: Any, **options: Any) -> Any:
        redaction = shared()
        if redaction is not None and metrics_data is not None:
            # Unlike a span, a collection is withheld whole: the next one has the same sums.
            metrics_data = guard.call("OBS_PRIVACY", redaction.data, metrics_data)
            if metrics_data is None:
                return None
        return receive(metrics_data, *args, **options)

    reader._receive_metrics = receive_scrubbed  # noqa: SLF001
    return reader


_shared: MetricRedaction | None = None
_of: Redaction | None = None


def shared() -> MetricRedaction | None:
    """Return the process's redaction of metrics; None where nothing is to be scrubbed."""
    global _shared, _of
    redaction, items = redact.shared(), redact_items.shared()
    if redaction is None or items is None:
        return None
    if _shared is None or _of is not redaction:
        _shared, _of = MetricRedaction(redaction, items), redaction
    return _shared
