"""Circuit breakers: their states as levels, their changes as counts and events, the calls that they refuse."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from collections.abc import Iterator

BREAKER = "obs.circuit_breaker"


def state(telemetry: Any, name: str) -> str:
    """Return the one state that a breaker is in."""
    points = telemetry.points(f"{BREAKER}.state", **{f"{BREAKER}.name": name})
    assert {point.attributes[f"{BREAKER}.state"] for point in points} == {"closed", "open", "half_open"}
    [found] = [str(point.attributes[f"{BREAKER}.state"]) for point in points if point.value == 1]
    return found


def changes(telemetry: Any, name: str) -> dict[str, float]:
    points = telemetry.points(f"{BREAKER}.transitions", **{f"{BREAKER}.name": name})
    return {point.attributes[f"{BREAKER}.state"]: point.value for point in points}


def fail() -> None:
    raise ConnectionError("down")


@pytest.fixture
def pybreaker(telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    with instrumented("pybreaker"):
        yield import_module("pybreaker")


def test_pybreaker(pybreaker: Any, telemetry: Any) -> None:
    breaker = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=3600, name="orders")
    assert state(telemetry, "orders") == "closed"
    with trace.get_tracer("agent").start_as_current_span("plan"):
        for kind in (ConnectionError, pybreaker.CircuitBreakerError, pybreaker.CircuitBreakerError):
            with pytest.raises(kind) as caught:
                breaker.call(fail)
            assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
    assert state(telemetry, "orders") == "open"
    # The call that opened it was let through.
    assert value(telemetry, f"{BREAKER}.rejected", **{f"{BREAKER}.name": "orders"}) == 1
    labels = {f"{BREAKER}.name": "orders", f"{BREAKER}.state": "open"}
    assert [(event.name, dict(event.attributes)) for event in telemetry.span().events] == [
        (f"{BREAKER}.state_change", {**labels, f"{BREAKER}.previous_state": "closed"}),
        (f"{BREAKER}.rejected", labels),
    ]
    breaker.reset_timeout = 0
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(fail)
    assert breaker.call(lambda: 1) == 1
    assert state(telemetry, "orders") == "closed"
    assert changes(telemetry, "orders") == {"open": 2, "half_open": 2, "closed": 1}
    assert value(telemetry, f"{BREAKER}.rejected", **{f"{BREAKER}.name": "orders"}) == 1


def test_a_breaker_that_is_gone_is_in_no_state(pybreaker: Any, telemetry: Any) -> None:
    breaker = pybreaker.CircuitBreaker(name="gone")
    breaker.open()
    assert state(telemetry, "gone") == "open"
    del breaker
    gc.collect()
    points = telemetry.points(f"{BREAKER}.state", **{f"{BREAKER}.name": "gone"})
    assert [point.value for point in points] == [0, 0, 0]


def test_several_of_one_name_are_added_up(pybreaker: Any, telemetry: Any) -> None:
    breakers = [pybreaker.CircuitBreaker(name="shards") for _ in range(3)]
    breakers[0].open()
    labels = {f"{BREAKER}.name": "shards"}
    assert value(telemetry, f"{BREAKER}.state", **{**labels, f"{BREAKER}.state": "closed"}) == 2
    assert value(telemetry, f"{BREAKER}.state", **{**labels, f"{BREAKER}.state": "open"}) == 1


def test_a_store_that_says_open(pybreaker: Any, telemetry: Any) -> None:
    storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_OPEN)
    breaker = pybreaker.CircuitBreaker(name="shared", state_storage=storage)
    assert state(telemetry, "shared") == "open"
    assert changes(telemetry, "shared") == {}
    del breaker
