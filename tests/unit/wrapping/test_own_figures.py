"""Pools, breakers, limiters and caches of the agent's own are measured like those of libraries."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Ran, Run

FLEET = """
    import asyncio, enum

    class PooledSocket:
        def __init__(self):
            self.socket = object()

    class ZMQConnectionPool:
        def __init__(self):
            self.idle = [PooledSocket()]
        def get_socket(self, config, timeout=None):
            if not self.idle:
                raise TimeoutError(config)
            return self.idle.pop()
        def return_socket(self, pooled):
            self.idle.append(pooled)

    class CircuitState(enum.Enum):
        CLOSED = "closed"
        OPEN = "open"
        HALF_OPEN = "half-open"

    class CircuitBreakerException(Exception):
        pass

    class CircuitBreaker:
        def __init__(self, name):
            self.name, self.state = name, CircuitState.CLOSED
        def call_sync(self, function):
            if self.state is CircuitState.OPEN:
                raise CircuitBreakerException(self.name)
            try:
                return function()
            except ZeroDivisionError:
                self.state = CircuitState.OPEN
                raise
        async def call_async(self, function):
            await asyncio.sleep(0)
            return self.call_sync(function)

    class AskedBreaker:
        name, is_open = "asked", False
        def allow_request(self):
            return not self.is_open
        def record_failure(self):
            self.is_open = True

    class Bulkhead:
        name = "models"
        def __init__(self):
            self.semaphore = asyncio.Semaphore(1)
        async def acquire(self):
            await asyncio.wait_for(self.semaphore.acquire(), 0.01)
        def enter(self):
            return not self.semaphore.locked()

    class Cache:
        def __init__(self):
            self.values = {}
        async def get(self, key):
            return self.values.get(key)

    class ModelCache(Cache):
        async def get(self, key):
            return await super().get(key)

    def remembered(key):
        return {"found": key == "known"}
"""
WRAP = """
    wrap:
      pools:
        target: fleet:ZMQConnectionPool.get_socket
        release: fleet:ZMQConnectionPool.return_socket
        kind: pool
        name: zmq
      breakers:
        target: fleet:CircuitBreaker.call_*
        kind: breaker
        name: "{self.name}"
        state: self.state
        rejects: CircuitBreakerException
      asked:
        target: [fleet:AskedBreaker.allow_request, fleet:AskedBreaker.record_failure]
        kind: breaker
        name: "{self.name}"
        state: self.is_open
        allows: result
      bulkheads:
        target: [fleet:Bulkhead.acquire, fleet:Bulkhead.enter]
        kind: limiter
        name: "{self.name}"
        rejects: TimeoutError
        allows: result
      semaphores:
        target: asyncio.locks:Semaphore.acquire
        kind: limiter
        name: semaphores
      caches:
        target: fleet:Cache+.get
        kind: cache
      remembered:
        target: fleet:remembered
        kind: cache
        hit: result.found
"""
AGENT = """
    import asyncio, fleet, telemetry_probe

    def outcome(call, *args):
        try:
            return call(*args)
        except Exception as error:
            return type(error).__name__

    pool = fleet.ZMQConnectionPool()
    first = pool.get_socket("a")
    print(outcome(pool.get_socket, "b"))
    pool.return_socket(first)
    again = pool.get_socket("c", timeout=3)

    breaker = fleet.CircuitBreaker("carrier")
    print(breaker.call_sync(int), outcome(breaker.call_sync, lambda: 1 / 0), outcome(breaker.call_sync, int))
    print(outcome(asyncio.run, breaker.call_async(int)), outcome(breaker.call_async))
    asked = fleet.AskedBreaker()
    print(asked.allow_request(), asked.record_failure(), asked.allow_request())

    async def limited():
        bulkhead = fleet.Bulkhead()
        print(bulkhead.enter(), await bulkhead.acquire(), bulkhead.enter())
        try:
            await bulkhead.acquire()
        except TimeoutError as error:
            print(repr(error))

    asyncio.run(limited())

    cache = fleet.ModelCache()
    cache.values["a"] = 1
    print(asyncio.run(cache.get("a")), asyncio.run(cache.get("b")), fleet.remembered("known"), fleet.remembered("new"))
"""


POOL, BREAKER, LIMITER, CACHE = "db.client.connection", "obs.circuit_breaker", "obs.limiter", "obs.cache"


def figures(ran: Ran, metric: str, *labels: str) -> dict[Any, Any]:
    """Return the values, or counts, of a metric by the values of its labels."""
    points = ran.seen["metrics"][metric]["points"]
    found = ((tuple(point["attributes"][label] for label in labels), point) for point in points)
    return {key[0] if len(key) == 1 else key: point["count"] or point["value"] for key, point in found}


def test_own_pools_breakers_limiters_and_caches(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text(dedent(FLEET))
    (tmp_path / "wrap.yaml").write_text(dedent(WRAP))
    plain = agent(dedent(AGENT), start=False)
    ran = agent(dedent(AGENT) + "\ntelemetry_probe.show()\n", OBS_WRAP="wrap.yaml")
    assert (plain.code, ran.err) == (0, "")
    assert ran.out.splitlines()[: len(plain.out.splitlines())] == plain.out.splitlines()

    assert figures(ran, f"{POOL}.count", f"{POOL}.pool.name", f"{POOL}.state") == {
        ("zmq", "used"): 1,
        ("zmq", "idle"): 0,
    }
    assert figures(ran, f"{POOL}.wait_time", f"{POOL}.pool.name") == {"zmq": 2}
    assert figures(ran, f"{POOL}.use_time", f"{POOL}.pool.name") == {"zmq": 1}
    assert figures(ran, f"{POOL}.timeouts", f"{POOL}.pool.name") == {"zmq": 1}

    states = figures(ran, f"{BREAKER}.state", f"{BREAKER}.name", f"{BREAKER}.state")
    assert [key for key, value in states.items() if value] == [("carrier", "open"), ("asked", "open")]
    assert figures(ran, f"{BREAKER}.rejected", f"{BREAKER}.name") == {"carrier": 2, "asked": 1}

    assert figures(ran, f"{LIMITER}.wait_time", f"{LIMITER}.name") == {"models": 2, "semaphores": 1}
    assert figures(ran, f"{LIMITER}.rejected", f"{LIMITER}.name") == {"models": 2}

    lookups = figures(ran, f"{CACHE}.lookups", f"{CACHE}.name", f"{CACHE}.result")
    assert lookups == {(name, result): 1 for name in ("ModelCache", "remembered") for result in ("hit", "miss")}
    assert figures(ran, f"{CACHE}.lookup.duration", f"{CACHE}.name") == {"ModelCache": 2, "remembered": 2}
    assert ran.seen["spans"] == []


BLOCKS = """
    import contextlib

    class Pool:
        def __init__(self):
            self.idle = [object()]

        @contextlib.contextmanager
        def connection(self):
            if not self.idle:
                raise TimeoutError("nothing idle")
            taken = self.idle.pop()
            try:
                yield taken
            finally:
                self.idle.append(taken)

        @contextlib.asynccontextmanager
        async def session(self):
            with self.connection() as taken:
                yield taken

    def dependency(pool):
        with pool.connection() as taken:
            yield taken
"""
USING_BLOCKS = """
    import asyncio, blocks, sys, telemetry_probe, traceback

    pool = blocks.Pool()
    with pool.connection() as first:
        print(first in pool.idle)
        try:
            with pool.connection():
                print("never")
        except TimeoutError as error:
            print(error)
    try:
        with pool.connection():
            raise KeyError("in the block")
    except KeyError as error:
        print(error, [frame.name for frame in traceback.extract_tb(error.__traceback__)], pool.idle == [first])
    pool.connection()

    @pool.connection()
    def decorated():
        return len(pool.idle)

    print(decorated())

    async def use():
        async with pool.session() as taken:
            return taken is first

    print(asyncio.run(use()), [taken is first for taken in blocks.dependency(pool)])
"""


def test_own_pools_that_hand_out_connections_by_with(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "blocks.py").write_text(dedent(BLOCKS))
    plain = agent(dedent(USING_BLOCKS), start=False)
    for name, uses, timeouts in (("connection", 4, 1), ("session", 1, 0)):
        (tmp_path / "wrap.yaml").write_text(
            f"wrap: {{blocks: {{target: 'blocks:Pool.{name}', kind: pool, name: {name}}}}}"
        )
        ran = agent(dedent(USING_BLOCKS) + "\ntelemetry_probe.show()\n", OBS_WRAP="wrap.yaml")
        assert (plain.code, ran.err) == (0, "")
        assert ran.out.splitlines()[: len(plain.out.splitlines())] == plain.out.splitlines()
        assert figures(ran, f"{POOL}.wait_time", f"{POOL}.pool.name") == {name: uses}
        assert figures(ran, f"{POOL}.use_time", f"{POOL}.pool.name") == {name: uses}
        assert figures(ran, f"{POOL}.timeouts", f"{POOL}.pool.name") == {name: timeouts}
        in_use = figures(ran, f"{POOL}.count", f"{POOL}.pool.name", f"{POOL}.state")
        assert in_use == {(name, "used"): 0, (name, "idle"): 1}


SLOTTED = """
    class Cache:
        __slots__ = ("values",)
        def __init__(self):
            self.values = {}
        def get(self, key):
            return self.values.get(key)

    class Breaker:
        __slots__ = ("name", "state")
        def __init__(self, name):
            self.name, self.state = name, "closed"
        def fail(self):
            self.state = "open"

    class Pool:
        __slots__ = ("idle",)
        def __init__(self):
            self.idle = [object()]
        def acquire(self):
            return self.idle.pop()
        def release(self, connection):
            self.idle.append(connection)
"""
USING_SLOTTED = """
    import slotted, telemetry_probe

    for _ in range(2):
        cache = slotted.Cache()
        print(cache.get("a"))
        cache.values["a"] = 1
        print(cache.get("a"))
    slotted.Breaker("one").fail()
    slotted.Breaker("two").fail()
    pool = slotted.Pool()
    pool.release(pool.acquire())
    taken = pool.acquire()
"""
WRAP_SLOTTED = """
    wrap:
      cache: {target: "slotted:Cache.get", kind: cache}
      breaker: {target: "slotted:Breaker.fail", kind: breaker, name: "{self.name}", state: self.state}
      pool: {target: "slotted:Pool.acquire", release: "slotted:Pool.release", kind: pool, name: slots}
"""


def test_objects_that_allow_no_weak_references(agent: Run, tmp_path: Path) -> None:
    """Those of one class and name are measured together."""
    (tmp_path / "slotted.py").write_text(dedent(SLOTTED))
    (tmp_path / "wrap.yaml").write_text(dedent(WRAP_SLOTTED))
    plain = agent(dedent(USING_SLOTTED), start=False)
    ran = agent(dedent(USING_SLOTTED) + "\ntelemetry_probe.show()\n", OBS_WRAP="wrap.yaml")
    assert (plain.code, ran.err) == (0, "")
    assert ran.out.startswith(plain.out)
    lookups = figures(ran, f"{CACHE}.lookups", f"{CACHE}.name", f"{CACHE}.result")
    assert lookups == {("Cache", "hit"): 2, ("Cache", "miss"): 2}
    states = figures(ran, f"{BREAKER}.state", f"{BREAKER}.name", f"{BREAKER}.state")
    assert [key for key, value in states.items() if value] == [("one", "open"), ("two", "open")]
    in_use = figures(ran, f"{POOL}.count", f"{POOL}.pool.name", f"{POOL}.state")
    assert in_use == {("slots", "used"): 1, ("slots", "idle"): 0}
