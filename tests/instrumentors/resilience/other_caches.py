"""Caches of aiocache and diskcache: hits and misses, and how long each lookup took."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from pathlib import Path


def lookups(telemetry: Any, name: str) -> tuple[float, ...]:
    """Return how many hit and missed, and how many were timed."""
    labels = {"obs.cache.name": f"{__name__}.{name}"}
    hits, misses = (
        value(telemetry, "obs.cache.lookups", **labels, **{"obs.cache.result": result}) for result in ("hit", "miss")
    )
    return hits, misses, value(telemetry, "obs.cache.lookup.duration", **labels)


def test_aiocache(telemetry: Any) -> None:
    async def work() -> None:
        aiocache = import_module("aiocache")
        cache = aiocache.SimpleMemoryCache()
        assert await cache.get("a") is None
        assert await cache.get("a", default="nothing") == "nothing"
        await cache.set("a", 1)
        assert await cache.get("a") == 1
        assert await cache.multi_get(["a", "b"]) == [1, None]

        @aiocache.cached()  # type: ignore[untyped-decorator] # imported late
        async def double(number: int) -> int:
            return 2 * number

        assert [await double(2) for _ in range(3)] == [4] * 3

    with instrumented("aiocache"):
        asyncio.run(work())
    assert lookups(telemetry, "SimpleMemoryCache") == (4, 4, 7)


def test_diskcache(telemetry: Any, tmp_path: Path) -> None:
    with instrumented("diskcache"):
        diskcache = import_module("diskcache")
        with diskcache.Cache(str(tmp_path / "one")) as cache:
            assert cache.get("a") is None
            cache["a"] = 1
            assert cache["a"] == cache.get("a") == 1
            assert cache.get("a", expire_time=True) == (1, None)
            assert cache.get("b", 2, expire_time=True, tag=True) == (2, None, None)
            with pytest.raises(KeyError) as caught:
                cache["c"]
            assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]

            @cache.memoize()  # type: ignore[untyped-decorator] # imported late
            def double(number: int) -> int:
                return 2 * number

            assert [double(2) for _ in range(3)] == [4] * 3
        assert lookups(telemetry, "Cache") == (5, 4, 9)
        with diskcache.FanoutCache(str(tmp_path / "many"), shards=2) as shards:
            shards["a"] = 1
            assert [shards.get(key) for key in "abc"] == [1, None, None]
        assert lookups(telemetry, "Cache") == (6, 6, 12)
