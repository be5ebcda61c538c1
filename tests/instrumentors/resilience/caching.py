"""Caches: hits, misses and evictions are as many as the agent's own count."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.resilience.driving import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator


class Counted:
    """What is counted of the caches with a name, since now."""

    def __init__(self, telemetry: Any, name: str) -> None:
        self.telemetry = telemetry
        self.name = f"{__name__}.{name}"
        self.before = self._read()

    def _read(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for metric, label in (("lookups", "result"), ("evictions", "eviction.reason")):
            for point in self.telemetry.points(f"obs.cache.{metric}", **{"obs.cache.name": self.name}):
                found[point.attributes[f"obs.cache.{label}"]] = point.value
        return found

    def read(self) -> dict[str, float]:
        found = {key: number - self.before.get(key, 0) for key, number in self._read().items()}
        return {key: number for key, number in found.items() if number}


@pytest.fixture
def cachetools(telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    with instrumented("cachetools"):
        module = import_module("cachetools")
        # For the metrics there must be a first collection.
        module.LRUCache(1)
        telemetry.flush()
        yield module


@pytest.fixture
def first(telemetry: Any, cachetools: Any) -> None:
    """Have something collected."""
    cache = cachetools.LFUCache(1)
    cache.get(1)
    telemetry.flush()


KINDS = ("Cache", "FIFOCache", "LFUCache", "LRUCache", "RRCache")


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_cache(cachetools: Any, telemetry: Any, kind: str) -> None:
    counted = Counted(telemetry, kind)
    cache = getattr(cachetools, kind)(3)
    for key in range(5):
        cache[key] = str(key)
    hits = sum(cache.get(key) is not None for key in range(5))
    for key in (98, 99):
        with pytest.raises(KeyError) as caught:
            cache[key]
        assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
    assert cache.get(97, "default") == "default"
    assert counted.read() == {"hit": hits, "miss": 5 - hits + 3, "size": 2}
    assert hits == 3


@pytest.mark.usefixtures("first")
def test_a_cache_with_a_time_to_live(cachetools: Any, telemetry: Any) -> None:
    counted = Counted(telemetry, "TTLCache")
    now = [0]
    cache = cachetools.TTLCache(3, 10, timer=lambda: now[0])
    for key in range(3):
        cache[key] = key
    assert cache[1] == cache.get(1) == 1
    now[0] = 11
    assert cache.get(1) is None
    with pytest.raises(KeyError):
        cache[2]
    cache[4] = 4
    assert list(cache) == [4]
    found = counted.read()
    # Older releases do not tell what has expired.
    assert found.pop("expired", 3) == 3
    assert found == {"hit": 2, "miss": 2}


@pytest.mark.usefixtures("first")
def test_decorated_functions(cachetools: Any, telemetry: Any) -> None:
    counted = Counted(telemetry, "LRUCache")

    @cachetools.cached(cachetools.LRUCache(2), lock=threading.RLock())  # type: ignore[untyped-decorator] # imported late
    def double(number: int) -> int:
        return 2 * number

    assert [double(number) for number in (1, 2, 1, 3, 1, 2)] == [2, 4, 2, 6, 2, 4]
    assert counted.read() == {"hit": 2, "miss": 4, "size": 2}


@pytest.mark.usefixtures("first")
def test_a_class_of_the_agents_own(cachetools: Any, telemetry: Any) -> None:
    class Loading(cachetools.LRUCache):  # type: ignore[misc] # imported late
        def __missing__(self, key: str) -> str:
            self[key] = value = key.upper()
            return value

        def __getitem__(self, key: str, **more: Any) -> Any:
            return super().__getitem__(key, **more)

    counted = Counted(telemetry, "Loading")
    cache = Loading(2)
    assert [cache[key] for key in ("a", "a", "b", "a", "c")] == ["A", "A", "B", "A", "C"]
    assert counted.read() == {"hit": 2, "miss": 3, "size": 1}


@pytest.mark.usefixtures("first")
def test_what_the_agent_sees_of_a_cache(cachetools: Any) -> None:
    cache = cachetools.LRUCache(2)
    cache["a"] = 1
    assert pickle.loads(pickle.dumps(cache)) == copy.copy(cache) == {"a": 1}
    assert pickle.loads(pickle.dumps(cachetools.Cache.get)) is cachetools.Cache.get
    assert cachetools.LRUCache.__getitem__.__name__ == "__getitem__"
    assert repr(cache).startswith("LRUCache(")
    assert cache.pop("a") == 1
    assert cache.setdefault("b", 2) == 2
    with pytest.raises(KeyError):
        cache.popitem() and cache.popitem()


@pytest.mark.usefixtures("first")
def test_nothing_keeps_a_cache(cachetools: Any) -> None:
    gone = []

    class Watched(cachetools.LRUCache):  # type: ignore[misc] # imported late
        def __del__(self) -> None:
            gone.append(len(self))

    cache = Watched(2)
    cache["a"] = object()
    assert cache["a"]
    del cache
    gc.collect()
    assert gone == [1]


@pytest.mark.usefixtures("first")
def test_no_lookup_of_many_threads_is_lost(cachetools: Any, telemetry: Any) -> None:
    counted = Counted(telemetry, "LRUCache")
    cache = cachetools.LRUCache(1)
    cache["a"] = 1
    threads = [threading.Thread(target=lambda: [cache.get("a") for _ in range(20_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.read() == {"hit": 80_000}
