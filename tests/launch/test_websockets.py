"""Agents that speak by websockets, with tasks and with threads, some under obs-run: each hop is in one trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launch import environments, fleet
from tests.launch.fleet import Agent, path_of
from tests.launch.running import assert_one_tree
from tests.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

WORKER = """
import json, logging, sys, threading
from websockets.sync.server import serve

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)


def handle(connection):
    for message in connection:
        request = json.loads(message)
        log.info("inferring")
        connection.send(json.dumps({"status": "success", **request}))
    threading.Thread(target=server.shutdown).start()


with serve(handle, "127.0.0.1", int(sys.argv[1])) as server:
    print("ready", flush=True)
    server.serve_forever()
"""
COORDINATOR = """
import asyncio, json, logging, sys
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

log = logging.getLogger("coordinator")
logging.basicConfig(level=logging.INFO)


async def main(port, of_worker):
    stopped = asyncio.Event()

    async def handle(connection):
        async with connect(f"ws://127.0.0.1:{of_worker}/infer") as worker:
            async for message in connection:
                log.info(f"Processing {json.loads(message)['action']}")
                await worker.send(message)
                await connection.send(await worker.recv())
        stopped.set()

    async with serve(handle, "127.0.0.1", int(port)):
        print("ready", flush=True)
        await stopped.wait()


asyncio.run(main(*sys.argv[1:]))
"""
ASKING = """
import asyncio, json, sys
from websockets.asyncio.client import connect


async def main(port):
    async with connect(f"ws://127.0.0.1:{port}/agents/17") as connection:
        for action in ("translate", "summarize"):
            await connection.send(json.dumps({"action": action}))
            print(json.loads(await connection.recv()), flush=True)


asyncio.run(main(*sys.argv[1:]))
"""
_ACTIONS = ("translate", "summarize")
SAID = {
    "worker": "",
    "coordinator": "",
    "asking": "".join(f"{{'status': 'success', 'action': '{action}'}}\n" for action in _ACTIONS),
}


def agents() -> dict[str, Agent]:
    worker, coordinator = (str(each) for each in free_ports(2))
    return {
        "worker": Agent(WORKER, (worker,), says_ready=True),
        "coordinator": Agent(COORDINATOR, (coordinator, worker), says_ready=True),
        "asking": Agent(ASKING, (coordinator,)),
    }


def test_every_hop_is_in_the_trace_of_who_asked(receiver: Receiver, tmp_path: Path) -> None:
    speaking = agents()
    place = environments.environment("websockets")
    assert fleet.talk(place, receiver.endpoint, tmp_path, speaking, speaking) == SAID
    assert_one_tree(receiver)
    root = receiver.named("asking")[0]
    paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
    # The coordinator asks its worker for the connection when it has one, before it has a message.
    begun = ["asking: asking", "asking: GET", "coordinator: GET"]
    assert [*begun, "coordinator: GET", "worker: GET"] in paths
    asked = ["asking: asking", "asking: send /agents/*", "coordinator: process /agents/*"]
    assert [*asked, "coordinator: send /infer", "worker: process /infer", "worker: send /infer"] in paths
    spans = {span.span_id: span for span in receiver.spans}
    lines = {(log.body, spans[log.span_id].name) for log in receiver.logs if log.span_id in spans}
    assert {("Processing translate", "process /agents/*"), ("inferring", "process /infer")} <= lines


@pytest.mark.parametrize("launched", [("asking",), ("coordinator",), ("asking", "worker")], ids=" and ".join)
def test_some_under_obs_run_and_some_not(receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]) -> None:
    place = environments.environment("websockets")
    assert fleet.talk(place, receiver.endpoint, tmp_path, agents(), launched) == SAID
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)
