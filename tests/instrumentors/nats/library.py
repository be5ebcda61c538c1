"""nats-py: both ends in this process, by a real server."""

from __future__ import annotations

import asyncio
import atexit
import tempfile
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.backends.nats import nats_server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

OLDEST, NEWEST = "2.2, oldest", "2.16, newest"
CITY = b"Lisbon"
STREAM, ORDERS = "ORDERS", "orders.*"
_WAIT = 30


@cache
def server() -> str:
    """Return the address of a server that runs as long as this process."""
    kept = ExitStack()
    atexit.register(kept.close)
    folder = kept.enter_context(tempfile.TemporaryDirectory())
    return kept.enter_context(nats_server(Path(folder)))


class Nats(Driver):
    """Connections to the server, one for each piece of work."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.nats = import_module("nats")
        self.address = server()

    async def connect(self, **options: Any) -> Any:
        """Return a connection by the name of a planner."""
        return await self.nats.connect(self.address, name="planner", **options)

    def within(self, work: Callable[[Any, Any], Coroutine[Any, Any, Any]]) -> Any:
        """Return what ``work(self, connection)`` returns, by a connection that is closed then."""

        async def working() -> Any:
            connection = await self.connect()
            try:
                return await work(self, connection)
            finally:
                await connection.close()

        return self.run(working())


async def stream_of(connection: Any) -> Any:
    """Return JetStream with an empty stream of orders."""
    context = connection.jetstream()
    if STREAM in [each.config.name for each in await context.streams_info()]:
        await context.delete_stream(STREAM)
    await context.add_stream(name=STREAM, subjects=[ORDERS], storage="memory")
    return context


class Inbox:
    """What a callback was given, and how it answers."""

    def __init__(self, answer: Callable[[Any], Coroutine[Any, Any, Any]] | None = None, most: int = 1) -> None:
        self.answer = answer
        self.seen: list[Any] = []
        self.most = most
        self.full = asyncio.Event()

    async def take(self, message: Any) -> None:
        """Take a message."""
        self.seen.append((message.subject, message.data))
        if self.answer is not None:
            await self.answer(message)
        if len(self.seen) >= self.most:
            self.full.set()

    async def all(self) -> list[Any]:
        """Wait until all are there."""
        await asyncio.wait_for(self.full.wait(), _WAIT)
        return self.seen


async def answer_sky(message: Any) -> None:
    await message.respond(b"clear")


async def request(_: Any, connection: Any) -> Any:
    forecast = Inbox(answer_sky)
    await connection.subscribe("sky.*", "forecasters", cb=forecast.take)
    answer = await connection.request("sky.7", CITY, timeout=_WAIT, headers={"unit": "C"})
    return [answer.data, forecast.seen]


async def request_of_old(_: Any, connection: Any) -> Any:
    forecast = Inbox(answer_sky)
    await connection.subscribe("sky", cb=forecast.take)
    return [(await connection.request("sky", CITY, timeout=_WAIT, old_style=True)).data, forecast.seen]


async def served_in_a_loop(_: Any, connection: Any) -> Any:
    asked = await connection.subscribe("sky")

    async def serve() -> None:
        async for message in asked.messages:
            await connection.publish(message.reply, b"clear")

    serving = asyncio.create_task(serve())
    answers = [(await connection.request("sky", CITY, timeout=_WAIT)).data for _ in range(2)]
    await asked.unsubscribe()
    await serving
    return answers


async def unheard(_: Any, connection: Any) -> Any:
    return await connection.request("sky", CITY, timeout=_WAIT)


async def unanswered(_: Any, connection: Any) -> Any:
    await connection.subscribe("sky", cb=Inbox().take)
    return await connection.request("sky", CITY, timeout=0.05)


async def failed_service(_: Any, connection: Any) -> Any:
    async def forecast(request: Any) -> None:
        await request.respond_error("404", "no such city")

    micro = import_module("nats.micro")
    service = await micro.add_service(connection, name="sky", version="1.0.0")
    await service.add_endpoint(name="forecast", handler=forecast)
    answer = await connection.request("forecast", CITY, timeout=_WAIT)
    await service.stop()
    return [answer.data, answer.headers["Nats-Service-Error-Code"]]


async def published(_: Any, connection: Any) -> Any:
    heard = Inbox(most=2)
    await connection.subscribe("sky.>", cb=heard.take)
    await connection.publish("sky.lisbon", b"clear")
    await connection.publish("sky.porto", b"rain", headers={"unit": "C"})
    return await heard.all()


async def asked_for(_: Any, connection: Any) -> Any:
    heard = await connection.subscribe("sky")
    for word in (b"clear", b"rain"):
        await connection.publish("sky", word)
    return [(await heard.next_msg(_WAIT)).data for _ in range(2)]


async def failed_callback(_: Any, connection: Any) -> Any:
    async def fail(_: Any) -> None:
        raise ValueError("no such city")

    told = Inbox()
    connection._error_cb = lambda error: told.take(_Failed(error))
    await connection.subscribe("sky", cb=fail)
    await connection.publish("sky", CITY)
    return await told.all()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.subject, self.data = type(error).__name__, str(error)


async def too_long(_: Any, connection: Any) -> Any:
    await connection.publish("sky", bytes(connection.max_payload + 1))


async def stored(_: Any, connection: Any) -> Any:
    context = await stream_of(connection)
    kept = await context.publish("orders.1", CITY, headers={"Nats-Msg-Id": "one"})
    heard = Inbox()
    await context.subscribe(ORDERS, cb=heard.take)
    return [kept.seq, await heard.all()]


async def stored_later(_: Any, connection: Any) -> Any:
    context = await stream_of(connection)
    return (await (await context.publish_async("orders.1", CITY))).seq


async def not_stored(_: Any, connection: Any) -> Any:
    return await connection.jetstream().publish("nowhere", CITY, timeout=_WAIT)


async def refused(_: Any, connection: Any) -> Any:
    context = await stream_of(connection)
    await context.publish("orders.1", CITY)

    async def judge(message: Any) -> None:
        await (message.ack() if message.metadata.num_delivered > 1 else message.nak())

    heard = Inbox(judge, most=2)
    await context.subscribe(ORDERS, "clerks", cb=heard.take, manual_ack=True)
    return await heard.all()


async def fetched(_: Any, connection: Any) -> Any:
    context = await stream_of(connection)
    for number in range(3):
        await context.publish(f"orders.{number}", CITY)
    pulled = await context.pull_subscribe(ORDERS, "clerk")
    seen = []
    for count in (1, 2):
        messages = await pulled.fetch(count, timeout=_WAIT)
        for message in messages:
            await message.ack()
        seen.append([message.subject for message in messages])
    await pulled.unsubscribe()
    return seen


async def fetched_in_vain(_: Any, connection: Any) -> Any:
    context = await stream_of(connection)
    await context.publish("orders.1", CITY)
    pulled = await context.pull_subscribe(ORDERS, "clerk")
    await pulled.fetch(1, timeout=_WAIT)
    try:
        await pulled.fetch(1, timeout=0.05)
    except asyncio.TimeoutError as error:
        # Where it is raised hangs on who is faster, the client or the server.
        return type(error)


def told(
    operation: str, template: str, *, by: str = "send", name: str | None = None, size: int = len(CITY), **more: Any
) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a span."""

    def attributes(its: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "nats",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": name or template,
            "messaging.destination.template": template,
            "messaging.client.id": "planner",
            "messaging.message.body.size": size,
            "network.transport": "tcp",
            "peer.service": its.address.removeprefix("nats://"),
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def _within(work: Callable[[Any, Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    return lambda its: its.within(work)


def _call(subject: str) -> Node:
    return Node(f"request {subject}", Node(f"process {subject}", kind="SERVER"), kind="CLIENT")


def _message(sent: str, heard: str) -> Node:
    return Node(f"publish {sent}", Node(f"process {heard}", kind="CONSUMER"), kind="PRODUCER")


_GROUP: dict[str, Any] = {"messaging__consumer__group__name": "clerk"}
_KEPT = told("publish", ORDERS, name="orders.1")
_TWO_TOGETHER = Node(f"process {ORDERS}", kind="CONSUMER", attributes={"messaging.batch.message_count": 2})

LIBRARY = Library(
    name="nats",
    instrumentor="obs_instrumentors.nats",
    environments={OLDEST: ("nats-py==2.2.0",), NEWEST: ("nats-py>=2.16,<3",)},
    driver=Nats,
    kinds=("async",),
    more=("more.py",),
    backend="nats-server",
    scenarios=(
        Scenario(
            "request",
            _within(request),
            "process sky.*",
            told("process", "sky.*", by="process", name="sky.7", messaging__consumer__group__name="forecasters"),
            {},
            tree=(_call("sky.*"),),
        ),
        Scenario(
            "request by an inbox of its own",
            _within(request_of_old),
            "request sky",
            told("request", "sky"),
            tree=(_call("sky"),),
        ),
        Scenario(
            "requests answered in a loop",
            _within(served_in_a_loop),
            "request sky",
            told("request", "sky"),
            tree=(_call("sky"), _call("sky")),
        ),
        Scenario(
            "request that nobody hears",
            _within(unheard),
            "request sky",
            told("request", "sky", error__type="no_responders"),
            error="NoRespondersError",
        ),
        Scenario(
            "no answer in time",
            _within(unanswered),
            "request sky",
            told("request", "sky", error__type="timeout"),
            error="TimeoutError",
            tree=(Node("request sky", Node("process sky", kind="SERVER", status="UNSET"), kind="CLIENT"),),
        ),
        Scenario(
            "service that fails",
            _within(failed_service),
            "request forecast",
            told("request", "forecast", error__type="404"),
            tree=(Node("request forecast", Node("process forecast", kind="SERVER", status="ERROR"), status="ERROR"),),
            unless=(OLDEST,),
        ),
        Scenario(
            "publish",
            _within(published),
            "process sky.>",
            told("process", "sky.>", by="process", name="sky.lisbon", size=5),
            tree=(_message("sky.lisbon", "sky.>"), _message("sky.porto", "sky.>")),
        ),
        Scenario(
            "messages asked for",
            _within(asked_for),
            "publish sky",
            told("publish", "sky", size=5),
            tree=(_message("sky", "sky"), _message("sky", "sky")),
        ),
        Scenario(
            "callback that fails",
            _within(failed_callback),
            "process sky",
            told("process", "sky", by="process", error__type="ValueError"),
            tree=(Node("publish sky", Node("process sky", status="ERROR")),),
            failures=1,
        ),
        Scenario(
            "message that is too long",
            _within(too_long),
            "publish sky",
            told("publish", "sky", size=(1 << 20) + 1, error__type="nats.errors.MaxPayloadError"),
            error="MaxPayloadError",
        ),
        Scenario(
            "publish to a stream",
            _within(stored),
            f"publish {ORDERS}",
            told("publish", ORDERS, name="orders.1", messaging__message__id="one"),
            tree=(_message(ORDERS, ORDERS),),
        ),
        Scenario(
            "publish to a stream, confirmed later",
            _within(stored_later),
            f"publish {ORDERS}",
            _KEPT,
            unless=(OLDEST,),
        ),
        Scenario(
            "publish to no stream",
            _within(not_stored),
            "publish nowhere",
            told("publish", "nowhere", error__type="no_responders"),
            error="NoStreamResponseError",
        ),
        Scenario(
            "message that is refused once",
            _within(refused),
            f"process {ORDERS}",
            told(
                "process",
                ORDERS,
                by="process",
                name="orders.1",
                error__type="nak",
                messaging__consumer__group__name="clerks",
            ),
            tree=(
                Node(
                    f"publish {ORDERS}",
                    Node(f"process {ORDERS}", status="ERROR"),
                    Node(f"process {ORDERS}", status="UNSET", attributes={"obs.messaging.delivery_count": 2}),
                ),
            ),
        ),
        Scenario(
            "fetch",
            _within(fetched),
            f"process {ORDERS}",
            told("process", ORDERS, by="process", name="orders.0", **_GROUP),
            tree=(_message(ORDERS, ORDERS), Node(f"publish {ORDERS}"), Node(f"publish {ORDERS}"), _TWO_TOGETHER),
        ),
        Scenario(
            "fetch in vain",
            _within(fetched_in_vain),
            f"process {ORDERS}",
            told("process", ORDERS, by="process", name="orders.1", **_GROUP),
            tree=(_message(ORDERS, ORDERS),),
        ),
    ),
)
