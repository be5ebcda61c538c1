"""Peers without obs-run, each a process: they say ``ready``, and then how much of what they saw was wrong."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any


def message(number: int) -> dict[str, Any]:
    """Return what a message has: some no key, some no value, some headers, also those that are no texts."""
    headers = (None, [], [("unit", b"C"), ("unit", None)], [("raw", b"\xff\x00")])[number % 4]
    value = None if number % 5 == 0 else b"message %d" % number
    return {"key": b"%d" % number if number % 5 == 0 or number % 2 else None, "value": value, "headers": headers}


def is_wrong(record: Any, number: int) -> bool:
    """Whether a record is another one than was sent, but for a header that this knows nothing of."""
    sent = message(number)
    headers = [each for each in record.headers if each[0] != "traceparent"]
    return [record.key, record.value, headers] != [sent["key"], sent["value"], sent["headers"] or []]


async def consumer(address: str, topic: str, count: int) -> int:
    kafka = import_module("aiokafka")
    reading = kafka.AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest")
    await reading.start()
    print("ready", flush=True)
    wrong = sum([is_wrong(await reading.getone(), number) for number in range(count)])
    await reading.stop()
    return wrong


async def producer(address: str, topic: str, count: int) -> int:
    kafka = import_module("aiokafka")
    sending = kafka.AIOKafkaProducer(bootstrap_servers=address)
    await sending.start()
    print("ready", flush=True)
    for number in range(count):
        await sending.send(topic, **message(number))
    await sending.stop()
    return 0


async def main(role: str, address: str, topic: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    wrong = await {"consumer": consumer, "producer": producer}[role](address, topic, int(count))
    print(wrong, "wrong", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
