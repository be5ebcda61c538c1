"""Peers without obs-run, each a process: they say ``ready``, and then how much of what they saw was wrong."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any


def text(number: int) -> bytes:
    """Return what a message says."""
    return b"message %d" % number


def headers(number: int) -> dict[str, str] | None:
    """Return the headers of a message; most have none."""
    return {"number": str(number)} if number % 3 == 0 else None


def is_wrong(message: Any, number: int) -> bool:
    """Whether a message is another one than was sent, but for headers that this knows nothing of."""
    told = headers(number)
    return message.data != text(number) or (told is not None and message.headers["number"] != told["number"])


async def subscriber(connection: Any, count: int) -> int:
    heard = await connection.subscribe("peers.heard")
    await say_ready(connection)
    return sum([is_wrong(await heard.next_msg(60), number) for number in range(count)])


async def service(connection: Any, count: int) -> int:
    asked = await connection.subscribe("peers.asked")
    await say_ready(connection)
    wrong = 0
    for number in range(count):
        message = await asked.next_msg(60)
        wrong += is_wrong(message, number)
        await message.respond(message.data)
    await connection.flush()
    return wrong


async def worker(connection: Any, count: int) -> int:
    await say_ready(connection)
    pulled = await connection.jetstream().pull_subscribe("orders.*", "plain")
    messages: list[Any] = []
    while len(messages) < count:
        for message in await pulled.fetch(50, timeout=60):
            await message.ack()
            messages.append(message)
    return sum(is_wrong(message, number) for number, message in enumerate(messages))


async def asking(connection: Any, count: int) -> int:
    await say_ready(connection)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    wrong = 0
    for number in range(count):
        await connection.publish("peers.told.1", text(number), headers=headers(number))
        answer = await connection.request("peers.told.2", text(number), timeout=60, headers=headers(number))
        wrong += is_wrong(answer, number)
    return wrong


async def say_ready(connection: Any) -> None:
    await connection.flush()
    print("ready", flush=True)


async def main(role: str, address: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    connection = await import_module("nats").connect(address)
    roles = {"subscriber": subscriber, "service": service, "worker": worker, "asking": asking}
    wrong = await roles[role](connection, int(count))
    print(wrong, "wrong", flush=True)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
