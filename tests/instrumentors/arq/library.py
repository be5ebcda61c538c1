"""arq: who puts a job into a queue and the worker in this process, by a real Redis server."""

from __future__ import annotations

import atexit
import json
import tempfile
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.backends.redis import redis_server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

OLDEST, NEWEST = "0.25, oldest", "0.28, newest"
QUEUE = "arq:queue"


@cache
def server() -> int:
    """Return the port of a server that runs as long as this process."""
    kept = ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(redis_server(Path(kept.enter_context(tempfile.TemporaryDirectory()))))


class Arq(Driver):
    """A pool of connections, and workers that do what is in the queue."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.connections = import_module("arq.connections")
        self.worker = import_module("arq.worker")

    async def open(self, **options: Any) -> Any:
        """Return a pool."""
        return await self.connections.create_pool(self.connections.RedisSettings(port=server()), **options)

    async def work(self, pool: Any, *functions: Any, **options: Any) -> Any:
        """Have a worker do what is in the queue, and return it."""
        worker = self.worker.Worker(
            functions, redis_pool=pool, burst=True, handle_signals=False, poll_delay=0, **options
        )
        await worker.main()
        await worker.close()
        return worker

    def within(self, work: Callable[[Any, Any], Coroutine[Any, Any, Any]]) -> Any:
        """Return what ``work(self, pool)`` returns, of a server where nothing is left."""

        async def working() -> Any:
            pool = await self.open()
            try:
                await pool.flushall()
                return await work(self, pool)
            finally:
                await pool.close()

        return self.run(working())


async def forecast(context: Any, city: str, *, unit: str = "C") -> str:
    return f"{city}: 20 {unit} ({context['job_try']})"


async def fail(context: Any) -> None:
    raise ValueError(f"no city ({context['job_try']})")


async def hand_on(context: Any, city: str) -> None:
    await context["redis"].enqueue_job("forecast", city, _job_id="second")


async def once_more(context: Any) -> str:
    if context["job_try"] == 1:
        raise import_module("arq").Retry
    return "done"


async def job(its: Any, pool: Any) -> Any:
    put = await pool.enqueue_job("forecast", "Lisbon", unit="F", _job_id="first")
    done = await its.work(pool, forecast)
    return [put.job_id, await put.result(), done.jobs_complete, (await put.info()).kwargs]


async def job_in_json(its: Any, _: Any) -> Any:
    formats = {"job_serializer": _to_json, "job_deserializer": json.loads}
    pool = await its.open(**formats)
    put = await pool.enqueue_job("forecast", "Lisbon", _job_id="first")
    done = await its.work(pool, forecast, **formats)
    result = await put.result()
    await pool.close()
    return [result, done.jobs_complete]


def _to_json(job: Any) -> bytes:
    return json.dumps(job).encode()


async def same_job_twice(_: Any, pool: Any) -> Any:
    first = await pool.enqueue_job("forecast", "Lisbon", _job_id="first")
    return [first.job_id, await pool.enqueue_job("forecast", "Lisbon", _job_id="first")]


async def failed_job(its: Any, pool: Any) -> Any:
    await pool.enqueue_job("fail", _job_id="first")
    return (await its.work(pool, fail, keep_result=0)).jobs_failed


async def retried_job(its: Any, pool: Any) -> Any:
    put = await pool.enqueue_job("once_more", _job_id="first")
    done = await its.work(pool, once_more)
    return [await put.result(), done.jobs_retried]


async def job_of_a_job(its: Any, pool: Any) -> Any:
    await pool.enqueue_job("hand_on", "Lisbon", _job_id="first")
    return (await its.work(pool, hand_on, forecast)).jobs_complete


async def job_that_cannot_be_kept(_: Any, pool: Any) -> Any:
    return await pool.enqueue_job("forecast", lambda: None, _job_id="first")


def told(operation: str, function: str, *, by: str = "send", **more: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a span."""
    known = {
        "messaging.system": "arq",
        "messaging.operation.name": operation,
        "messaging.operation.type": by,
        "messaging.destination.name": QUEUE,
        "messaging.destination.template": QUEUE,
        "messaging.message.id": "first",
        "network.transport": "tcp",
        "rpc.method": function,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return lambda _: {name: value for name, value in known.items() if value is not None}


def _within(work: Callable[[Any, Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    return lambda its: its.within(work)


def _job(function: str, *inside: Node, **about: Any) -> Node:
    return Node(f"enqueue {function}", Node(f"process {function}", *inside, kind="CONSUMER", **about), kind="PRODUCER")


LIBRARY = Library(
    name="arq",
    instrumentor="obs_instrumentors.arq",
    environments={OLDEST: ("arq==0.25.0",), NEWEST: ("arq>=0.28,<0.29",)},
    driver=Arq,
    kinds=("async",),
    more=("more.py",),
    backend="redis-server",
    scenarios=(
        Scenario(
            "job",
            _within(job),
            "process forecast",
            told("process", "forecast", by="process"),
            {},
            tree=(_job("forecast"),),
        ),
        Scenario(
            "job in a format of the agent's",
            _within(job_in_json),
            "enqueue forecast",
            told("enqueue", "forecast"),
            tree=(Node("enqueue forecast"), Node("process forecast")),
        ),
        Scenario(
            "job that is there already",
            _within(same_job_twice),
            "enqueue forecast",
            told("enqueue", "forecast"),
            tree=(Node("enqueue forecast"), Node("enqueue forecast", attributes={"messaging.message.id": None})),
        ),
        Scenario(
            "job that fails",
            _within(failed_job),
            "process fail",
            told("process", "fail", by="process", error__type="ValueError"),
            tree=(_job("fail", status="ERROR"),),
            failures=1,
        ),
        Scenario(
            "job that is run again",
            _within(retried_job),
            "process once_more",
            told("process", "once_more", by="process", error__type="retry"),
            tree=(
                Node(
                    "enqueue once_more",
                    Node("process once_more", status="ERROR"),
                    Node("process once_more", status="UNSET", attributes={"obs.messaging.delivery_count": 2}),
                ),
            ),
            failures=1,
        ),
        Scenario(
            "job of a job",
            _within(job_of_a_job),
            "enqueue hand_on",
            told("enqueue", "hand_on"),
            tree=(_job("hand_on", _job("forecast")),),
        ),
        Scenario(
            "job that cannot be kept",
            _within(job_that_cannot_be_kept),
            "enqueue forecast",
            told("enqueue", "forecast", messaging__message__id=None, error__type="arq.jobs.SerializationError"),
            error="SerializationError",
        ),
    ),
)
