"""Jobs of arq, put into a queue and done by a worker; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

ADDRESS, CASE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
WARM = 100


async def forecast(_: Any, city: str) -> str:
    return city


async def jobs(pool: Any, count: int) -> None:
    """Put jobs into the queue and do them."""
    for _ in range(count):
        await pool.enqueue_job("forecast", "Lisbon")
    worker = import_module("arq.worker").Worker(
        [forecast], redis_pool=pool, burst=True, handle_signals=False, poll_delay=0, keep_result=0, log_results=False
    )
    await worker.main()


async def main() -> None:
    assert CASE == "job"
    connections = import_module("arq.connections")
    pool = await connections.create_pool(connections.RedisSettings(port=urlsplit(ADDRESS).port))
    await jobs(pool, WARM)
    wall, cpu = time.perf_counter(), time.thread_time()
    await jobs(pool, COUNT)
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    await pool.aclose()
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


asyncio.run(main())
