"""Subscribers hear of each measurement, whatever they are and whatever they do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from obs_run.metrics import Counter, MetricsRegistry, MetricType, MetricValue


def test_each_measurement_is_told(own: MetricsRegistry) -> None:
    told: list[MetricValue] = []
    own.subscribe(told.append)
    own.counter("c").increment(2, path="a")
    own.gauge("g").set("open")
    own.histogram("h").observe(0.5, path="b")
    own.timer("t").stop(own.timer("t").start(), path="c")
    own.record_metric(MetricValue("mine", 1, MetricType.SET))
    Counter("alone").increment()
    assert [(each.name, each.metric_type.value, each.tags) for each in told] == [
        ("c.count", "counter", {"path": "a"}),
        ("g.value", "gauge", {}),
        ("h", "histogram", {"path": "b"}),
        ("t", "timer", {"path": "c"}),
        ("mine", "set", {}),
    ]
    assert [each.value for each in told[:3]] == [2, "open", 0.5]


def test_what_is_left_out_is_not_told(own: MetricsRegistry) -> None:
    told: list[MetricValue] = []
    own.subscribe(told.append)
    own.counter("c").increment(-1)
    own.gauge("g").set(float("nan"))
    own.histogram("h").observe("?")  # type: ignore[arg-type]
    assert told == []


def test_a_failing_one_is_said_once_and_stops_nobody(own: MetricsRegistry, said: list[str]) -> None:
    told: list[MetricValue] = []

    def broken(_: MetricValue) -> None:
        raise RuntimeError("no")

    async def broken_later(_: MetricValue) -> None:
        raise RuntimeError("later")

    own.subscribe(broken)
    own.subscribe(broken_later)
    own.subscribe(None)  # type: ignore[arg-type]
    own.subscribe(told.append)

    async def measure() -> None:
        for _ in range(3):
            own.counter("c").increment()
        await asyncio.sleep(0)

    asyncio.run(measure())
    assert len(told) == 3
    assert len(said) == 3
    assert [line.rpartition("skipped: ")[2] for line in said][::2] == ["RuntimeError: no", "RuntimeError: later"]


def test_an_asynchronous_one_runs_in_the_loop_that_measures(own: MetricsRegistry) -> None:
    told: list[tuple[float, int]] = []
    heard = asyncio.Event()

    async def hear(metric: MetricValue) -> None:
        await asyncio.sleep(0)
        told.append((metric.value, threading.get_ident()))
        if metric.value == 2:
            heard.set()

    own.subscribe(hear)

    async def measure() -> None:
        own.counter("c").increment()
        own.counter("c").increment()
        await heard.wait()

    asyncio.run(measure())
    assert told == [(1, threading.get_ident()), (2, threading.get_ident())]


def test_without_a_loop_it_runs_in_a_thread_of_its_own(own: MetricsRegistry) -> None:
    heard = threading.Event()
    told: list[str] = []

    async def hear(metric: MetricValue) -> None:
        told.append(metric.name)
        heard.set()

    own.subscribe(hear)
    own.counter("c").increment()
    assert heard.wait(60)
    assert told == ["c.count"]


def test_what_a_subscriber_measures_is_told_to_nobody(own: MetricsRegistry) -> None:
    told: list[Any] = []
    heard = asyncio.Event()

    def hear(metric: MetricValue) -> None:
        told.append(metric.name)
        own.counter("heard").increment()

    async def hear_later(_: MetricValue) -> None:
        await asyncio.sleep(0)
        own.counter("heard").increment()
        heard.set()

    own.subscribe(hear)
    own.subscribe(hear_later)

    async def measure() -> None:
        own.counter("c").increment()
        await heard.wait()

    asyncio.run(measure())
    assert told == ["c.count"]
    assert own.counter("heard").get_value() == 2
