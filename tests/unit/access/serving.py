"""An agent that serves its metrics in a process of its own, and those who ask it for them."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.ports import free_port
from tests.unit.agents import PROBE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from email.message import Message
    from pathlib import Path

AGENT = """
import obs_run.auto, sys
from opentelemetry import metrics
metrics.get_meter("agent").create_counter("jobs").add(3, {"kind": "small"})
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


@dataclass
class Serving:
    """The agent; ``err`` is there once it has ended."""

    port: int
    process: subprocess.Popen[str]
    tls: ssl.SSLContext | None = None
    err: str = ""
    lines: list[str] = field(default_factory=list)

    def ask(self, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
        """Return status and page."""
        status, _, page = self.answer(headers, tls)
        return status, page

    def answer(
        self, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> tuple[int, Message, str]:
        tls = tls or self.tls
        url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/metrics"
        request = urllib.request.Request(url, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=60, context=tls) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    def do(self, line: str) -> None:
        """Have the agent run a line of Python."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def is_served(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def environment(folder: Path, **more: Any) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "PYTHONPATH": str(PROBE),
        "PYTHONWARNINGS": "default",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "prometheus",
        **{name: str(value) for name, value in more.items()},
    }


@contextmanager
def serving(folder: Path, tls: ssl.SSLContext | None = None, **settings: Any) -> Iterator[Serving]:
    """Run the agent for the time of the block; it must end well."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", AGENT],
        cwd=folder,
        env=environment(folder, OTEL_EXPORTER_PROMETHEUS_PORT=port, **settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    agent = Serving(port, process, tls)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if line == "ready\n":
            yield agent
    finally:
        _, agent.err = process.communicate(timeout=60)
    assert line == "ready\n", agent.err
    agent.lines = agent.err.splitlines()
    assert process.returncode == 0, agent.err
