"""Limiters: how long calls wait, and which are not let through; the agent gets what it got without us."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.resilience.driving import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAIT = "obs.limiter.wait_time"


@pytest.fixture(autouse=True)
def limiters(telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    assert telemetry is not None
    monkeypatch.setenv("OBS_SLOW_ACQUIRE_SECONDS", "0.05")
    with instrumented("aiolimiter", "pyrate_limiter"):
        # For the metrics there must be a first collection.
        asyncio.run(import_module("aiolimiter").AsyncLimiter(1).acquire())
        telemetry.flush()
        yield


class Counted:
    """What is measured of the limiters of a class that this module uses, since now."""

    def __init__(self, telemetry: Any, kind: str) -> None:
        self._telemetry = telemetry
        self.labels = {"obs.limiter.name": f"{__name__}.{kind}"}
        self._before = self._read()

    def _read(self) -> tuple[int, float, int]:
        waits = self._telemetry.points(_WAIT, **self.labels)
        rejected = self._telemetry.points("obs.limiter.rejected", **self.labels)
        return (
            sum(point.count for point in waits),
            sum(point.sum for point in waits),
            sum(point.value for point in rejected),
        )

    def read(self) -> tuple[int, float, int]:
        """Return how many were let through, how long they waited together, and how many were not."""
        count, waited, rejected = (now - before for now, before in zip(self._read(), self._before, strict=True))
        return int(count), waited, int(rejected)


def events(telemetry: Any) -> list[str]:
    return [event.name for event in telemetry.span().events]


def test_a_call_waits_for_its_turn(telemetry: Any) -> None:
    aiolimiter = import_module("aiolimiter")
    counted = Counted(telemetry, "AsyncLimiter")

    async def work() -> str:
        limiter = aiolimiter.AsyncLimiter(1, 0.2)
        async with limiter:
            pass
        await limiter.acquire()
        with pytest.raises(ValueError, match=r"capacity"):
            await limiter.acquire(2)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(limiter.acquire(), 0.01)
        return "done"

    with trace.get_tracer("agent").start_as_current_span("plan"):
        assert asyncio.run(work()) == "done"
    let_through, waited, rejected = counted.read()
    assert (let_through, rejected) == (2, 0)
    assert waited > 0.05
    assert events(telemetry) == ["obs.limiter.wait"]
    [event] = telemetry.span().events
    assert {**event.attributes, _WAIT: 0} == {**counted.labels, _WAIT: 0}


def pyrate(*, raises: bool) -> Any:
    """Return a limiter of one a minute."""
    pyrate_limiter = import_module("pyrate_limiter")
    bucket = pyrate_limiter.InMemoryBucket([pyrate_limiter.Rate(1, pyrate_limiter.Duration.MINUTE)])
    limiter_class = pyrate_limiter.Limiter
    if hasattr(limiter_class, "try_acquire_async"):
        return limiter_class(bucket)
    return limiter_class(bucket, raise_when_fail=raises)


def ask(limiter: Any) -> Any:
    """Return whether a call is let through, now."""
    if hasattr(limiter, "try_acquire_async"):
        return limiter.try_acquire("user 17", blocking=False)
    return limiter.try_acquire("user 17")


def test_a_call_that_is_not_let_through(telemetry: Any) -> None:
    counted = Counted(telemetry, "Limiter")
    with trace.get_tracer("agent").start_as_current_span("plan"):
        limiter = pyrate(raises=False)
        assert (ask(limiter), ask(limiter)) == (True, False)
    let_through, _, rejected = counted.read()
    assert (let_through, rejected) == (1, 1)
    assert events(telemetry) == ["obs.limiter.rejected"]


def test_an_exception_says_so(telemetry: Any) -> None:
    limiter = pyrate(raises=True)
    counted = Counted(telemetry, "Limiter")
    assert ask(limiter)
    if hasattr(limiter, "try_acquire_async"):
        assert not asyncio.run(limiter.try_acquire_async("user 17", blocking=False))
    else:
        with pytest.raises(import_module("pyrate_limiter").BucketFullException):
            ask(limiter)
    let_through, _, rejected = counted.read()
    assert (let_through, rejected) == (1, 1)


def test_decorated_functions(telemetry: Any) -> None:
    limiter = pyrate(raises=True)
    counted = Counted(telemetry, "Limiter")
    of_today = hasattr(limiter, "try_acquire_async")
    decorate = limiter.as_decorator() if of_today else limiter.as_decorator()(lambda *_: ("user 17", 1))

    @decorate  # type: ignore[untyped-decorator] # imported late
    def forecast(city: str) -> str:
        return f"rain in {city}"

    assert forecast("Lisbon") == "rain in Lisbon"
    assert counted.read()[0] == 1
