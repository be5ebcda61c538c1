"""However the collector misbehaves, the end of a process comes in time, and in silence."""

from __future__ import annotations

import socket
import threading
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.beside import beside
from tests.launch.running import SCRIPTS, environment, run
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PYTHON = str(SCRIPTS / "python")
FLUSH_SECONDS = 2.0
# An agent imports and starts, beside waiting, what plain Python does not; idle it is about three times as much.
YARDSTICKS = 12

PROGRAM = """
    import logging, multiprocessing, os, sys, time
    from opentelemetry import metrics, trace
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(logging.NullHandler())
    counter = metrics.get_meter("case").create_counter("counted")

    def record():
        for number in range(int(sys.argv[1])):
            with trace.get_tracer("case").start_as_current_span("work"):
                logging.info("line %s", number)
            counter.add(1)

    if __name__ == "__main__":
        if sys.argv[2] == "child":
            child = multiprocessing.get_context("fork").Process(target=record)
            child.start()
            child.join()
            sys.exit(child.exitcode)
        record()
        if sys.argv[2] == "os._exit":
            os._exit(3)
        if sys.argv[2] == "SIGTERM":
            os.kill(os.getpid(), 15)
            time.sleep(30)
    """


class Dripping:
    """A server that answers each request with one byte a second."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            try:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
                    connection.send(bytes([byte]))
                    time.sleep(1)
            except OSError:
                return

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the address of a collector that is away in the way that the parameter names."""
    server: Any = Dripping() if request.param == "slow" else Receiver()
    address: str = server.endpoint
    if request.param == "closed":
        server.close()
        yield address
        return
    server.mood = request.param
    yield "http://no-such-host.invalid:4318" if request.param == "unknown" else address
    server.close()


@pytest.mark.parametrize("endpoint", ["closed", "silent", "unavailable", "unknown", "slow"], indirect=True)
@pytest.mark.parametrize(
    ("way", "count"), [("end", 1), ("SIGTERM", 1), ("os._exit", 1), ("child", 1), ("end", 2000), ("SIGTERM", 2000)]
)
def test_the_end_comes_in_time(endpoint: str, way: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(dedent(PROGRAM))
    words = [str(SCRIPTS / "obs-run"), PYTHON, "agent.py", str(count), way]
    env = environment(endpoint, tmp_path, OBS_FLUSH_SECONDS=str(FLUSH_SECONDS))
    outcomes = {}

    def launched() -> None:
        outcomes["launched"] = run(words, tmp_path, env)

    def plain() -> None:
        outcomes["plain"] = run(words, tmp_path, {**env, "OTEL_SDK_DISABLED": "true"})

    took = beside(launched, plain)
    assert outcomes["launched"] == outcomes["plain"]
    # A parent that waits for its child, and then says its own, has the time of two.
    took.assert_within(FLUSH_SECONDS * (2 if way == "child" else 1), YARDSTICKS)
