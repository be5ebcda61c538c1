"""Questions and answers by websockets, both ends in one loop; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from typing import Any

CASE, COUNT = sys.argv[1], int(sys.argv[2])
WARM = 200
_TEXTS = {"question": '{"action": "forecast", "city": "Lisbon", "request_id": "7"}', "one-way": "forecast Lisbon"}


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    client, server = (import_module(f"websockets.asyncio.{end}") for end in ("client", "server"))
    text = _TEXTS[CASE]
    async with server.serve(echo, "127.0.0.1", 0) as serving:
        port = serving.sockets[0].getsockname()[1]
        async with client.connect(f"ws://127.0.0.1:{port}/sky") as connection:
            for _ in range(WARM):
                await connection.send(text)
                await connection.recv()
            wall, cpu = time.perf_counter(), time.thread_time()
            for _ in range(COUNT):
                await connection.send(text)
                await connection.recv()
            cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


asyncio.run(main())
