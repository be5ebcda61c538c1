"""Whatever of ours raises, one function after the other: what the agent sees stays the same."""

from __future__ import annotations

import asyncio
from functools import partial
from importlib import import_module
from operator import getitem
from typing import TYPE_CHECKING, Any

from tests import faults
from tests.instrumentors.resilience.driving import instrumented
from tests.instrumentors.resilience.retrying import Weather

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARIES = ("aiolimiter", "cachetools", "pybreaker", "sqlalchemy", "tenacity")


def _seen(work: Callable[[], Any]) -> Any:
    """Return what a piece of work returns or raises."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (it is compared)
        return type(error), str(error)


def cache() -> list[Any]:
    cachetools = import_module("cachetools")
    made = cachetools.TTLCache(2, 10, timer=iter(range(100)).__next__)
    for key in range(4):
        made[key] = key
    return [*[made.get(key) for key in range(4)], *[_seen(partial(getitem, made, key)) for key in range(4)], list(made)]


def pool() -> list[Any]:
    sqlalchemy, pools = import_module("sqlalchemy"), import_module("sqlalchemy.pool")
    options = {"poolclass": pools.QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = sqlalchemy.create_engine("sqlite://", **options)

    def ask() -> Any:
        with engine.connect() as connection:
            return connection.execute(sqlalchemy.text("select 1")).scalar()

    with engine.connect() as connection:
        in_vain = _seen(ask)
        connection.detach()
    answers = [in_vain, ask(), ask()]
    engine.dispose()
    return [*answers, ask(), engine.pool.checkedout()]


def breaker() -> list[Any]:
    pybreaker = import_module("pybreaker")
    made = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=3600)
    seen = [_seen(lambda: made.call(Weather(9).ask)) for _ in range(3)]
    made.reset_timeout = 0
    return [*seen, _seen(lambda: made.call(Weather(9).ask)), _seen(lambda: made.call(int)), made.current_state]


def retries() -> list[Any]:
    tenacity = import_module("tenacity")
    stop = tenacity.stop_after_attempt(3)
    given_up = _seen(lambda: tenacity.Retrying(stop=stop, reraise=True)(Weather(9).ask))
    return [given_up, tenacity.Retrying(stop=stop)(Weather(2).ask)]


def limiter() -> list[Any]:
    made = import_module("aiolimiter").AsyncLimiter(2, 0.01)

    async def work() -> list[Any]:
        async with made:
            passed = [await made.acquire() for _ in range(3)]
        return [*passed, made.has_capacity(9)]

    return [*asyncio.run(work()), _seen(lambda: asyncio.run(made.acquire(9)))]


WORKS: dict[str, Callable[[], list[Any]]] = {
    "limiter": limiter,
    "cache": cache,
    "pool": pool,
    "breaker": breaker,
    "retries": retries,
}


def test_faults_of_ours(telemetry: Any) -> None:
    telemetry.may_fail = True
    without = {name: work() for name, work in WORKS.items()}
    faults.assert_none_changes(WORKS, without, partial(instrumented, *LIBRARIES), least=10)
