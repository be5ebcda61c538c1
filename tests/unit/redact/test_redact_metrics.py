from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

from obs_run.pipeline import redact, redact_metrics
from obs_run.pipeline.redact import Redaction
from obs_run.pipeline.redact_items import ItemRedaction
from obs_run.pipeline.redact_metrics import MetricRedaction
from tests.unit.scrubbers import Failing, Small


def _redaction(scrubber: Small) -> MetricRedaction:
    values = Redaction(scrubber)
    return MetricRedaction(values, ItemRedaction(values))


@pytest.fixture
def redaction() -> MetricRedaction:
    return _redaction(Small())


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def meter(reader: InMemoryMetricReader) -> Any:
    return MeterProvider([reader], resource=Resource({"team": "SECRET1"}), shutdown_on_exit=False).get_meter("agent")


def _collected(reader: Any) -> MetricsData:
    data = reader.get_metrics_data()
    assert data is not None
    return data  # type: ignore[no-any-return]


def _points(data: MetricsData) -> dict[str, list[Any]]:
    [resource] = data.resource_metrics
    return {metric.name: list(metric.data.data_points) for scope in resource.scope_metrics for metric in scope.metrics}


def test_what_has_nothing_to_hide_passes_as_the_same_object(redaction: MetricRedaction) -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False).get_meter("agent")
    meter.create_counter("jobs").add(1, {"kind": "small"})
    data = _collected(reader)
    assert redaction.data(data) is data


def test_sums_that_become_equal_add_up(reader: Any, meter: Any, redaction: MetricRedaction) -> None:
    for number in range(3):
        meter.create_counter("jobs").add(number + 1, {"key": f"SECRET{number}", "kind": "a"})
        meter.create_up_down_counter("open").add(-number, {"key": f"SECRET{number}"})
    meter.create_counter("jobs").add(10, {"key": "none", "kind": "a"})
    data = _collected(reader)
    told = redaction.data(data)
    found = {
        name: [(dict(point.attributes), point.value) for point in points] for name, points in _points(told).items()
    }
    assert found == {
        "jobs": [({"key": "[secret]", "kind": "a"}, 6), ({"key": "none", "kind": "a"}, 10)],
        "open": [({"key": "[secret]"}, -3)],
    }
    assert dict(told.resource_metrics[0].resource.attributes) == {"team": "[secret]"}
    assert len(_points(data)["jobs"]) == 4, "what the SDK keeps is left as it is"


def test_the_newest_of_gauges_stays(reader: Any, meter: Any, redaction: MetricRedaction) -> None:
    gauge = meter.create_gauge("heat")
    gauge.set(5, {"key": "SECRET1"})
    gauge.set(7, {"key": "SECRET2"})
    meter.create_observable_gauge(
        "seen", [lambda _: [Observation(1, {"key": "SECRET1"}), Observation(2, {"key": "SECRET2"})]]
    )
    found = _points(redaction.data(_collected(reader)))
    assert [point.value for point in found["heat"]] == [7]
    assert [point.value for point in found["seen"]] == [2]


@given(st.lists(st.lists(st.floats(0, 500), min_size=1, max_size=9), min_size=1, max_size=4))
def test_histograms_are_what_one_series_would_have_been(parts: list[list[float]]) -> None:
    def histogram(*keys: str) -> Any:
        reader = InMemoryMetricReader()
        meter = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False).get_meter("agent")
        made = meter.create_histogram("seconds", explicit_bucket_boundaries_advisory=[0, 1, 10, 100])
        for key, values in zip(keys, parts, strict=True):
            for value in values:
                made.record(value, {"key": key})
        return _points(_redaction(Small()).data(_collected(reader)))["seconds"]

    [several] = histogram(*(f"SECRET{number}" for number in range(len(parts))))
    [one] = histogram(*["SECRET0"] * len(parts))
    assert several.sum == pytest.approx(one.sum)
    for name in ("attributes", "count", "min", "max", "bucket_counts", "explicit_bounds"):
        assert list_of(getattr(several, name)) == list_of(getattr(one, name)), name


def list_of(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


MAGNITUDES = st.floats(1e-12, 1e12) | st.just(0.0)


@given(st.lists(MAGNITUDES, min_size=1, max_size=9), st.lists(MAGNITUDES, min_size=1, max_size=9))
def test_exponential_histograms_are_merged_at_a_scale_that_holds_both(one: list[float], other: list[float]) -> None:
    reader = InMemoryMetricReader(preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()})
    meter = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False).get_meter("agent")
    made = meter.create_histogram("seconds")
    for key, values in (("SECRET1", one), ("SECRET2", other)):
        for value in values:
            made.record(value, {"key": key})
    [point] = _points(_redaction(Small()).data(_collected(reader)))["seconds"]
    assert point.count == len(one) + len(other)
    assert point.zero_count + sum(point.positive.bucket_counts) == point.count
    assert len(point.positive.bucket_counts) <= 160
    for place, count in enumerate(point.positive.bucket_counts, point.positive.offset):
        low, high = 2.0 ** (place / 2.0**point.scale), 2.0 ** ((place + 1) / 2.0**point.scale)
        inside = sum(1 for value in one + other if low * (1 + 1e-9) < value <= high * (1 - 1e-9))
        assert inside <= count <= sum(1 for value in one + other if low * (1 - 1e-9) <= value <= high * (1 + 1e-9))


def test_what_a_metric_says_of_itself_is_scrubbed_and_one_with_a_private_name_left_out(
    reader: Any, meter: Any, redaction: MetricRedaction
) -> None:
    meter.create_counter("jobs", "1", "of SECRET1").add(1)
    meter.create_counter("SECRET1.jobs").add(1)
    [scope] = redaction.data(_collected(reader)).resource_metrics[0].scope_metrics
    assert [(metric.name, metric.description) for metric in scope.metrics] == [("jobs", "of [secret]")]


def test_labels_are_looked_at_once(reader: Any, meter: Any) -> None:
    scrubber = Small()
    redaction = _redaction(scrubber)
    counter = meter.create_counter("jobs")
    label = {"key": "x" * 100}
    counter.add(1, label)
    redaction.data(_collected(reader))
    asked = len(scrubber.asked)
    counter.add(1, label)
    redaction.data(_collected(reader))
    assert len(scrubber.asked) == asked


def test_labels_that_cannot_be_scrubbed_are_withheld(reader: Any, meter: Any) -> None:
    meter.create_counter("jobs").add(1, {"key": "unlucky 1"})
    meter.create_counter("jobs").add(2, {"key": "unlucky 2"})
    [point] = _points(_redaction(Failing()).data(_collected(reader)))["jobs"]
    assert (dict(point.attributes), point.value) == ({"obs.privacy.withheld": True}, 3)


def test_a_reader_gets_only_what_may_leave(meter: Any, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_shared", Redaction(Small()))
    monkeypatch.setattr(redact, "_is_loaded", True)
    redact_metrics.scrubbed(reader)
    meter.create_counter("jobs").add(1, {"key": "SECRET1"})
    [point] = _points(_collected(reader))["jobs"]
    assert dict(point.attributes) == {"key": "[secret]"}
