"""Ports of the tests' own: free ones, and the ones that belong to whoever uses this machine."""

from __future__ import annotations

import atexit
import fcntl
import os
import random
import socket
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
NOT_OURS = (4317, 4318, 9464)
"""A developer's own Collector may listen on the first two, an agent under obs-run on the third."""
# Below those that the kernel gives to outgoing connections, which may take a port between its choice and its use.
_CHOICE = range(12_000, 32_000)
_random = random.SystemRandom()
_reserved: set[int] = set()
"""Ports that this process gave out, of which those that are not listened on yet are as good as taken."""


@cache
def nobody() -> str:
    """Return the address, host and port, where nobody listens: it is ours as long as this process runs."""
    held = socket.socket()
    atexit.register(held.close)
    return f"{HOST}:{_bound(held)}"


def free_port() -> int:
    """Return a port of this machine that nobody listens on, and that no other run of these tests is given."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        return [_bound(stack.enter_context(socket.socket())) for _ in range(count)]


def _bound(probe: socket.socket) -> int:
    while True:
        port = _random.choice(_CHOICE)
        try:
            _reserve(port)
            probe.bind((HOST, port))
        except OSError:
            continue
        return port


def _reserve(port: int) -> None:
    """Keep a port from all other runs of these tests as long as this process runs; raise OSError where one has it."""
    if port in _reserved:
        raise OSError(port)
    fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    _reserved.add(port)


@cache
def _reservations() -> int:
    """Open the file that all runs lock, a byte for each port; closing it would unlock all of them."""
    path = Path(tempfile.gettempdir()) / f"obs-run-tests-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
