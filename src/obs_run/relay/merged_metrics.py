"""Collections of metrics made one: points of equal labels are added up, whichever process they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import Gauge, MetricsData, ResourceMetrics, ScopeMetrics

from obs_run.pipeline import merge_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.sdk.metrics.export import Metric
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope


def merged(collections: Iterable[MetricsData | None], resource: Resource, *, has_gauges: bool = True) -> MetricsData:
    """Return all metrics as those of ``resource``; without gauges what was so and is no more is left out."""
    scopes: dict[Any, tuple[InstrumentationScope, dict[Any, list[Metric]]]] = {}
    for scope, metric in _metrics_of(collections):
        if has_gauges or not isinstance(metric.data, Gauge):
            _, metrics = scopes.setdefault((scope.name, scope.version, scope.schema_url), (scope, {}))
            metrics.setdefault(_kind(metric), []).append(metric)
    of_scopes = [
        ScopeMetrics(scope, [_joined(same) for same in metrics.values()], scope.schema_url or "")
        for scope, metrics in scopes.values()
    ]
    return MetricsData([ResourceMetrics(resource, of_scopes, resource.schema_url)] if of_scopes else [])


def labelled(collected: MetricsData, labels: Mapping[str, Any]) -> MetricsData:
    """Return metrics whose points have more labels."""
    of_resources = []
    for of_resource in collected.resource_metrics:
        of_scopes = [
            replace(of_scope, metrics=[_with_labels(metric, labels) for metric in of_scope.metrics])
            for of_scope in of_resource.scope_metrics
        ]
        of_resources.append(replace(of_resource, scope_metrics=of_scopes))
    return MetricsData(of_resources)


def _metrics_of(collections: Iterable[MetricsData | None]) -> Iterator[tuple[InstrumentationScope, Metric]]:
    for collected in collections:
        for of_resource in () if collected is None else collected.resource_metrics:
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    yield of_scope.scope, metric


def _kind(metric: Metric) -> tuple[Any, ...]:
    """Return what two metrics must have in common to be the same one."""
    data = metric.data
    temporality = getattr(data, "aggregation_temporality", None)
    return metric.name, metric.unit, type(data), temporality, getattr(data, "is_monotonic", None)


def _joined(same: list[Metric]) -> Metric:
    first = same[0]
    if len(same) == 1:
        return first
    points = [point for metric in same for point in metric.data.data_points]
    data: Any = first.data
    return replace(first, data=replace(data, data_points=merge_points.merged(points, data)))


def _with_labels(metric: Metric, labels: Mapping[str, Any]) -> Metric:
    data: Any = metric.data
    points = [replace(point, attributes={**(point.attributes or {}), **labels}) for point in data.data_points]
    return replace(metric, data=replace(data, data_points=points))
