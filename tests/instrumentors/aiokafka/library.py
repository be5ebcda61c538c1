"""aiokafka: both ends in this process, by a broker in memory."""

from __future__ import annotations

import atexit
import tempfile
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.backends.kafka import kafka_server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

OLDEST, NEWEST = "0.10, oldest", "0.14, newest"
CITY = b"Lisbon"
TEMPLATE = "orders.*"
GROUP = "clerks"
_numbers = count()


@cache
def server() -> str:
    """Return the address of a broker that runs as long as this process."""
    kept = ExitStack()
    atexit.register(kept.close)
    folder = kept.enter_context(tempfile.TemporaryDirectory())
    return kept.enter_context(kafka_server(Path(folder)))


class Kafka(Driver):
    """A producer, and consumers of a topic of its own, for each piece of work."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.kafka = import_module("aiokafka")
        self.address = server()
        self.topic = ""
        self.started: list[Any] = []

    async def producer(self, **options: Any) -> Any:
        """Return a producer by the name of a planner."""
        return await self._start(
            self.kafka.AIOKafkaProducer(bootstrap_servers=self.address, client_id="planner", **options)
        )

    async def consumer(self, **options: Any) -> Any:
        """Return a consumer of the topic from its begin."""
        made = self.kafka.AIOKafkaConsumer(
            self.topic, bootstrap_servers=self.address, client_id="clerk", auto_offset_reset="earliest", **options
        )
        return await self._start(made)

    async def new_topic(self, word: str) -> str:
        """Make a topic, and have it be the one that is consumed; old releases do not ask for it themselves."""
        self.topic = f"{word}.{next(_numbers)}"
        admin = import_module("aiokafka.admin")
        client = admin.AIOKafkaAdminClient(bootstrap_servers=self.address)
        await client.start()
        await client.create_topics([admin.NewTopic(self.topic, 1, 1)])
        await client.close()
        return self.topic

    async def _start(self, client: Any) -> Any:
        await client.start()
        self.started.append(client)
        return client

    def within(self, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Return what ``work(self)`` returns, by clients that are stopped then."""

        async def working() -> Any:
            await self.new_topic("orders")
            try:
                return await work(self)
            finally:
                while self.started:
                    await self.started.pop().stop()

        return self.run(working())


def shown(record: Any) -> Any:
    """Return what a test compares of a record."""
    headers = [each for each in record.headers if each[0] != "traceparent"]
    return [record.partition, record.offset, record.key, record.value, headers]


async def sent(its: Any) -> Any:
    producer = await its.producer()
    kept = await producer.send_and_wait(its.topic, CITY, b"key", headers=[("unit", b"C"), ("unit", None)])
    record = await (await its.consumer(group_id=GROUP)).getone()
    return [kept.partition, kept.offset, shown(record)]


async def confirmed_later(its: Any) -> Any:
    producer = await its.producer(linger_ms=20)
    futures = [await producer.send(its.topic, b"%d" % number) for number in range(2)]
    return [(await each).offset for each in futures]


async def deleted(its: Any) -> Any:
    producer = await its.producer()
    await producer.send_and_wait(its.topic, key=b"key")
    return shown(await (await its.consumer()).getone())


async def read_in_a_loop(its: Any) -> Any:
    producer = await its.producer()
    for number in range(2):
        await producer.send_and_wait(its.topic, b"%d" % number)
    seen = []
    async for record in await its.consumer():
        seen.append(record.value)
        if len(seen) > 1:
            return seen
    return None


async def read_together(its: Any) -> Any:
    producer = await its.producer()
    for number in range(3):
        await producer.send_and_wait(its.topic, b"%d" % number)
    consumer = await its.consumer(group_id=GROUP)
    first = await consumer.getmany(timeout_ms=10_000, max_records=1)
    rest: list[Any] = []
    while len(rest) < 2:
        for records in (await consumer.getmany(timeout_ms=10_000)).values():
            rest += [record.value for record in records]
    await consumer.commit()
    nothing = await consumer.getmany(timeout_ms=10)
    return [[record.value for records in first.values() for record in records], rest, nothing]


async def batch(its: Any) -> Any:
    producer = await its.producer()
    filled = producer.create_batch()
    for number in range(2):
        filled.append(key=None, value=b"%d" % number, timestamp=None, headers=[("number", b"%d" % number)])
    kept = await (await producer.send_batch(filled, its.topic, partition=0))
    consumer = await its.consumer()
    return [kept.offset, [shown(await consumer.getone()) for _ in range(2)]]


async def too_long(its: Any) -> Any:
    await (await its.producer()).send_and_wait(its.topic, bytes(2 << 20))


async def stopped(its: Any) -> Any:
    producer = await its.producer()
    await producer.send_and_wait(its.topic, CITY)
    await producer.stop()
    await producer.send_and_wait(its.topic, CITY)


def told(operation: str, *, by: str = "send", size: int | None = len(CITY), offset: int | None = 0, **more: Any) -> Any:
    """Return what gives the attributes of a span."""

    def attributes(its: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "kafka",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": its.topic,
            "messaging.destination.template": TEMPLATE,
            "messaging.destination.partition.id": "0",
            "messaging.client.id": "planner" if by == "send" else "clerk",
            "messaging.message.id": None if offset is None else f"{its.topic}.0.{offset}",
            "messaging.message.body.size": size,
            "network.transport": "tcp",
            "peer.service": its.address,
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def _within(work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    return lambda its: its.within(work)


def _sent(*inside: Node, **about: Any) -> Node:
    return Node(f"send {TEMPLATE}", *inside, kind="PRODUCER", **about)


_WORK = Node(f"process {TEMPLATE}", kind="CONSUMER", status="UNSET")
_GROUP: dict[str, Any] = {"messaging__consumer__group__name": GROUP}

LIBRARY = Library(
    name="aiokafka",
    instrumentor="obs_instrumentors.aiokafka",
    environments={OLDEST: ("aiokafka==0.10.0",), NEWEST: ("aiokafka>=0.14,<0.15",)},
    driver=Kafka,
    kinds=("async",),
    more=("more.py",),
    backend="kafka-server",
    scenarios=(
        Scenario(
            "send and receive",
            _within(sent),
            f"process {TEMPLATE}",
            told("process", by="process", **_GROUP),
            {},
            tree=(_sent(_WORK),),
        ),
        Scenario(
            "confirmed later",
            _within(confirmed_later),
            f"send {TEMPLATE}",
            told("send", size=1),
            tree=(_sent(), _sent()),
        ),
        Scenario(
            "message that deletes",
            _within(deleted),
            f"process {TEMPLATE}",
            told("process", by="process", size=0),
            tree=(_sent(_WORK),),
        ),
        Scenario(
            "loop over a consumer",
            _within(read_in_a_loop),
            f"send {TEMPLATE}",
            told("send", size=1),
            tree=(_sent(_WORK), _sent(_WORK)),
        ),
        Scenario(
            "several together",
            _within(read_together),
            f"process {TEMPLATE}",
            told("process", by="process", size=1, **_GROUP),
            tree=(
                _sent(_WORK),
                _sent(),
                _sent(),
                Node(f"process {TEMPLATE}", kind="CONSUMER", attributes={"messaging.batch.message_count": 2}),
            ),
        ),
        Scenario(
            "batch",
            _within(batch),
            f"send {TEMPLATE}",
            told("send", size=None, offset=None, messaging__batch__message_count=2),
            tree=(_sent(), _WORK, _WORK),
        ),
        Scenario(
            "message that is too long",
            _within(too_long),
            f"send {TEMPLATE}",
            told(
                "send",
                size=None,
                offset=None,
                error__type="aiokafka.errors.MessageSizeTooLargeError",
                messaging__destination__partition__id=None,
            ),
            error="MessageSizeTooLargeError",
        ),
        Scenario(
            "producer that is stopped",
            _within(stopped),
            f"send {TEMPLATE}",
            told("send"),
            error="ProducerClosed",
            tree=(_sent(status="UNSET"), _sent(status="ERROR")),
        ),
    ),
)
