"""Brokers of Kafka on free loopback ports: Apache's, and one in memory that old clients speak to, too."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.e2e.backends import install, servers
from tests.ports import HOST, free_port, free_ports

_CLUSTER = "obs-run-testsAAAAAAAAA"
_ALONE = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
}
"""What a broker without others is to be told."""


@contextmanager
def kafka_server(folder: Path, partitions: int = 1) -> Iterator[str]:
    """Run a broker that keeps nothing until the block ends, and give its address; topics are made as they are used."""
    port = free_port()
    command: list[str | Path] = [install.find("kafka-server"), "-port", str(port), "-partitions", str(partitions)]
    with servers.running("kafka-server", command, partial(_answers, port), folder):
        yield f"{HOST}:{port}"


@contextmanager
def apache_kafka(folder: Path) -> Iterator[str]:
    """Run Apache's broker, as agents that speak by it find theirs, until the block ends, and give its address."""
    port, controller = free_ports(2)
    own = {
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "log.dirs": str(folder / "kafka"),
    }
    config = folder / "kafka.properties"
    config.write_text("".join(f"{name}={text}\n" for name, text in {**_ALONE, **own}.items()))
    program = install.find("apache-kafka")
    formatting: list[str | Path] = [
        program,
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        _CLUSTER,
        "--config",
        config,
    ]
    subprocess.run(formatting, check=True, capture_output=True)
    command: list[str | Path] = [program, "kafka.Kafka", config]
    with servers.running("apache-kafka", command, partial(_answers, port), folder):
        yield f"{HOST}:{port}"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), 1):
            return True
    except OSError:
        return False
