"""Agents that speak by a real NATS server: every hop between two that obs-run started is in one trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends.nats import nats_server
from tests.launch import environments, fleet
from tests.launch.fleet import Agent, path_of
from tests.launch.running import assert_one_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

COORDINATOR = """
import asyncio, json, logging, sys
import nats

log = logging.getLogger("coordinator")
logging.basicConfig(level=logging.INFO)


async def main():
    connection = await nats.connect(sys.argv[1], name="coordinator")
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="tasks", subjects=["tasks.*"])
    stopped = asyncio.Event()

    async def handle(message):
        request = json.loads(message.data)
        log.info(f"Processing {request['action']}")
        answer = await connection.request("worker.infer", message.data, timeout=60)
        await jetstream.publish(f"tasks.{request['action']}", answer.data)
        await connection.publish("events.done", answer.data, headers={"agent": "coordinator"})
        await message.respond(answer.data)
        if request["action"] == "stop":
            stopped.set()

    await connection.subscribe("coordinator", "coordinators", cb=handle)
    await connection.flush()
    print("ready", flush=True)
    await stopped.wait()
    log.info("leaving")
    await connection.drain()


asyncio.run(main())
"""
WORKER = """
import asyncio, json, logging, sys
import nats

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)


async def main():
    connection = await nats.connect(sys.argv[1])
    asked = await connection.subscribe("worker.*")
    await connection.flush()
    print("ready", flush=True)
    async for message in asked.messages:
        request = json.loads(message.data)
        log.info("inferring")
        await message.respond(json.dumps({"status": "success", **request}).encode())
        if request["action"] == "stop":
            break
    await connection.drain()


asyncio.run(main())
"""
ARCHIVE = """
import asyncio, json, sys
import nats


async def main():
    connection = await nats.connect(sys.argv[1])
    tasks = await connection.jetstream().pull_subscribe("tasks.*", "archive")
    heard = await connection.subscribe("events.>")
    await connection.flush()
    print("ready", flush=True)
    action = None
    while action != "stop":
        event = await heard.next_msg(60)
        print(event.subject, event.headers["agent"], flush=True)
        [task] = await tasks.fetch(1, timeout=60)
        await task.ack()
        action = json.loads(task.data)["action"]
        print(task.subject, flush=True)
    await connection.close()


asyncio.run(main())
"""
ASKING = """
import asyncio, json, sys
import nats


async def main():
    connection = await nats.connect(sys.argv[1])
    for action in ("translate", "summarize", "stop"):
        answer = await connection.request("coordinator", json.dumps({"action": action}).encode(), timeout=60)
        print(json.loads(answer.data), flush=True)
    await connection.close()


asyncio.run(main())
"""
SOURCES = {"worker": WORKER, "coordinator": COORDINATOR, "archive": ARCHIVE, "asking": ASKING}
_ACTIONS = ("translate", "summarize", "stop")
SAID = {
    "worker": "",
    "coordinator": "",
    "archive": "".join(f"events.done coordinator\ntasks.{action}\n" for action in _ACTIONS),
    "asking": "".join(f"{{'status': 'success', 'action': '{action}'}}\n" for action in _ACTIONS),
}


@pytest.fixture
def agents(backend_tool: FindTool, tmp_path: Path) -> Iterator[dict[str, Agent]]:
    """Give the agents, and have a server between them."""
    backend_tool("nats-server")
    with nats_server(tmp_path) as address:
        yield agents_at(address)


def agents_at(address: str) -> dict[str, Agent]:
    """Return the agents, which find each other by the server at an address."""
    return {name: Agent(source, (address,), says_ready=name != "asking") for name, source in SOURCES.items()}


def test_every_hop_is_in_the_trace_of_who_asked(agents: dict[str, Agent], receiver: Receiver, tmp_path: Path) -> None:
    assert fleet.talk(environments.environment("nats"), receiver.endpoint, tmp_path, agents, agents) == SAID
    assert_one_tree(receiver)
    root = receiver.named("asking")[0]
    paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
    begun = ["asking: asking", "asking: request coordinator", "coordinator: process coordinator"]
    for hop in (
        ["coordinator: request worker.infer", "worker: process worker.*"],
        ["coordinator: publish tasks.translate", "archive: process tasks.translate"],
        ["coordinator: publish tasks.stop", "archive: process tasks.stop"],
    ):
        assert [*begun, *hop] in paths
    assert paths.count([*begun, "coordinator: publish events.done", "archive: process events.>"]) == len(_ACTIONS)
    assert paths.count(begun) == len(_ACTIONS)
    spans = {span.span_id: span for span in receiver.spans}
    lines = {(log.body, spans[log.span_id].name) for log in receiver.logs if log.span_id in spans}
    assert {("Processing translate", "process coordinator"), ("inferring", "process worker.*")} <= lines
    assert ("leaving", "coordinator") in lines


@pytest.mark.parametrize(
    "launched", [(), ("asking", "worker"), ("coordinator",), ("coordinator", "archive")], ids=" and ".join
)
def test_some_under_obs_run_and_some_not(
    agents: dict[str, Agent], receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]
) -> None:
    assert fleet.talk(environments.environment("nats"), receiver.endpoint, tmp_path, agents, launched) == SAID
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)
