"""Circuit breakers of aiobreaker, circuitbreaker and purgatory, through the whole round of their states."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from opentelemetry import trace

from tests.instrumentors.resilience.breaking import BREAKER, changes, fail, state
from tests.instrumentors.resilience.driving import instrumented, value


def refused(telemetry: Any, name: str) -> float:
    return value(telemetry, f"{BREAKER}.rejected", **{f"{BREAKER}.name": name})


async def fail_later() -> None:
    fail()


def test_aiobreaker(telemetry: Any) -> None:
    with instrumented("aiobreaker"):
        aiobreaker = import_module("aiobreaker")
        breaker = aiobreaker.CircuitBreaker(fail_max=2, timeout_duration=timedelta(hours=1), name="aio")
        assert state(telemetry, "aio") == "closed"

        async def work() -> None:
            with trace.get_tracer("agent").start_as_current_span("plan"):
                for kind in (ConnectionError, aiobreaker.CircuitBreakerError, aiobreaker.CircuitBreakerError):
                    with pytest.raises(kind):
                        await breaker.call_async(fail_later)

        asyncio.run(work())
        with pytest.raises(aiobreaker.CircuitBreakerError):
            breaker.call(fail)
        assert state(telemetry, "aio") == "open"
        assert refused(telemetry, "aio") == 2
        events = [event.name.removeprefix(f"{BREAKER}.") for event in telemetry.span().events]
        assert events == ["state_change", "rejected"]
        breaker.timeout_duration = timedelta(0)
        assert breaker.call(lambda: 1) == 1
        assert state(telemetry, "aio") == "closed"
        assert changes(telemetry, "aio") == {"open": 1, "half_open": 1, "closed": 1}


def test_circuitbreaker(telemetry: Any) -> None:
    with instrumented("circuitbreaker"):
        module = import_module("circuitbreaker")
        breaker = module.CircuitBreaker(failure_threshold=2, recovery_timeout=3600, name="circuit")
        is_down = [True]

        @breaker  # type: ignore[untyped-decorator] # imported late
        def ask() -> int:
            if is_down[0]:
                fail()
            return 1

        assert state(telemetry, "circuit") == "closed"
        for kind in (ConnectionError, ConnectionError, module.CircuitBreakerError):
            with pytest.raises(kind):
                ask()
        assert state(telemetry, "circuit") == "open"
        assert refused(telemetry, "circuit") == 1
        breaker._recovery_timeout = -1
        is_down[0] = False
        assert ask() == 1
        assert state(telemetry, "circuit") == "closed"
        assert changes(telemetry, "circuit") == {"open": 1, "half_open": 1, "closed": 1}
        module.CircuitBreakerMonitor.circuit_breakers.clear()
        del breaker, ask
        gc.collect()


def test_purgatory(telemetry: Any) -> None:
    with instrumented("purgatory"):
        purgatory = import_module("purgatory")
        factory = purgatory.AsyncCircuitBreakerFactory(default_threshold=2, default_ttl=3600)

        async def ask(work: Any) -> None:
            async with await factory.get_breaker("purgatory"):
                await work()

        async def work() -> Any:
            for _ in range(2):
                with pytest.raises(ConnectionError):
                    await ask(fail_later)
            with pytest.raises(import_module("purgatory.domain.model").OpenedState):
                await ask(fail_later)
            assert state(telemetry, "purgatory") == "open"
            context = (await factory.get_breaker("purgatory")).context
            context.ttl = -1
            await ask(partial(asyncio.sleep, 0))
            return context

        kept = asyncio.run(work())
        assert state(telemetry, "purgatory") == "closed"
        assert refused(telemetry, "purgatory") == 1
        assert changes(telemetry, "purgatory") == {"open": 1, "half_open": 1, "closed": 1}
        del kept
