"""Whatever a span is told, the caller sees no exception, and something of it is recorded."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import json
import math
from enum import Enum
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from obs_run.base import guard
from obs_run.tracing import SpanStatus, attribute_values, get_tracer
from obs_run.tracing.attribute_values import MOST
from tests.examples import examples

if TYPE_CHECKING:
    from tests.unit.tracing.conftest import Exported


class Colour(Enum):
    RED = "red"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("cannot be shown")

    __str__ = __repr__


class BrokenMapping(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")


@dataclasses.dataclass
class Point:
    x: int = 1


CYCLE: list[Any] = []
CYCLE.extend([CYCLE, {"again": CYCLE}] * 5)
DEEP: Any = []
for _ in range(5000):
    DEEP = [DEEP]

WILD = [
    Broken(), BrokenMapping(a=1), Point(), Colour.RED, CYCLE, DEEP, b"\xff\x00", "\ud800 half", "a" * 200_000, math.nan,
    math.inf, 2**80, 10**5000, decimal.Decimal("1.5"), dt.date(2026, 1, 2), {1, 2}, {"k": {"n": [1, "b", None]}},
    [1, 2.5], ["a", "b"], (True, False), None, object(), ValueError("x"), range(10**9), {(1, 2): 3}, "",
]  # fmt: skip

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars | st.integers(0, len(WILD) - 1).map(lambda place: WILD[place]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=8,
)
wild = settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize("value", WILD, ids=lambda value: type(value).__name__)
def test_every_kind_of_value_is_recorded(value: Any, exported: Exported) -> None:
    with get_tracer("a").span("work", tags={"first": value}) as span:
        span.set_tag("second", value)
        span.log_event("event", value=value)
    told = exported.one("work")
    attributes = told.attributes or {}
    assert attributes["first"] == attributes["second"]
    if value is not DEEP:
        assert (told.events[0].attributes or {})["value"] == attributes["first"]
    assert isinstance(attributes["first"], (str, int, float, bool, tuple))
    assert json.loads(span.to_json())["tags"]["first"] == json.loads(json.dumps(span.tags["first"]))


@given(st.dictionaries(st.text() | st.integers() | st.none(), values, max_size=5), values)
@example({}, "\ud800 half")
@wild
def test_nothing_that_a_span_is_told_raises(tags: dict[Any, Any], value: Any) -> None:
    tracer = get_tracer("a")
    with tracer.span(value, tags=tags) as span:
        span.set_tag(value, value)
        span.log_event(value, **{str(key): tag for key, tag in tags.items()} | {"field": value})
        span.log_error(value, value=value)
    assert span.is_finished
    assert span.status is SpanStatus.ERROR
    assert len(span.logs) == 2
    assert span.tags.keys() >= {attribute_values.name(key) for key in (*tags, value)} | {"error.type"}
    json.loads(span.to_json())


@given(values)
@wild
def test_nothing_that_a_tracer_is_given_raises(value: Any) -> None:
    tracer = get_tracer("a")
    # What is not allowed is said: not looked at here.
    with patch.object(guard, "_log"):
        span = tracer.start_span(value, value, value, value, value)
        tracer.finish_span(span, value)
        with tracer.span("x", headers=value) as inside:
            pass
    assert span.is_finished
    assert inside.is_finished
    assert inside.context.parent_span_id is None


def test_a_value_is_taken_as_it_is_at_the_call() -> None:
    given_list = [1]
    with get_tracer("a").span("work") as span:
        span.set_tag("list", given_list)
        given_list.append(2)
    assert span.tags["list"] == [1]


def test_too_many_tags_and_events_are_bounded(said: list[str], exported: Exported) -> None:
    with get_tracer("a").span("work") as span:
        for number in range(2 * MOST):
            span.set_tag(f"tag {number}", number)
        for number in range(1500):
            span.log_event("event", number=number)
        span.set_tag("tag 1", "again")
    assert len(span.tags) == MOST
    assert span.tags["tag 1"] == "again"
    assert (len(span.logs), span.logs[-1]["number"]) == (1000, 1499)
    assert len(exported.one("work").attributes or {}) == MOST
    said.append(f"span work: more than {MOST} tags, the rest is left out; OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT allows more")
