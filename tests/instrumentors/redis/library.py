"""redis-py: both ends in this process, sync and async, by a real server."""

from __future__ import annotations

import asyncio
import inspect
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.arq.library import server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

OLDEST, NEWEST = "5.0, oldest", "8.1, newest"
CITY = {"city": "Lisbon"}
TEXT = json.dumps(CITY)


class Redis(Driver):
    """A client of a server where nothing is left, sync or async behind the same coroutines."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.loop = self.loop or asyncio.new_event_loop()
        self.redis = import_module("redis.asyncio" if kind == "async" else "redis")

    def client(self, **options: Any) -> Any:
        """Return a client."""
        return self.redis.Redis(host="127.0.0.1", port=server(), **options)

    def within(self, work: Callable[[Any, Any], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        """Return what ``work(self, client)`` returns, by a client that is closed then."""

        async def working() -> Any:
            client = self.client(**options)
            try:
                await got(client.flushall())
                return await work(self, client)
            finally:
                await got(client.aclose() if hasattr(client, "aclose") else client.close())
                await got(client.connection_pool.disconnect())

        return self.run(working())


async def got(returned: Any) -> Any:
    """Wait for what an async client returns."""
    return await returned if inspect.isawaitable(returned) else returned


def fields_of(read: Any) -> list[Any]:
    """Return the fields of all entries that were read, in whichever shape."""
    streams = read.values() if isinstance(read, dict) else [stream[1] for stream in read]
    return [entry[1] for entries in streams for entry in _flat(entries)]


def _flat(entries: Any) -> list[Any]:
    # A client of RESP3 has put each stream's entries into a list of one.
    return list(entries[0]) if entries and isinstance(entries[0], list) else list(entries)


async def message_of(subscription: Any) -> Any:
    """Return the data of the next message, None where a handler has taken it."""
    while True:
        message = await got(subscription.get_message(timeout=60))
        if message is None or message["type"].endswith("message"):
            return None if message is None else message["data"]


async def subscribed(client: Any, *names: str, **handlers: Any) -> Any:
    """Return a subscription that the server knows of; names with a star are patterns."""
    subscription = client.pubsub(ignore_subscribe_messages=False)
    subscribe = subscription.psubscribe if any("*" in name for name in (*names, *handlers)) else subscription.subscribe
    await got(subscribe(*names, **handlers))
    confirmed = 0
    while confirmed < len(names) + len(handlers):
        confirmed += await got(subscription.get_message(timeout=60)) is not None
    return subscription


async def added(_: Any, client: Any) -> Any:
    mine = dict(CITY)
    made = await got(client.xadd("orders:17", mine, id="1-1"))
    entries = fields_of(await got(client.xread({"orders:17": 0})))
    return [made, mine, entries, [entry[1] for entry in await got(client.xrange("orders:17"))]]


async def read_by_group(_: Any, client: Any) -> Any:
    await got(client.xgroup_create("orders", "clerks", mkstream=True))
    for number in range(3):
        await got(client.xadd("orders", {"number": number}, id=f"1-{number + 1}"))
    seen = []
    for count in (1, 2):
        read = await got(client.xreadgroup("clerks", "ann", {"orders": ">"}, count=count, block=1000))
        seen.append(fields_of(read))
    return [seen, await got(client.xreadgroup("clerks", "ann", {"orders": ">"}, block=1)) or None]


async def claimed(_: Any, client: Any) -> Any:
    await got(client.xgroup_create("orders", "clerks", mkstream=True))
    await got(client.xadd("orders", CITY, id="1-1"))
    await got(client.xreadgroup("clerks", "ann", {"orders": ">"}))
    taken = await got(client.xautoclaim("orders", "clerks", "bob", 0))
    return [taken[1], await got(client.xclaim("orders", "clerks", "eve", 0, ["1-1"]))]


async def added_by_pipeline(_: Any, client: Any) -> Any:
    pipeline = client.pipeline()
    for number in (1, 2):
        pipeline.xadd("orders", CITY, id=f"1-{number}")
    return [await got(pipeline.execute()), fields_of(await got(client.xread({"orders": 0})))]


async def added_to_no_stream(_: Any, client: Any) -> Any:
    await got(client.set("orders", "none"))
    await got(client.xadd("orders", CITY))


async def published(_: Any, client: Any) -> Any:
    subscription = await subscribed(client, "sky:*")
    counts = [await got(client.publish("sky:17", text)) for text in (TEXT, TEXT.encode(), "rain")]
    heard = [await message_of(subscription) for _ in counts]
    await got(subscription.close())
    return [counts, [json.loads(data) if data[:1] == b"{" else data for data in heard]]


async def handled(_: Any, client: Any) -> Any:
    heard = []

    def hear(message: Any) -> None:
        heard.append((message["type"], message["channel"], json.loads(message["data"])))

    subscription = await subscribed(client, sky=hear)
    await got(client.publish("sky", TEXT))
    assert await message_of(subscription) is None
    await got(subscription.close())
    return heard


async def failed_handler(_: Any, client: Any) -> Any:
    def fail(_: Any) -> None:
        raise ValueError("no such city")

    subscription = await subscribed(client, sky=fail)
    await got(client.publish("sky", TEXT))
    try:
        await message_of(subscription)
    except ValueError as error:
        return str(error)
    finally:
        await got(subscription.close())


async def popped(_: Any, client: Any) -> Any:
    await got(client.rpush("jobs", "one", "two"))
    await got(client.zadd("due", {"three": 3}))
    return [
        await got(client.blpop("jobs", timeout=60)),
        await got(client.blpop(["jobs"], timeout=60)),
        await got(client.bzpopmin("due", timeout=60)),
        await got(client.blpop("jobs", timeout=0.01)),
    ]


async def moved(_: Any, client: Any) -> Any:
    await got(client.rpush("jobs", "one", "two"))
    return [
        await got(client.brpoplpush("jobs", "working", timeout=60)),
        await got(client.blmove("jobs", "working", 60, "LEFT", "RIGHT")),
        await got(client.lrange("working", 0, -1)),
    ]


def told(operation: str, name: str, *, by: str = "send", **more: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a span."""

    def attributes(_: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "redis",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": name,
            "messaging.destination.template": name,
            "network.transport": "tcp",
            "peer.service": f"127.0.0.1:{server()}",
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def _within(work: Callable[[Any, Any], Coroutine[Any, Any, Any]], **options: Any) -> Callable[[Any], Any]:
    return lambda its: its.within(work, **options)


def _sent(sent: str, heard: str, **about: Any) -> Node:
    return Node(sent, Node(f"process {heard}", kind="CONSUMER", **about), kind="PRODUCER")


_ENTRY: dict[str, Any] = {"messaging__message__id": "1-1", "messaging__message__body__size": 10}
_GROUP: dict[str, Any] = {"messaging__consumer__group__name": "clerks", "messaging__client__id": "ann"}
_CHANNEL: dict[str, Any] = {"messaging__message__body__size": len(TEXT)}
_POPPED: dict[str, Any] = {"messaging__batch__message_count": 1}
_TOGETHER = Node("process orders", kind="CONSUMER", attributes={"messaging.batch.message_count": 2})

LIBRARY = Library(
    name="redis",
    instrumentor="obs_instrumentors.redis",
    environments={OLDEST: ("redis==5.0.0",), NEWEST: ("redis>=8.1,<9",)},
    driver=Redis,
    more=("more.py",),
    backend="redis-server",
    scenarios=(
        Scenario(
            "entry of a stream",
            _within(added),
            "process orders:*",
            told("process", "orders:17", by="process", messaging__destination__template="orders:*", **_ENTRY),
            {},
            tree=(_sent("xadd orders:*", "orders:*"),),
        ),
        Scenario(
            "entry of a stream, as texts",
            _within(added, decode_responses=True),
            "xadd orders:*",
            told("xadd", "orders:17", messaging__destination__template="orders:*", **_ENTRY),
            tree=(_sent("xadd orders:*", "orders:*"),),
        ),
        Scenario(
            "entry of a stream, by the older protocol",
            _within(added, protocol=2),
            "xadd orders:*",
            told("xadd", "orders:17", messaging__destination__template="orders:*", **_ENTRY),
            tree=(_sent("xadd orders:*", "orders:*"),),
        ),
        Scenario(
            "entry of a stream, by the newer protocol",
            _within(added, protocol=3),
            "xadd orders:*",
            told("xadd", "orders:17", messaging__destination__template="orders:*", **_ENTRY),
            tree=(_sent("xadd orders:*", "orders:*"),),
        ),
        Scenario(
            "consumer group",
            _within(read_by_group),
            "process orders",
            told("process", "orders", by="process", **{**_ENTRY, **_GROUP, "messaging__message__body__size": 7}),
            tree=(_sent("xadd orders", "orders"), Node("xadd orders"), Node("xadd orders"), _TOGETHER),
        ),
        Scenario(
            "entries that are claimed",
            _within(claimed),
            "process orders",
            told("process", "orders", by="process", **_ENTRY, **_GROUP),
            tree=(
                Node(
                    "xadd orders",
                    Node("process orders"),
                    Node("process orders", attributes={"messaging.client.id": "bob"}),
                    Node("process orders", attributes={"messaging.client.id": "eve"}),
                ),
            ),
        ),
        Scenario(
            "entries by a pipeline",
            _within(added_by_pipeline),
            "xadd orders",
            told("xadd", "orders", messaging__message__body__size=10),
            tree=(Node("xadd orders"), Node("xadd orders"), _TOGETHER),
        ),
        Scenario(
            "entry that cannot be added",
            _within(added_to_no_stream),
            "xadd orders",
            told("xadd", "orders", messaging__message__body__size=10, error__type="redis.exceptions.ResponseError"),
            error="ResponseError",
        ),
        Scenario(
            "channel",
            _within(published),
            "process sky:*",
            told("process", "sky:17", by="process", messaging__destination__template="sky:*", **_CHANNEL),
            tree=(
                _sent("publish sky:*", "sky:*"),
                _sent("publish sky:*", "sky:*"),
                Node("publish sky:*"),
                Node("process sky:*"),
            ),
        ),
        Scenario(
            "handler of a channel",
            _within(handled),
            "publish sky",
            told("publish", "sky", **_CHANNEL),
            tree=(_sent("publish sky", "sky"),),
        ),
        Scenario(
            "handler that fails",
            _within(failed_handler),
            "process sky",
            told("process", "sky", by="process", **_CHANNEL, error__type="ValueError"),
            tree=(_sent("publish sky", "sky", status="ERROR"),),
            failures=1,
        ),
        Scenario(
            "jobs of a list",
            _within(popped),
            "blpop jobs",
            told("blpop", "jobs", by="receive", **_POPPED),
            tree=(Node("blpop jobs", kind="CLIENT"), Node("blpop jobs"), Node("bzpopmin due")),
        ),
        Scenario(
            "jobs that are moved",
            _within(moved),
            "brpoplpush jobs",
            told("brpoplpush", "jobs", by="receive", **_POPPED),
            tree=(Node("brpoplpush jobs"), Node("blmove jobs")),
        ),
    ),
)
