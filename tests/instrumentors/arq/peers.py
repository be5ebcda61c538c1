"""Processes without obs-run: one puts jobs into the queue, one is a worker."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any


async def add(_: Any, number: int, *, more: int) -> int:
    return number + more


async def main(role: str, port: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    connections, worker = import_module("arq.connections"), import_module("arq.worker")
    pool = await connections.create_pool(connections.RedisSettings(port=int(port)))
    if role == "worker":
        done = worker.Worker([add], redis_pool=pool, burst=True, handle_signals=False, poll_delay=0)
        await done.main()
        print(done.jobs_complete, "done")
    else:
        for number in range(int(count)):
            await pool.enqueue_job("add", number, more=1)
        print(count, "put")
    await pool.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
