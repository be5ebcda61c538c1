"""Ports of the tests' own: free ones, and the ones that belong to whoever uses this machine."""

from __future__ import annotations

import atexit
import random
import socket
from contextlib import ExitStack
from functools import cache

HOST = "127.0.0.1"
NOT_OURS = (4317, 4318, 9464)
"""A developer's own Collector may listen on the first two, an agent under obs-run on the third."""
# Below those that the kernel gives to outgoing connections, which may take a port between its choice and its use.
_CHOICE = range(12_000, 32_000)
_random = random.SystemRandom()


@cache
def nobody() -> str:
    """Return the address, host and port, where nobody listens: it is ours as long as this process runs."""
    held = socket.socket()
    atexit.register(held.close)
    return f"{HOST}:{_bound(held)}"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        return [_bound(stack.enter_context(socket.socket())) for _ in range(count)]


def _bound(probe: socket.socket) -> int:
    while True:
        port = _random.choice(_CHOICE)
        try:
            probe.bind((HOST, port))
        except OSError:
            continue
        return port
