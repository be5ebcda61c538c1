"""Whatever is measured, under whatever labels: nothing is raised, and it is recorded or said once."""

from __future__ import annotations

import json
import math
import sys
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

from obs_run.metrics import MetricsCollector, MetricsRegistry, counter, gauge, histogram, measure_time, timer
from obs_run.metrics.exporter import MetricsExporter
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.metrics.exported import Exported


class State(Enum):
    OPEN = "open"
    HALF = 0.5


class Numeric:
    """Like a scalar of numpy."""

    def __float__(self) -> float:
        return 2.5


class Broken:
    """Raises at everything that may be asked of it."""

    def _refuse(self, *_: Any) -> Any:
        raise RuntimeError("no")

    __float__ = __str__ = __repr__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __int__ = _refuse


def cycle() -> Any:
    made: list[Any] = []
    made.append(made)
    return made


NO_NUMBERS: tuple[Any, ...] = (
    None,
    math.nan,
    math.inf,
    -math.inf,
    b"\xff",
    object(),
    Broken(),
    cycle(),
    10**400,
    "x",
    [],
    {},
    1j,
)
ODD = [*NO_NUMBERS, Numeric(), State.OPEN, Decimal("NaN"), Decimal("1e999"), "\ud800", 2**63, -(2**70)]
WILD: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, len(ODD) - 1).map(lambda place: ODD[place]),  # hypothesis would compare them
    st.floats(),
    st.integers(),
    st.text(),
    st.binary(),
    st.booleans(),
    st.decimals(),
    st.fractions(),
    st.lists(st.integers(), max_size=3),
    st.builds(lambda size: "long " * size, st.integers(0, 1000)),
)
TAGS = st.dictionaries(st.one_of(st.text(max_size=5), st.just("x" * 5000)), WILD, max_size=3)
CALLS: list[Callable[[Any, dict[str, Any]], Any]] = [
    lambda value, tags: counter("wild.counter").increment(value, **tags),
    lambda value, tags: gauge("wild.gauge").set(value, **tags),
    lambda value, tags: gauge("wild.gauge").increment(value, **tags),
    lambda value, tags: gauge("wild.gauge").decrement(value, **tags),
    lambda value, tags: histogram("wild.histogram").observe(value, **tags),
    lambda value, tags: timer("wild.timer").record(value, tags),
    lambda value, tags: timer("wild.timer").stop(timer("wild.timer").start(value), **tags),
    lambda value, tags: timer("wild.timer").stop(value, **tags),
    lambda value, tags: MetricsRegistry().counter(value).increment(1, **tags),
    lambda _, tags: counter("wild.counter").get_value(**tags),
    lambda _, tags: gauge("wild.gauge").get_value(**tags),
    lambda _, tags: histogram("wild.histogram").get_statistics(**tags),
    lambda _, tags: counter("wild.common").add_tags(**tags),
    lambda value, _: counter("wild.common").increment(value),
    lambda value, _: MetricsCollector(MetricsRegistry()).collect_request_metrics(value, value, value, value),
    lambda value, _: MetricsCollector(MetricsRegistry()).collect_agent_metrics(value, value, value, value),
    lambda value, _: histogram(f"wild.buckets.{type(value)}", buckets=value).observe(1),
    lambda value, _: measure_time("wild.decorated", tags=value)(len)(()),
    lambda value, _: measure_time(value)(len)(()),
]


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(CALLS), WILD, TAGS)
def test_nothing_is_raised(
    exported: Exported, own: MetricsRegistry, call: Callable[[Any, dict[str, Any]], Any], value: Any, tags: Any
) -> None:
    call(value, {name: each for name, each in tags.items() if name not in ("amount", "value", "timer_id")})
    # What is kept can be sent, written and shown.
    data = exported._reader.get_metrics_data()
    if data is not None:
        assert encode_metrics(data).SerializeToString()
    line = MetricsExporter(own)._line()
    assert line.endswith(b"\n")
    assert json.loads(line)["metrics"]


@pytest.mark.parametrize(
    ("value", "taken"),
    [(1, 1), (True, 1), ("2.5", 2.5), (b"3", 3), (Decimal("0.5"), 0.5), (Fraction(1, 4), 0.25), (Numeric(), 2.5),
     (State.HALF, 0.5), (sys.float_info.max, sys.float_info.max), (2**63, float(2**63))],
)  # fmt: skip
def test_what_is_a_number_is_taken(value: Any, taken: float, exported: Exported, said: list[str]) -> None:
    counter("c").increment(value)
    gauge("g").set(value)
    histogram("h").observe(value)
    assert (exported.values("c"), exported.values("g")) == ({(): taken}, {(): taken})
    assert exported.values("h")[()][:2] == (1, taken)
    assert said == []


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_left_out_and_said_once(value: Any, exported: Exported, said: list[str]) -> None:
    counter("c").increment(1)
    gauge("g").set(1)
    histogram("h").observe(1)
    for _ in range(2):
        assert counter("c").increment(value).value == 1
        assert gauge("g").increment(value).value == 1
        histogram("h").observe(value)
    kind = type(value).__name__
    assert said == [f"metric {name}: a value that is not a finite number ({kind}) was left out" for name in "cgh"]
    assert histogram("h").get_statistics()["count"] == 1
    assert (exported.values("c"), exported.values("g")) == ({(): 1}, {(): 1})


def test_states_by_enumeration() -> None:
    state = gauge("state")
    state.set(State.OPEN)
    assert state.get_value() == "open"
    assert state.increment(2).value == 2


@pytest.mark.parametrize(
    ("value", "label"),
    [(b"GET", "GET"), (State.OPEN, "open"), (math.nan, "nan"), (2**70, str(2**70)), ("\ud800", "?"), ([1], "[1]"),
     (Broken(), "<Broken that cannot be shown>"), ("x" * 2000, "x" * 1023 + "…"), (1.5, 1.5), (False, False)],
)  # fmt: skip
def test_labels_that_can_be_sent(value: Any, label: Any, exported: Exported) -> None:
    for _ in range(2):
        counter("c").increment(of=value)
    assert exported.values("c") == {(("of", label),): 2}
    assert counter("c").get_value(of=value) == 2


def test_no_label(exported: Exported) -> None:
    counter("c").increment(of=None)
    unnamed: dict[str, Any] = {"": "x"}
    counter("c").increment(**unnamed)
    assert exported.values("c") == {(): 1, (("_", "x"),): 1}


def test_negative_values_of_histograms_stay_in_the_process(exported: Exported, said: list[str]) -> None:
    for value in (-1, 1, -2):
        histogram("h").observe(value)
    assert histogram("h").get_statistics()["min"] == -2
    assert exported.values("h")[()][:2] == (1, 1)
    assert said == ["metric h: negative values stay in this process, they cannot be exported"]


@pytest.mark.parametrize("buckets", ["text", [1, "two"], [math.nan], 5, [], [-math.inf]])
def test_wrong_buckets_are_said_once(buckets: Any, said: list[str]) -> None:
    assert histogram("h", buckets=buckets).buckets == [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf]
    assert said == ["metric h: buckets are numbers, their upper bounds; the default ones are used"]


def test_buckets_are_sorted(exported: Exported) -> None:
    buckets: list[Any] = [5, 1, Decimal(1), math.inf]
    assert histogram("h", buckets=buckets).buckets == [1, 5, math.inf]
    histogram("h").observe(2)
    assert exported.values("h") == {(): (1, 2, [0, 1, 0])}
