"""Agents that speak by a real Redis server: every hop between two that obs-run started is in one trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends.redis import redis_server
from tests.launch import environments, fleet
from tests.launch.fleet import Agent, path_of
from tests.launch.running import assert_one_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

WORKER = """
import json, logging, sys
import redis

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)
client = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
client.xgroup_create("tasks", "workers", mkstream=True)
print("ready", flush=True)
action = None
while action != "stop":
    for _, entries in client.xreadgroup("workers", "one", {"tasks": ">"}, count=1, block=60000):
        for name, fields in entries:
            action = fields["action"]
            log.info("inferring")
            client.publish("events", json.dumps({"done": action}))
            client.rpush(fields["reply_to"], json.dumps({"status": "success", **fields}))
            client.xack("tasks", "workers", name)
client.close()
"""
LISTENER = """
import asyncio, json, logging, sys
import redis.asyncio

log = logging.getLogger("listener")
logging.basicConfig(level=logging.INFO)


async def main():
    client = redis.asyncio.Redis(port=int(sys.argv[1]))
    subscription = client.pubsub()
    await subscription.subscribe("events")
    print("ready", flush=True)
    async for message in subscription.listen():
        if message["type"] == "message":
            done = json.loads(message["data"])["done"]
            log.info("heard")
            print(done, flush=True)
            if done == "stop":
                break
    await subscription.aclose()
    await client.aclose()


asyncio.run(main())
"""
ASKING = """
import json, sys
import redis

client = redis.Redis(port=int(sys.argv[1]))
for action in ("translate", "stop"):
    client.xadd("tasks", {"action": action, "reply_to": "answers"})
    print(json.loads(client.blpop("answers", timeout=60)[1])["status"], flush=True)
client.close()
"""
SOURCES = {"worker": WORKER, "listener": LISTENER, "asking": ASKING}
SAID = {"worker": "", "listener": "translate\nstop\n", "asking": "success\nsuccess\n"}


@pytest.fixture
def agents(backend_tool: FindTool, tmp_path: Path) -> Iterator[dict[str, Agent]]:
    """Give the agents, and have a server between them."""
    backend_tool("redis-server")
    with redis_server(tmp_path) as port:
        yield {name: Agent(source, (str(port),), says_ready=name != "asking") for name, source in SOURCES.items()}


def test_every_hop_is_in_the_trace_of_who_asked(agents: dict[str, Agent], receiver: Receiver, tmp_path: Path) -> None:
    assert fleet.talk(environments.environment("redis"), receiver.endpoint, tmp_path, agents, agents) == SAID
    [root] = receiver.named("asking")
    paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
    worked = ["asking: asking", "asking: xadd tasks", "worker: process tasks"]
    assert paths.count(worked) == 2
    assert paths.count(["asking: asking", "asking: blpop answers"]) == 2
    assert_one_tree(receiver)
    assert [*worked, "worker: publish events", "listener: process events"] in paths
    spans = {span.span_id: span for span in receiver.spans}
    lines = {(log.body, spans[log.span_id].name) for log in receiver.logs if log.span_id in spans}
    assert lines == {("inferring", "process tasks"), ("heard", "process events")}


@pytest.mark.parametrize("launched", [(), ("worker",), ("asking",), ("worker", "listener")], ids=" and ".join)
def test_some_under_obs_run_and_some_not(
    agents: dict[str, Agent], receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]
) -> None:
    assert fleet.talk(environments.environment("redis"), receiver.endpoint, tmp_path, agents, launched) == SAID
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)
