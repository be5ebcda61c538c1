"""A broker that speaks Kafka's protocol, on a free loopback port."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.backends import install, servers
from tests.ports import HOST, free_port


@contextmanager
def kafka_server(folder: Path, partitions: int = 1) -> Iterator[str]:
    """Run a broker that keeps nothing until the block ends, and give its address; topics are made as they are used."""
    port = free_port()
    command: list[str | Path] = [install.find("kafka-server"), "-port", str(port), "-partitions", str(partitions)]

    def answers() -> bool:
        try:
            with socket.create_connection((HOST, port), 1):
                return True
        except OSError:
            return False

    with servers.running("kafka-server", command, answers, folder):
        yield f"{HOST}:{port}"
