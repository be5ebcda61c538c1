from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.running import environment
from tests.launch.servers import APP, CELERY, SERVERS, TASKS, Server
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.launch.environments import Environment
    from tests.otlp_receiver import Receiver

REQUESTS = 5
pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the first time environments are made


def soon(condition: Callable[[], bool], seconds: float = 100) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def answers(port: int) -> bool:
    # A connection of its own for each: gunicorn's worker takes the next request only when it is done.
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as response:
        return bool(response.read() == b"hello")
    return False


class Running:
    """A server that was started, and what it says."""

    def __init__(self, words: list[str], folder: Path, env: dict[str, str]) -> None:
        self._said = folder / "said"
        self._file = self._said.open("w")
        self.process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=self._file, stderr=self._file,
            start_new_session=True,
        )  # fmt: skip

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(100)

    def said(self) -> str:
        return self._said.read_text()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._file.close()


@contextlib.contextmanager
def running(words: list[str], place: Environment, folder: Path, env: dict[str, str]) -> Iterator[Running]:
    server = Running([place.command(words[0]), *words[1:]], folder, env)
    try:
        yield server
    finally:
        server.close()


def serve(server: Server, place: Environment, folder: Path, env: dict[str, str], *, launched: bool) -> tuple[int, str]:
    """Run the server for some requests; return its exit code and its words, without what differs each time."""
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in server.command]
    if launched:
        words = ["obs-run", *words]
    with running(words, place, folder, env) as started:
        assert soon(lambda: answers(port)), started.said()
        for _ in range(REQUESTS - 1):
            assert soon(lambda: answers(port)), started.said()
        code = started.stop(server.send)
        lines = re.sub(r"[\d:.]+|\r", "#", started.said()).splitlines()
    return code, "\n".join(sorted(set(lines)))


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_server(server: Server, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    place = environments.environment(server.packages)
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    plain = serve(server, place, tmp_path, env, launched=False)
    launched = serve(server, place, tmp_path, env, launched=True)
    assert launched == plain
    assert_requests(receiver, REQUESTS, inside="GET")
    assert len({span.resource["process.pid"] for span in receiver.spans}) >= server.processes


def assert_requests(receiver: Receiver, count: int, inside: str | None = None) -> None:
    """Each request is a trace: the application's own span, inside of the server's where that has one."""
    names = ["request"] if inside is None else [inside, "request"]
    receiver.wait_for(lambda got: len(got.spans) >= count * len(names))
    assert sorted(span.name for span in receiver.spans) == sorted(names * count)
    roots = {span.span_id: span.trace_id for span in receiver.spans if not span.parent_id}
    assert len(set(roots.values())) == len(roots) == count
    inner = [span for span in receiver.spans if span.parent_id]
    assert [roots[span.parent_id] for span in inner] == [span.trace_id for span in inner]


def test_celery(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / "queue").mkdir()
    (tmp_path / "control").mkdir()
    place = environments.environment(CELERY.packages)
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    sender = [place.python, "-c", "import tasks\nfor n in range(3): tasks.work.delay(n)"]
    subprocess.run(sender, cwd=tmp_path, env=env, check=True, timeout=30)
    with running(["obs-run", *CELERY.command], place, tmp_path, env) as worker:
        assert soon(lambda: len(list(tmp_path.glob("done-*"))) == 3), worker.said()
        assert worker.stop(CELERY.send) == 0
        assert "obs" not in worker.said()
    assert_requests(receiver, 3, inside="process tasks.work")
