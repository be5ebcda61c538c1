"""Retries of backoff, of both kinds of functions, also of those that were decorated before."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from opentelemetry import trace

from tests.instrumentors.resilience.driving import instrumented, value
from tests.instrumentors.resilience.retrying import Weather, retry_events


def test_functions(telemetry: Any) -> None:
    backoff = import_module("backoff")
    weather, hopeless = Weather(2), Weather(9)

    @backoff.on_exception(backoff.constant, ConnectionError, max_tries=3, interval=0, jitter=None)  # type: ignore[untyped-decorator] # imported late
    def ask(service: Weather) -> str:
        return service.ask()

    with instrumented("backoff"), trace.get_tracer("agent").start_as_current_span("plan"):
        assert ask(weather) == "rain"
        with pytest.raises(ConnectionError):
            ask(hopeless)
    told = [(name, attributes["obs.retry.attempt"]) for name, attributes in retry_events(telemetry)]
    assert told == [*[("obs.retry", 1), ("obs.retry", 2)] * 2, ("obs.retry.exhausted", 3)]
    labels = {"code.function.name": f"{__name__}.{ask.__qualname__}", "obs.retry.library": "backoff"}
    assert value(telemetry, "obs.retry.scheduled", **labels) == 4
    assert value(telemetry, "obs.retry.exhausted", **labels) == 1


def test_coroutine_functions_and_answers_that_will_not_do(telemetry: Any) -> None:
    backoff = import_module("backoff")

    @backoff.on_predicate(backoff.constant, lambda answer: answer == "rain", max_tries=2, interval=0, jitter=None)  # type: ignore[untyped-decorator] # imported late
    async def ask(service: Weather) -> str:
        return service.ask()

    async def work() -> None:
        with trace.get_tracer("agent").start_as_current_span("plan"):
            assert await ask(Weather(0)) == "rain"

    with instrumented("backoff"):
        asyncio.run(work())
    [(name, attributes)] = retry_events(telemetry)
    assert (name, attributes["obs.retry.wait_time"]) == ("obs.retry", 0)
    assert "error.type" not in attributes
