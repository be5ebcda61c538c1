"""The lines that users of the old module write, and what comes of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import obs_run.metrics
from obs_run.metrics import (
    count_calls,
    counter,
    gauge,
    get_metrics_registry,
    histogram,
    measure_errors,
    measure_time,
    timer,
)

if TYPE_CHECKING:
    from tests.unit.metrics.exported import Exported


def test_the_public_names_are_these() -> None:
    assert obs_run.metrics.__all__ == sorted(obs_run.metrics.__all__)
    assert set(obs_run.metrics.__all__) == {
        *("Alert", "AlertLevel", "Counter", "Gauge", "Histogram", "MetricCollector", "MetricType", "MetricValue"),
        *("MetricsCollector", "MetricsExporter", "MetricsRegistry", "Timer", "TimerContext", "count_calls", "counter"),
        *("gauge", "get_metrics_registry", "histogram", "measure_errors", "measure_time", "time_operation", "timer"),
    }
    assert all(hasattr(obs_run.metrics, name) for name in obs_run.metrics.__all__)


def test_counters(exported: Exported) -> None:
    counter("business.user_registrations").increment(source="web", country="US")
    counter("agent.errors").increment(error_type="ValueError", operation="process_request")
    counter("agent.errors").increment(2, error_type="ValueError", operation="process_request")
    assert exported.values("business.user_registrations") == {(("country", "US"), ("source", "web")): 1}
    assert exported.values("agent.errors") == {(("error_type", "ValueError"), ("operation", "process_request")): 3}


def test_histograms(exported: Exported) -> None:
    response_time = histogram("api.response_time", buckets=[0.1, 0.5, 1.0, 2.0, 5.0])
    response_time.observe(0.234, endpoint="/api/users", method="GET")
    labels = (("endpoint", "/api/users"), ("method", "GET"))
    assert exported.values("api.response_time") == {labels: (1, 0.234, [0, 1, 0, 0, 0, 0])}
    [point] = exported.metrics()["api.response_time"].data.data_points
    assert list(point.explicit_bounds) == [0.1, 0.5, 1.0, 2.0, 5.0]


def test_gauges(exported: Exported) -> None:
    gauge("system.active_connections").set(150, service="api_gateway")
    assert exported.values("system.active_connections") == {(("service", "api_gateway"),): 150}


def test_a_gauge_takes_a_state_by_name(exported: Exported) -> None:
    state = gauge("circuit_breaker.state")
    state.set("closed")
    name = "circuit_breaker.state"
    assert exported.values(name) == {((name, "closed"),): 1}
    state.set("open")
    state.set("half_open")
    state.set("half_open")
    assert exported.values(name) == {((name, "closed"),): 0, ((name, "open"),): 0, ((name, "half_open"),): 1}
    assert state.get_value() == "half_open"
    state.set("closed")
    assert exported.values(name) == {((name, "closed"),): 1, ((name, "open"),): 0, ((name, "half_open"),): 0}


def test_timers(exported: Exported) -> None:
    with timer("agent.operations").time_context(operation="main_processing"):
        pass
    [(labels, (count, total, _))] = exported.values("agent.operations_duration").items()
    assert (labels, count) == ((("operation", "main_processing"),), 1)
    assert 0 <= total < 60
    assert exported.metrics()["agent.operations_duration"].unit == "s"


def test_decorators(exported: Exported) -> None:
    @measure_time(metric_name="user.authentication_time")
    @count_calls(metric_name="user.authentication_calls")
    @measure_errors(metric_name="user.authentication_errors")
    async def authenticate(credentials: str) -> str:
        await asyncio.sleep(0.02)
        return credentials

    assert asyncio.run(authenticate("me")) == "me"
    assert exported.values("user.authentication_calls") == {(): 1}
    assert exported.values("user.authentication_errors") == {}
    [(count, seconds, _)] = exported.values("user.authentication_time_duration").values()
    assert count == 1
    assert seconds >= 0.02


def test_labels_are_dimensions(exported: Exported) -> None:
    requests = counter("req")
    for path in ("a", "a", "a", "b", "b", "b", "b"):
        requests.increment(path=path)
    assert exported.values("req") == {(("path", "a"),): 3, (("path", "b"),): 4}
    assert (requests.get_value(), requests.get_value(path="a"), requests.get_value(path="c")) == (7, 3, 0)
    assert get_metrics_registry().get_all_metrics()["req"] == {
        "type": "counter",
        "value": 7.0,
        "series": [{"tags": {"path": "a"}, "value": 3.0}, {"tags": {"path": "b"}, "value": 4.0}],
    }
