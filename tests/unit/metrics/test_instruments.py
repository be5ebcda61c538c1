"""Counters, gauges, histograms and timers: what they return, hold and export, also from many threads."""

from __future__ import annotations

import asyncio
import math
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.metrics import _internal
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from obs_run.metrics import (
    Counter,
    Gauge,
    Histogram,
    MetricCollector,
    MetricsCollector,
    MetricsRegistry,
    MetricType,
    MetricValue,
    Timer,
    TimerContext,
    counter,
    gauge,
    histogram,
    instruments,
    label_sets,
    time_operation,
    timer,
)
from tests.unit.metrics.exported import Exported

if TYPE_CHECKING:
    from collections.abc import Callable


def shape(values: list[MetricValue]) -> list[tuple[str, Any, dict[str, Any]]]:
    return [(value.name, value.value, value.tags) for value in values]


def test_what_is_returned() -> None:
    counted = Counter("x").increment(2, path="a")
    assert counted.to_dict() == {
        "name": "x.count",
        "value": 2.0,
        "type": "counter",
        "timestamp": counted.timestamp,
        "tags": {"path": "a"},
    }
    assert shape([Gauge("x").set(5), Gauge("x").increment(2), Gauge("x").decrement(amount=2)]) == [
        ("x.value", 5, {}),
        ("x.value", 2, {}),
        ("x.value", -2, {}),
    ]
    observed = Histogram("x", buckets=[0.1, 1.0, math.inf]).observe(0.5, path="a")
    assert shape(observed) == [
        ("x.count", 1, {"path": "a"}),
        ("x.sum", 0.5, {"path": "a"}),
        ("x.bucket", 1, {"path": "a", "le": "1.0"}),
        ("x.bucket", 1, {"path": "a", "le": "inf"}),
    ]
    assert {value.metric_type for value in observed} == {MetricType.HISTOGRAM}


def test_default_buckets_stay(exported: Exported) -> None:
    assert Histogram("x").buckets == [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf]
    histogram("x").observe(7)
    assert exported.values("x") == {(): (1, 7, [0, 0, 0, 0, 0, 1, 0])}


def test_labels_of_all_calls(exported: Exported) -> None:
    jobs = counter("jobs")
    jobs.increment(kind="a")
    jobs.add_tags(region="eu", kind="none")
    assert jobs.increment(kind="a").tags == {"region": "eu", "kind": "a"}
    assert exported.values("jobs") == {(("kind", "a"),): 1, (("kind", "a"), ("region", "eu")): 1}
    slow = timer("slow")
    slow.add_tags(region="eu")
    with slow.time_context():
        pass
    assert list(exported.values("slow_duration")) == [(("region", "eu"),)]


def test_names_of_parameters_are_labels_too(exported: Exported) -> None:
    counter("x").increment(self="s", name="n", amount=2)
    histogram("h").observe(1, self="s", name="n")
    with timer("t").time_context(self="s", timer="t"):
        pass
    assert list(exported.values("x").items()) == [((("name", "n"), ("self", "s")), 2)]
    assert list(exported.values("h")) == [(("name", "n"), ("self", "s"))]
    assert list(exported.values("t_duration")) == [(("self", "s"), ("timer", "t"))]


def test_equal_labels_of_different_types_are_different(exported: Exported) -> None:
    for value in (1, True, 1.0, "1"):
        counter("x").increment(of=value)
        counter("x").increment(of=value)
    # As many as the SDK tells apart; before 1.45 it takes equal ones for the same.
    assert sum(point.value for point in exported.metrics()["x"].data.data_points) == 8
    assert [counter("x").get_value(of=value) for value in (1, True, 1.0, "1")] == [2, 2, 2, 2]


def test_the_order_of_labels_does_not_matter(exported: Exported) -> None:
    counter("x").increment(a="1", b="2")
    counter("x").increment(b="2", a="1")
    assert exported.values("x") == {(("a", "1"), ("b", "2")): 2}


def test_a_counter_only_grows(exported: Exported, said: list[str]) -> None:
    jobs = counter("jobs")
    jobs.increment(3)
    for _ in range(3):
        assert jobs.increment(-1).value == 3
    assert (jobs.get_value(), exported.values("jobs")) == (3, {(): 3})
    assert said == ["metric jobs: a counter only grows, a negative amount was left out"]


def test_reset_is_of_this_process_only(exported: Exported) -> None:
    jobs = counter("jobs")
    jobs.increment(3, kind="a")
    jobs.reset()
    assert (jobs.get_value(), jobs.get_value(kind="a")) == (0, 0)
    jobs.increment(2, kind="a")
    assert (jobs.get_value(), exported.values("jobs")) == (2, {(("kind", "a"),): 5})


def test_a_gauge_goes_up_and_down(exported: Exported) -> None:
    open_ = gauge("open")
    assert open_.get_value() == 0
    open_.increment(5, pool="a")
    open_.decrement(2, pool="a")
    open_.increment(pool="b")
    assert (open_.get_value(), open_.get_value(pool="a"), open_.get_value(pool="c")) == (1, 3, 0)
    assert exported.values("open") == {(("pool", "a"),): 3, (("pool", "b"),): 1}


def test_timers_by_id() -> None:
    work = timer("work")
    first, second = work.start(), work.start("mine")
    assert (second, first != work.start()) == ("mine", True)
    [count, total, *_] = work.stop(first, kind="a")
    assert (count.name, count.value, total.name, count.tags) == (
        "work_duration.count",
        1,
        "work_duration.sum",
        {"kind": "a"},
    )
    assert 0 <= total.value < 60
    assert [work.stop(first), work.stop("unknown"), len(work.stop("mine")) > 2] == [[], [], True]
    assert work.get_statistics()["count"] == 2
    assert work.get_statistics(kind="a")["count"] == 1


def test_timer_contexts() -> None:
    async def wait() -> None:
        async with time_operation("asleep", of="a") as context:
            assert isinstance(context, TimerContext)
            await asyncio.sleep(0.02)

    asyncio.run(wait())
    assert timer("asleep").get_statistics(of="a")["min"] >= 0.02
    context = timer("nested").time_context()
    with pytest.raises(KeyError), context, context:
        raise KeyError
    assert timer("nested").get_statistics()["count"] == 2


def test_a_name_has_one_kind() -> None:
    own = MetricsRegistry()
    makers: dict[str, Callable[[str], Any]] = {
        "counter": own.counter,
        "gauge": own.gauge,
        "histogram": own.histogram,
        "timer": own.timer,
    }
    for kind, make in makers.items():
        made = make(f"a {kind}")
        assert make(f"a {kind}") is made
        for other, refuse in makers.items():
            if other != kind:
                expected = f"Metric a {kind} is not a {other}: it is a {kind} already"
                with pytest.raises(ValueError, match=re.escape(expected)):
                    refuse(f"a {kind}")


def test_a_registry_begins_with_five_metrics() -> None:
    assert MetricsRegistry().get_all_metrics() == {
        "system.requests": {"type": "counter", "value": 0.0},
        "system.errors": {"type": "counter", "value": 0.0},
        "system.active_connections": {"type": "gauge", "value": 0.0},
        "system.response_time": {"type": "timer", "stats": {}},
        "system.memory_usage": {"type": "histogram", "stats": {}},
    }


def test_common_kinds_of_work(own: MetricsRegistry) -> None:
    collector = MetricsCollector(own)
    collector.collect_request_metrics("/a", "GET", 200, 0.25)
    collector.collect_request_metrics("/a", "GET", 404, 0.5)
    collector.collect_database_metrics("select", "users", 0.125, success=False)
    collector.collect_agent_metrics("a1", "plan", 2.0, success=True)
    assert own.counter("http.requests").get_value(endpoint="/a", method="GET") == 2
    assert own.counter("http.errors").get_value(status="404") == own.counter("http.errors").get_value() == 1
    assert own.timer("http.response_time").get_statistics()["sum"] == 0.75
    assert own.counter("db.queries").get_value(operation="select", table="users", success="False") == 1
    assert own.timer("db.query_time").get_statistics(table="users")["max"] == 0.125
    assert own.counter("db.errors").get_value() == 1
    assert own.counter("agent.operations").get_value(agent_id="a1", operation="plan", success="True") == 1
    assert own.timer("agent.operation_time").get_statistics()["p99"] == 2.0
    assert own.counter("agent.errors").get_value() == 0


def test_threads_count_exactly(exported: Exported) -> None:
    begin = threading.Barrier(8)

    def work(number: int) -> None:
        begin.wait()
        for _ in range(10_000):
            counter("jobs").increment(kind=str(number % 2))
            gauge("open").increment(pool="a")
        for value in range(1000):
            histogram("size").observe(value)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert counter("jobs").get_value() == 80_000
    assert exported.values("jobs") == {(("kind", "0"),): 40_000, (("kind", "1"),): 40_000}
    assert gauge("open").get_value() == 80_000
    assert exported.values("open") == {(("pool", "a"),): 80_000}
    assert histogram("size").get_statistics()["count"] == 8000
    assert exported.values("size")[()][:2] == (8000, 8 * sum(range(1000)))


def test_a_measurement_amid_another_of_the_same_thread_is_made_after_it(exported: Exported) -> None:
    """As signal handlers and finalisers make them, which would wait for a lock that their own thread holds."""
    jobs = counter("jobs")

    class Clock(float):
        def __add__(self, other: float) -> float:
            jobs.increment(10)
            return float(self) + other

        __radd__ = __add__

    series = jobs._sets.of({})
    series.value = Clock(0)
    jobs.increment(1)
    assert (jobs.get_value(), exported.values("jobs")) == (11, {(): 11})


def test_label_sets_are_bounded(exported: Exported, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_sets, "MOST_SETS", 10)
    jobs = counter("jobs")
    for number in range(100):
        jobs.increment(job=f"{number}")
    jobs.increment(job="5")
    assert jobs.get_value() == 101
    assert jobs.get_value(job="5") == 2
    overflow = (("otel.metric.overflow", True),)
    assert exported.values("jobs")[overflow] == 90
    assert len(exported.values("jobs")) == 11
    assert said == ["metric jobs: more than 10 label sets; the rest is counted under otel.metric.overflow"]


def test_the_provider_that_the_agent_sets_later_is_used(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    counter("jobs").increment()
    reader = InMemoryMetricReader()
    later = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)
    monkeypatch.setattr(_internal, "_METER_PROVIDER", later)
    counter("jobs").increment(2)
    assert (exported.values("jobs"), Exported(reader).values("jobs")) == ({}, {(): 3})


def test_switched_off_it_counts_in_the_process_only(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    counter("jobs").increment()
    gauge("state").set("open")
    timer("work").stop(timer("work").start())
    assert exported.metrics() == {}
    assert (counter("jobs").get_value(), gauge("state").get_value()) == (1, "open")
    assert timer("work").get_statistics()["count"] == 1


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("Requests.Total", "Requests.Total"),
        ("1st job!", "m_1st_job_"),
        ("größe", "gr__e"),
        ("", "m_"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_as_opentelemetry_allows_them(name: str, allowed: str, exported: Exported, said: list[str]) -> None:
    for _ in range(2):
        counter(name).increment()
    assert exported.values(allowed) == {(): 2}
    assert len(said) == (name != allowed)
    assert instruments.exported_name(allowed) == allowed


def test_old_attributes_are_there() -> None:
    class Own(MetricCollector):
        """A collector of the agent's own."""

    own = Own("mine")
    own.add_tags(a="b")
    assert own.name == "mine"
    assert isinstance(Timer("t")._histogram, Histogram)
    assert Timer("t")._histogram.name == "t_duration"
    assert TimerContext(Timer("t"), a="b").tags == {"a": "b"}
