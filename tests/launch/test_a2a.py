"""An agent that asks another one by A2A, each in a process of its own: under obs-run, both or one of them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.instrumentors.a2a import agents
from tests.launch import environments
from tests.launch.running import environment, run
from tests.ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.launch.environments import Environment
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first

CLIENT = """\
import asyncio, sys
from opentelemetry import trace
from a2a.client import create_client
from a2a.types.a2a_pb2 import Message, Part, Role, SendMessageRequest

async def main():
    with trace.get_tracer("case").start_as_current_span("work"):
        client = await create_client(sys.argv[1])
        asked = Message(message_id="m", role=Role.ROLE_USER, parts=[Part(text="rain")])
        texts = []
        async for event in client.send_message(SendMessageRequest(message=asked)):
            texts += [part.text for part in event.artifact_update.artifact.parts]
        await client.close()
    print("".join(texts))

asyncio.run(main())
"""
SAID = "It rains in Lisbon.\n"


@contextmanager
def serving(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[str]:
    """Run the server as a program, and give its address."""
    port = free_port()
    shutil.copy(agents.__file__, folder / "server.py")
    with subprocess.Popen([*command, "server.py", str(port)], cwd=folder, env=env) as process:
        try:
            until = time.monotonic() + 60
            while not is_open(port) and time.monotonic() < until:
                time.sleep(0.05)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
    assert process.returncode is not None


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.fixture(params=["a2a 1.0", "a2a 1.3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    (tmp_path / "agent.py").write_text(CLIENT)
    return environments.environment(request.param)


def test_both_under_obs_run_are_one_trace(place: Environment, receiver: Receiver, tmp_path: Path) -> None:
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    ours = [place.command("obs-run"), place.python]
    with serving(ours, tmp_path, env) as url:
        outcome = run([*ours, "agent.py", url], tmp_path, env)
    assert (outcome.code, outcome.out) == (0, SAID)

    work = receiver.named("work")[0]
    mine = [span for span in receiver.spans if span.trace_id == work.trace_id]
    names = {span.span_id: span.name for span in mine}
    tree = sorted((span.name, names.get(span.parent_id, "")) for span in mine if span.span_id != work.span_id)
    invoked = f"invoke_agent {agents.AGENT}"
    assert [pair for pair in tree if pair[1]] == [
        ("GetAgentCard", "work"),
        ("POST /", invoked),
        ("SendStreamingMessage", "POST /"),
        (invoked, "SendStreamingMessage"),
        (invoked, "work"),
        ("think of rain", invoked),
    ]
    processes = {span.resource["process.pid"] for span in mine}
    assert len(processes) == 2


def test_a_client_under_obs_run_asks_a_server_without(place: Environment, receiver: Receiver, tmp_path: Path) -> None:
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    with serving([place.python], tmp_path, env) as url:
        outcome = run([place.command("obs-run"), place.python, "agent.py", url], tmp_path, env)
    assert (outcome.code, outcome.out) == (0, SAID)
    asked = [span.name for span in receiver.spans if span.parent_id == receiver.named("work")[0].span_id]
    assert sorted(asked) == ["GetAgentCard", f"invoke_agent {agents.AGENT}"]


def test_a_server_under_obs_run_is_asked_by_a_client_without(
    place: Environment, receiver: Receiver, tmp_path: Path
) -> None:
    env = environment(receiver.endpoint, tmp_path, place.scripts)
    with serving([place.command("obs-run"), place.python], tmp_path, env) as url:
        outcome = run([place.python, "agent.py", url], tmp_path, env)
    assert (outcome.code, outcome.out) == (0, SAID)
    (served,) = receiver.named("SendStreamingMessage")
    (ran,) = receiver.named(f"invoke_agent {agents.AGENT}")
    assert ran.parent_id == served.span_id
