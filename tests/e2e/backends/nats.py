"""A real NATS server on a free loopback port, as agents that speak by it find theirs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.backends import install, servers
from tests.ports import HOST, free_ports


@contextmanager
def nats_server(folder: Path, **options: object) -> Iterator[str]:
    """Run a server with JetStream until the block ends, and give its address; ``options`` are its own."""
    port, monitoring = free_ports(2)
    config = folder / "nats.json"
    kept = {"host": HOST, "port": port, "http": f"{HOST}:{monitoring}", "jetstream": {"store_dir": str(folder)}}
    config.write_text(json.dumps({**kept, **options}))
    command: list[str | Path] = [install.find("nats-server"), "--config", config]
    with servers.running("nats-server", command, f"http://{HOST}:{monitoring}/healthz", folder):
        yield f"nats://{HOST}:{port}"
