"""A real Redis server on a free loopback port."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.backends import install, servers
from tests.ports import HOST, free_port


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a server that keeps nothing until the block ends, and give its port."""
    port = free_port()
    program = install.find("redis-server")
    command: list[str | Path] = [program, "--port", str(port), "--bind", HOST, "--save", "", "--dir", folder]

    def answers() -> bool:
        try:
            with socket.create_connection((HOST, port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False

    with servers.running("redis-server", command, answers, folder):
        yield port
