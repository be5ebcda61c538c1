"""Round trips and messages by NATS in one task; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from typing import Any

ADDRESS, CASE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
WARM = 200
TEXT = b'{"action": "forecast", "city": "Lisbon", "request_id": "7"}'


async def answer(message: Any) -> None:
    await message.respond(b'{"sky": "clear"}')


async def round_trip(connection: Any, _: Any) -> None:
    await connection.request("forecast", TEXT, timeout=60)


async def message(connection: Any, heard: Any) -> None:
    await connection.publish("events", TEXT)
    await heard.next_msg(60)


CASES = {"request": round_trip, "one-way": message}


async def main() -> None:
    work = CASES[CASE]
    connection = await import_module("nats").connect(ADDRESS)
    await connection.subscribe("forecast", cb=answer)
    heard = await connection.subscribe("events")
    for _ in range(WARM):
        await work(connection, heard)
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(COUNT):
        await work(connection, heard)
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    await connection.close()
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


asyncio.run(main())
