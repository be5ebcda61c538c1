"""Alerts fire, once in their cooldown, and where people look."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from obs_run.metrics import Alert, AlertLevel, MetricsRegistry, MetricType, MetricValue

if TYPE_CHECKING:
    from collections.abc import Callable


def alert(metric: str = "x", condition: str = "> 10", **more: Any) -> Alert:
    return Alert(**{
        "name": "too much", "metric_name": metric, "condition": condition, "level": AlertLevel.WARNING,
        "message": "look", **more,
    })  # fmt: skip


@pytest.fixture
def fired(own: MetricsRegistry) -> list[tuple[str, Any]]:
    """The names and values of the alerts that fired."""
    seen: list[tuple[str, Any]] = []
    own.on_alert(lambda alert, metric: seen.append((alert.name, metric.value)))
    return seen


COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@given(st.sampled_from(list(COMPARED)), st.floats(allow_nan=False), st.floats(allow_nan=False, allow_infinity=False))
def test_every_operator_with_every_number(operator: str, limit: float, value: float) -> None:
    expected = COMPARED[operator](value, limit)
    for condition in (f"{operator} {limit!r}", f"{operator}{limit:+.17e} ", f"  {operator}\t{limit!r}"):
        MetricsRegistry().add_alert(alert(condition=condition))
        assert alert(condition=condition).should_trigger(value) is expected


@pytest.mark.parametrize("limit", ["100", "0.5", "-2.5", "1e-3", "1E+3", "inf", "-inf", "+7", ".5", "5.", "1_000"])
def test_ways_to_write_a_number(limit: str) -> None:
    assert alert(condition=f"== {limit}").should_trigger(float(limit))


@pytest.mark.parametrize("condition", ["", ">", "10", "> ten", "=> 10", "> 10 20", "> nan", "= 5", "> 1 or 1", None, 5])
def test_a_wrong_condition_is_refused_with_what_is_allowed(condition: Any, own: MetricsRegistry) -> None:
    expected = (
        f"alert 'too much': condition {str(condition)!r} is not allowed; allowed: one of > >= < <= == != and a number, "
        "such as '> 100', '<= 1e-3' or '!= -2.5'"
    )
    wrong = alert(condition=condition)
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        own.add_alert(wrong)
    assert not wrong.should_trigger(1e9)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"level": "warning"}, "level 'warning' is not allowed; allowed: AlertLevel.INFO, AlertLevel.WARNING, "),
        ({"cooldown": -1}, "cooldown '-1' is not allowed; allowed: seconds, 0 or more"),
        ({"cooldown": math.nan}, "cooldown 'nan' is not allowed"),
        ({"metric_name": ""}, "metric_name '' is not allowed; allowed: a text"),
    ],
)
def test_what_else_is_wrong(more: dict[str, Any], said: str, own: MetricsRegistry) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        own.add_alert(alert(**more))
    not_one: Any = "alert"
    with pytest.raises(ValueError, match=r"^an alert is an obs_run.metrics.Alert, not a str$"):
        own.add_alert(not_one)


@pytest.mark.parametrize("value", ["closed", None, math.nan, object(), b""])
def test_no_number_triggers_nothing(value: Any) -> None:
    assert not alert(condition="!= 5").should_trigger(value)


@pytest.mark.parametrize("name", ["x", "x.count"])
def test_counters_are_seen_as_a_whole(name: str, own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert(name, "> 3"))
    for path in "abc":
        own.counter("x").increment(path=path)
    assert fired == []
    own.counter("x").increment(path="d")
    assert fired == [("too much", 1)]


@pytest.mark.parametrize("name", ["x", "x.value"])
def test_gauges(name: str, own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert(name, "< -1", cooldown=0))
    gauge = own.gauge("x")
    gauge.set(5)
    gauge.set("closed")
    gauge.set(-1.5)
    gauge.decrement()
    assert fired == [("too much", -1.5), ("too much", -2.5)]


@pytest.mark.parametrize(
    ("name", "condition"), [("x", "> 2"), ("x.value", "> 2"), ("x.count", ">= 3"), ("x.sum", "> 3.5")]
)
def test_histograms(name: str, condition: str, own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert(name, condition))
    for value in (0.5, 1, 2.5):
        own.histogram("x").observe(value, path="a")
    assert fired == [("too much", 2.5)]


@pytest.mark.parametrize("name", ["t", "t.value", "t_duration", "t_duration.value", "t.count", "t_duration.count"])
def test_timers(name: str, own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert(name, "> 0"))
    own.timer("t").stop(own.timer("t").start())
    assert len(fired) == 1


def test_values_measured_elsewhere(own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert("queue", "> 10", cooldown=0))
    for name in ("queue", "queue.value", "queue.count", "other", "queue.other"):
        own.record_metric(MetricValue(name, 11, MetricType.GAUGE))
    assert len(fired) == 3


def test_what_is_removed_or_replaced_does_not_fire(own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert(condition="> 0"))
    own.add_alert(alert(condition="> 100"))
    own.counter("x").increment(5)
    own.add_alert(alert(condition="> 0", name="other"))
    own.remove_alert("other")
    own.remove_alert("unknown")
    own.counter("x").increment(5)
    assert fired == []
    own.remove_alert("too much")
    own.counter("x").increment(500)
    assert fired == []


def test_the_cooldown(own: MetricsRegistry, fired: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watched = alert("x", "> 0", cooldown=60)
    own.add_alert(watched)
    own.gauge("x").set(1)
    first = watched.last_triggered
    assert first > 1e9
    for now, count in ((1059.9, 1), (1060.0, 2), (1061.0, 2), (1120.0, 3)):  # noqa: B007 (read by the clock)
        own.gauge("x").set(1)
        assert len(fired) == count
    # Whoever sets the time of the last one back has it fire again.
    watched.last_triggered = time.time() - 61
    own.gauge("x").set(1)
    assert len(fired) == 4


def test_the_clock_of_the_machine_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = alert("x", "> 0")
    assert watched.can_trigger()
    watched.triggered()
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 1e6)
    assert not watched.can_trigger()


def test_one_of_many_threads_fires(own: MetricsRegistry, fired: list[Any]) -> None:
    own.add_alert(alert("x", "> 0"))
    begin = threading.Barrier(8)

    def work() -> None:
        begin.wait()
        for _ in range(200):
            own.counter("x").increment()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fired) == 1


@pytest.mark.parametrize("level", list(AlertLevel))
def test_a_log_record_at_its_level(
    level: AlertLevel, own: MetricsRegistry, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    own.add_alert(alert("x", "> 0", level=level))
    # Names of a record's own attributes would be refused.
    own.counter("x").increment(2, name="n", message="m", path="a")
    [record] = [record for record in caplog.records if record.name == "obs_run.alerts"]
    assert record.getMessage() == "too much: look (x is 2.0)"
    assert record.levelno == getattr(logging, level.name)
    assert {name: value for name, value in record.__dict__.items() if name.startswith("obs.")} == {
        "obs.alert.name": "too much",
        "obs.alert.level": level.value,
        "obs.alert.metric": "x",
        "obs.alert.value": 2.0,
        "obs.alert.condition": "> 0",
        "obs.alert.label.name": "n",
        "obs.alert.label.message": "m",
        "obs.alert.label.path": "a",
    }
    assert capsys.readouterr().out == ""


def test_an_event_on_the_span_that_is_recording(own: MetricsRegistry) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    own.add_alert(alert("x", "> 0", cooldown=0))
    with trace.use_span(provider.get_tracer("a").start_span("work"), end_on_exit=True):
        own.gauge("x").set(2, path="a")
    own.gauge("x").set(2, path="b")
    [span] = spans.get_finished_spans()
    [event] = span.events
    assert (event.name, (event.attributes or {})["obs.alert.label.path"]) == ("obs.alert", "a")


def test_a_callback_that_fails_stops_nobody(own: MetricsRegistry, fired: list[Any], said: list[str]) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no")

    own.on_alert(broken)
    own.add_alert(alert("x", "> 0", cooldown=0))
    later: list[Any] = []
    own.on_alert(lambda *told: later.append(told))
    for _ in range(2):
        own.counter("x").increment()
    assert (len(fired), len(later)) == (2, 2)
    [line] = [line for line in said if "alert callback" in line]
    assert line.endswith("broken failed and was skipped: RuntimeError: no")
