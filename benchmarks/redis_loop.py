"""Messages by streams and channels of Redis; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS, CASE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
WARM = 100
_STREAM, _GROUP, _CHANNEL = "benchmark:stream", "workers", "benchmark:channel"
_WAIT = 10


def entry(client: Any) -> None:
    """Add an entry, read and acknowledge it."""
    name = client.xadd(_STREAM, {"city": "Lisbon", "unit": "C"})
    client.xreadgroup(_GROUP, "one", {_STREAM: ">"}, count=1)
    client.xack(_STREAM, _GROUP, name)


def main() -> None:
    client = import_module("redis").Redis.from_url(ADDRESS)
    client.delete(_STREAM)
    client.xgroup_create(_STREAM, _GROUP, mkstream=True)
    subscription = client.pubsub()
    subscription.subscribe(_CHANNEL)
    subscription.get_message(timeout=_WAIT)

    def message(client: Any) -> None:
        client.publish(_CHANNEL, '{"city": "Lisbon"}')
        subscription.get_message(timeout=_WAIT)

    def get(client: Any) -> None:
        client.get("benchmark:key")

    work: Callable[[Any], None] = {"entry": entry, "one-way": message, "get": get}[CASE]
    for _ in range(WARM):
        work(client)
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(COUNT):
        work(client)
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    client.delete(_STREAM)
    client.close()
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


main()
