"""What reaches a metric reader, in a form that tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

Labels = tuple[tuple[str, Any], ...]


class Exported:
    """Collects from a reader."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def metrics(self) -> dict[str, Any]:
        """The SDK's metrics by name."""
        data = self._reader.get_metrics_data()
        return {
            metric.name: metric
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def values(self, name: str) -> dict[Labels, Any]:
        """The values of one metric by its labels; of histograms count, sum and how many are in each bucket."""
        metric = self.metrics().get(name)
        points = metric.data.data_points if metric is not None else ()
        return {tuple(sorted((point.attributes or {}).items())): _figure(point) for point in points}


def _figure(point: Any) -> Any:
    if hasattr(point, "bucket_counts"):
        return point.count, point.sum, list(point.bucket_counts)
    return point.value
