"""What goes straight to the SDK's aggregations is counted as what goes through its instruments."""

from typing import Any

import pytest
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from obs_run.core import semconv
from obs_run.core.operations import Embedding, Inference, ToolCall, Usage
from obs_run.core.sink import OperationRecord, Timing
from obs_run.pipeline.measurements import Measurements
from obs_run.sdk import metric_reader
from tests.unit.records import record_of

DELTA: Any = {"preferred_temporality": dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)}
VIEWS = (
    View(instrument_name=semconv.METRIC_DURATION, aggregation=ExponentialBucketHistogramAggregation()),
    View(instrument_name=semconv.METRIC_OLD_TOKENS, attribute_keys={semconv.TOKEN_TYPE}),
)


TOOL = record_of(ToolCall(tool_name="weather"), Timing(1.0))


def records() -> list[OperationRecord]:
    chat: dict[str, Any] = {"name": "chat", "provider": "openai", "request_model": "m"}
    operations = [
        (Inference(**chat, usage=Usage(10, 20, cache_read_tokens=5)), Timing(0.5, 0.1, 0.01)),
        (Inference(**chat, usage=Usage(7000, 0)), Timing(2.5)),
        (Inference(**chat, error_type="timeout"), Timing(30.0)),
        (Embedding(name="embeddings", provider="openai", usage=Usage(3)), Timing(0.25)),
        (ToolCall(tool_name="weather"), Timing(0.125)),
        (ToolCall(tool_name="news"), Timing(0.5)),
        (Inference(**chat, usage=Usage(10, 20)), Timing(0.25, 0.2)),
    ]
    return [record_of(operation, timing) for operation, timing in operations]


def points(reader: InMemoryMetricReader) -> dict[str, Any]:
    collected = reader.get_metrics_data()
    found: dict[str, Any] = {}
    for resource in collected.resource_metrics if collected is not None else ():
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            assert metric.name not in found
            data = metric.data
            each = [(sorted((point.attributes or {}).items()), figures(data, point)) for point in data.data_points]
            found[metric.name] = metric.unit, getattr(data, "aggregation_temporality", None), sorted(each)
    return found


def figures(data: Any, point: Any) -> Any:
    if isinstance(data, HistogramData):
        return point.count, point.sum, list(point.bucket_counts), list(point.explicit_bounds), point.min, point.max
    if hasattr(point, "positive"):
        return point.count, point.sum, point.scale, list(point.positive.bucket_counts)
    return point.value


@pytest.mark.parametrize("options", [{}, DELTA], ids=["cumulative", "delta"])
@pytest.mark.parametrize("views", [(), VIEWS], ids=["no views", "views"])
def test_the_same_figures_come_out(options: dict[str, Any], views: tuple[View, ...]) -> None:
    readers = [InMemoryMetricReader(**options) for _ in range(2)]
    providers = [
        MeterProvider([reader], resource=Resource({}), views=views, shutdown_on_exit=False) for reader in readers
    ]
    bypassing = Measurements(providers[0].get_meter("a"), ours=providers[0])
    through = Measurements(providers[1].get_meter("a"))
    assert bypassing._bypass_sdk
    assert not through._bypass_sdk
    for round_ in range(4):
        for measurements in (bypassing, through):
            for record in records() if round_ != 2 else ():
                measurements.record(record)
                if record.kind == "Inference":
                    measurements.cost(0.25 if semconv.USAGE_INPUT_TOKENS in record.attributes else None, record)
        ours, theirs = map(points, readers)
        assert ours == theirs
        assert bool(ours) == (round_ != 2 or not options)


def test_a_reader_that_comes_later_is_served() -> None:
    first, second = InMemoryMetricReader(), InMemoryMetricReader(**DELTA)
    provider = MeterProvider([first], resource=Resource({}), shutdown_on_exit=False)
    if not hasattr(provider, "add_metric_reader"):
        # Readers cannot come later in this version of the SDK.
        assert not hasattr(MeterProvider, "add_metric_reader")
        return
    measurements = Measurements(provider.get_meter("a"), ours=provider)
    measurements.record(TOOL)
    measurements.record(TOOL)
    provider.add_metric_reader(second)
    for _ in range(3):
        measurements.record(TOOL)
    assert points(first)[semconv.METRIC_TOOL_DURATION][2][0][1][0] == 5
    assert points(second)[semconv.METRIC_TOOL_DURATION][2][0][1][0] == 3


def test_counts_begin_at_zero_in_a_child() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)
    measurements = Measurements(provider.get_meter("a"), ours=provider)
    for _ in range(3):
        measurements.record(TOOL)
    metric_reader.begin_at_zero(provider, Resource({}))
    for _ in range(2):
        measurements.record(TOOL)
    assert points(reader)[semconv.METRIC_TOOL_DURATION][2][0][1][0] == 2


def test_where_every_measurement_may_be_an_exemplar_the_sdk_sees_them_all() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(
        [reader], resource=Resource({}), exemplar_filter=AlwaysOnExemplarFilter(), shutdown_on_exit=False
    )
    measurements = Measurements(provider.get_meter("a"), ours=provider)
    assert not measurements._bypass_sdk


def test_the_series_it_remembers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obs_run.pipeline.measurements._MOST_SERIES", 10)
    provider = MeterProvider([InMemoryMetricReader()], resource=Resource({}), shutdown_on_exit=False)
    measurements = Measurements(provider.get_meter("a"), ours=provider)
    for number in range(100):
        measurements.record(record_of(ToolCall(tool_name=f"tool {number}")))
        recorders = [recorder for labels in remembered(measurements) for recorder in labels.recorders]
        assert 0 < len(recorders) <= 12


def remembered(measurements: Measurements) -> list[Any]:
    groups = [group for groups in measurements._groups.values() for group in groups]
    return [labels for group in groups for labels in group.labels.values()]
