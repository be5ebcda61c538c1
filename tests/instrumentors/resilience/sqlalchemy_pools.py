"""Pools of SQLAlchemy: what is counted while an agent uses them as agents do."""

from __future__ import annotations

import gc
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.resilience.driving import instrumented, value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POOL = "db.client.connection"


class Database:
    """An engine on a file of its own, with a pool of a queue, and what is measured of it."""

    def __init__(self, telemetry: Any, file: Path, **options: Any) -> None:
        self.sqlalchemy = import_module("sqlalchemy")
        self.telemetry = telemetry
        self.file = file
        pool = import_module("sqlalchemy.pool").QueuePool
        options = {"poolclass": pool, "connect_args": {"check_same_thread": False}, **options}
        self.engine = self.sqlalchemy.create_engine(f"sqlite:///{file}", **options)
        self.name = f"sqlite/{file}"

    def ask(self) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(self.sqlalchemy.text("select 1")).scalar()

    def measured(self, metric: str, **labels: Any) -> float:
        return value(self.telemetry, f"{POOL}.{metric}", **{f"{POOL}.pool.name": self.name}, **labels)

    def in_state(self, state: str) -> float:
        return self.measured("count", **{f"{POOL}.state": state})


@pytest.fixture
def hooks(telemetry: Any) -> Iterator[None]:
    assert telemetry is not None
    with instrumented("sqlalchemy"):
        yield


@pytest.mark.usefixtures("hooks")
def test_connections_in_use_and_idle(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "a", pool_size=2, max_overflow=1)
    assert [database.ask() for _ in range(4)] == [1] * 4
    assert (database.in_state("used"), database.in_state("idle")) == (0, 1)
    connections = [database.engine.connect() for _ in range(3)]
    assert (database.in_state("used"), database.in_state("idle")) == (3, 0)
    for connection in connections:
        connection.close()
    # One more than the pool keeps was closed.
    assert (database.in_state("used"), database.in_state("idle")) == (0, 2)
    assert (database.measured("max"), database.measured("idle.max")) == (3, 2)
    assert database.measured("pending_requests") == 0
    assert database.measured("wait_time") == database.measured("use_time") == 7
    assert database.measured("create_time") == 3
    assert telemetry.spans() == []


@pytest.mark.usefixtures("hooks")
def test_a_wait_in_vain_is_a_time_out_and_has_a_span(
    telemetry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_SLOW_ACQUIRE_SECONDS", "0.02")
    database = Database(telemetry, tmp_path / "a", pool_size=1, max_overflow=0, pool_timeout=0.05)
    with database.engine.connect(), pytest.raises(database.sqlalchemy.exc.TimeoutError) as caught:
        database.engine.connect()
    frames = [frame.path for frame in caught.traceback]
    assert not [path for path in frames if "obs_run" in str(path)]
    assert database.measured("timeouts") == 1
    span = telemetry.span()
    assert span.name == f"acquire {database.name}"
    assert span.kind.name == "INTERNAL"
    assert span.status.status_code.name == "ERROR"
    assert dict(span.attributes) == {
        f"{POOL}.pool.name": database.name,
        "error.type": "sqlalchemy.exc.TimeoutError",
    }
    assert span.end_time - span.start_time >= 0.05e9


@pytest.mark.usefixtures("hooks")
def test_who_waits_is_seen_while_it_waits(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "a", pool_size=1, max_overflow=0)
    held = database.engine.connect()
    waiting = threading.Thread(target=database.ask)
    waiting.start()
    while database.measured("pending_requests") != 1:
        pass
    held.close()
    waiting.join(60)
    assert database.measured("pending_requests") == 0
    assert database.measured("wait_time") == 2


@pytest.mark.usefixtures("hooks")
def test_connections_that_leave_the_pool_in_other_ways(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "a", pool_size=2)
    with database.engine.connect() as connection:
        connection.detach()
        assert (database.in_state("used"), database.in_state("idle")) == (0, 0)
    with database.engine.connect() as connection:
        connection.invalidate()
    assert (database.in_state("used"), database.in_state("idle")) == (0, 0)
    connection = database.engine.connect()
    del connection
    gc.collect()
    assert (database.in_state("used"), database.in_state("idle")) == (0, 1)


@pytest.mark.usefixtures("hooks")
def test_the_pool_that_follows_one_is_known_by_its_name(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "a", pool_size=2)
    database.ask()
    database.engine.dispose()
    assert database.in_state("idle") == 0
    database.ask()
    gc.collect()
    assert (database.in_state("idle"), database.measured("wait_time")) == (1, 2)
    del database.engine
    gc.collect()
    # What counts it does not keep it, and tells that it is gone.
    assert (database.in_state("idle"), database.measured("idle.max")) == (0, 0)


@pytest.mark.usefixtures("hooks")
def test_a_pool_with_a_name(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "a", pool_logging_name="orders")
    database.name = "orders"
    database.ask()
    assert database.in_state("idle") == 1


@pytest.mark.usefixtures("hooks")
def test_a_connection_that_cannot_be_made(telemetry: Any, tmp_path: Path) -> None:
    database = Database(telemetry, tmp_path / "none" / "a", pool_size=1, max_overflow=0, pool_timeout=0.01)
    for _ in range(3):
        with pytest.raises(database.sqlalchemy.exc.OperationalError):
            database.ask()
    assert (database.in_state("used"), database.in_state("idle")) == (0, 0)
    assert database.measured("pending_requests") == database.measured("timeouts") == 0


@pytest.mark.usefixtures("hooks")
def test_other_pools(telemetry: Any) -> None:
    sqlalchemy, pools = import_module("sqlalchemy"), import_module("sqlalchemy.pool")
    for kind in (pools.NullPool, pools.StaticPool, pools.SingletonThreadPool):
        engine = sqlalchemy.create_engine("sqlite://", poolclass=kind, pool_logging_name=kind.__name__)
        for _ in range(2):
            with engine.connect() as connection:
                assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
        labels = {f"{POOL}.pool.name": kind.__name__}
        assert value(telemetry, f"{POOL}.wait_time", **labels) == 2
        assert value(telemetry, f"{POOL}.count", **{**labels, f"{POOL}.state": "used"}) == 0
        kept = value(telemetry, f"{POOL}.count", **{**labels, f"{POOL}.state": "idle"})
        assert kept == (0 if kind is pools.NullPool else 1)


def test_an_async_engine(telemetry: Any, tmp_path: Path) -> None:
    asyncio = import_module("asyncio")
    aio = import_module("sqlalchemy.ext.asyncio")
    text = import_module("sqlalchemy").text

    async def ask(engine: Any) -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(text("select 1"))).scalar()

    async def work() -> list[Any]:
        pool = import_module("sqlalchemy.pool").AsyncAdaptedQueuePool
        url = f"sqlite+aiosqlite:///{tmp_path / 'a'}"
        engine = aio.create_async_engine(url, pool_size=2, poolclass=pool, pool_logging_name="async")
        answers = await asyncio.gather(*[ask(engine) for _ in range(5)])
        await engine.dispose()
        return list(answers)

    with instrumented("sqlalchemy"):
        assert asyncio.run(work()) == [1] * 5
    labels = {f"{POOL}.pool.name": "async"}
    assert value(telemetry, f"{POOL}.wait_time", **labels) == value(telemetry, f"{POOL}.use_time", **labels) == 5
    assert value(telemetry, f"{POOL}.count", **{**labels, f"{POOL}.state": "used"}) == 0
