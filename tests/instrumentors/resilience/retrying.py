"""Retries of tenacity and stamina: in each of their styles, as events of the span that is current and as counts."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from collections.abc import Iterator


class Weather:
    """A service that is down for so many calls."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        if self.asked <= self.failures:
            raise ConnectionError("down")
        return "rain"


@pytest.fixture
def tenacity(telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    with instrumented("tenacity"):
        yield import_module("tenacity")


def retry_events(telemetry: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes)) for event in telemetry.span().events if event.name != "exception"]


def test_attempts_are_events_of_the_span_in_progress(tenacity: Any, telemetry: Any) -> None:
    weather = Weather(2)

    @tenacity.retry(wait=tenacity.wait_fixed(0.01))  # type: ignore[untyped-decorator] # imported late
    def forecast() -> str:
        return weather.ask()

    with trace.get_tracer("agent").start_as_current_span("plan"):
        assert forecast() == "rain"
    labels = {"code.function.name": f"{__name__}.{forecast.__qualname__}", "obs.retry.library": "tenacity"}
    labels["error.type"] = "ConnectionError"
    assert retry_events(telemetry) == [
        ("obs.retry", {**labels, "obs.retry.attempt": number, "obs.retry.wait_time": 0.01}) for number in (1, 2)
    ]
    assert value(telemetry, "obs.retry.scheduled", **labels) == 2
    [point] = telemetry.points("obs.retry.wait_time", **labels)
    assert (point.count, point.sum) == (2, pytest.approx(0.02))
    assert telemetry.points("obs.retry.exhausted", **labels) == []


def test_a_call_that_is_given_up(tenacity: Any, telemetry: Any) -> None:
    weather = Weather(9)

    def hopeless() -> str:
        return weather.ask()

    retrying = tenacity.Retrying(stop=tenacity.stop_after_attempt(3), reraise=True)
    with (
        trace.get_tracer("agent").start_as_current_span("plan", record_exception=False),
        pytest.raises(ConnectionError) as caught,
    ):
        retrying(hopeless)
    assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
    names = [(name, attributes["obs.retry.attempt"]) for name, attributes in retry_events(telemetry)]
    assert names == [("obs.retry", 1), ("obs.retry", 2), ("obs.retry.exhausted", 3)]
    labels = {"code.function.name": f"{__name__}.{hopeless.__qualname__}"}
    assert value(telemetry, "obs.retry.exhausted", **labels) == 1


def test_a_loop_of_attempts(tenacity: Any, telemetry: Any) -> None:
    weather = Weather(1)
    answers = []
    with trace.get_tracer("agent").start_as_current_span("plan"):
        for attempt in tenacity.Retrying(wait=tenacity.wait_none()):
            with attempt:
                answers.append(weather.ask())
    assert answers == ["rain"]
    [(name, attributes)] = retry_events(telemetry)
    assert (name, attributes["obs.retry.attempt"], attributes["error.type"]) == ("obs.retry", 1, "ConnectionError")
    assert "code.function.name" not in attributes


def test_coroutines_and_results_that_will_not_do(tenacity: Any, telemetry: Any) -> None:
    weather = Weather(0)

    async def sunny() -> str:
        return weather.ask()

    is_rain = tenacity.retry_if_result(lambda answer: answer == "rain")

    async def work() -> None:
        with trace.get_tracer("agent").start_as_current_span("plan"), pytest.raises(tenacity.RetryError):
            await tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(2), retry=is_rain)(sunny)

    asyncio.run(work())
    found = [(name, attributes.get("error.type")) for name, attributes in retry_events(telemetry)]
    assert found == [("obs.retry", None), ("obs.retry.exhausted", None)]


def test_nothing_is_said_of_what_works(tenacity: Any, telemetry: Any) -> None:
    with trace.get_tracer("agent").start_as_current_span("plan"):
        assert tenacity.retry(Weather(0).ask)() == "rain"
    assert retry_events(telemetry) == []


def test_stamina_is_told_once_and_by_its_names(telemetry: Any, caplog: pytest.LogCaptureFixture) -> None:
    weather = Weather(9)
    with instrumented("tenacity"):
        stamina = import_module("stamina")

        @stamina.retry(on=ConnectionError, attempts=3, wait_initial=0.001, wait_jitter=0.001)  # type: ignore[untyped-decorator] # imported late
        def forecast() -> str:
            return weather.ask()

        with (
            trace.get_tracer("agent").start_as_current_span("plan", record_exception=False),
            pytest.raises(ConnectionError),
        ):
            forecast()
    caplog.clear()
    name = f"{__name__}.{forecast.__qualname__}"
    told = [
        (event, attributes.get("code.function.name"), attributes["obs.retry.library"])
        for event, attributes in retry_events(telemetry)
        if event.startswith("obs.")
    ]
    assert told == [*[("obs.retry", name, "stamina")] * 2, ("obs.retry.exhausted", None, "stamina")]
    assert value(telemetry, "obs.retry.scheduled", **{"code.function.name": name}) == 2
