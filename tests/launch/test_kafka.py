"""Agents that speak by Apache's Kafka, some under obs-run: every hop between those is in one trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends.kafka import apache_kafka
from tests.launch import environments, fleet
from tests.launch.fleet import Agent, path_of
from tests.launch.running import assert_one_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

WORKER = """
import asyncio, json, logging, sys
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)


async def main(address):
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        await producer.send_and_wait("orders.1", b'{"action": "begin"}')
        consumer = AIOKafkaConsumer(
            "orders.1", bootstrap_servers=address, group_id="workers", auto_offset_reset="earliest"
        )
        await consumer.start()
        print("ready", flush=True)
        async for record in consumer:
            order = json.loads(record.value)
            log.info(f"Processing {order['action']}")
            batch = producer.create_batch()
            batch.append(key=b"audit", value=record.value, timestamp=None)
            await (await producer.send_batch(batch, "audit", partition=0))
            await producer.send_and_wait("done.1", record.value, headers=[("worker", b"1")])
            if order["action"] == "stop":
                break
        await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
"""
ARCHIVE = """
import asyncio, json, sys
from aiokafka import AIOKafkaConsumer


async def main(address):
    consumer = AIOKafkaConsumer("done.1", bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    print("ready", flush=True)
    seen = []
    while "stop" not in seen:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=1)).values():
            for record in records:
                assert dict(record.headers)["worker"] == b"1"
                seen.append(json.loads(record.value)["action"])
    print(*seen, flush=True)
    await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
"""
COMMITTED_ARCHIVE = ARCHIVE.replace('earliest"', 'earliest", isolation_level="read_committed"')
ASKING = """
import asyncio, json, sys
from aiokafka import AIOKafkaProducer


async def main(address):
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    for action in ("translate", "summarize", "stop"):
        await producer.send("orders.1", json.dumps({"action": action}).encode())
    await producer.stop()


asyncio.run(main(*sys.argv[1:]))
"""
TRANSFORMER = """
import asyncio, json, sys
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


async def main(address):
    async with AIOKafkaProducer(bootstrap_servers=address, transactional_id="transformer") as producer:
        async with producer.transaction():
            await producer.send_and_wait("orders.1", b'{"action": "begin"}')
        consumer = AIOKafkaConsumer(
            "orders.1",
            bootstrap_servers=address,
            group_id="transformers",
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        await consumer.start()
        print("ready", flush=True)
        async for record in consumer:
            async with producer.transaction():
                batch = producer.create_batch()
                batch.append(key=b"audit", value=record.value, timestamp=None)
                await producer.send_batch(batch, "audit", partition=0)
                await producer.send("done.1", record.value, headers=[("worker", b"1")])
                place = TopicPartition(record.topic, record.partition)
                await producer.send_offsets_to_transaction({place: record.offset + 1}, "transformers")
            if json.loads(record.value)["action"] == "stop":
                break
        # The broker ends a transaction a moment after it has said so.
        while await consumer.committed(place) != record.offset + 1:
            await asyncio.sleep(0.1)
        await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
"""
REPENTANT = """
import asyncio, json, sys
from aiokafka import AIOKafkaProducer


async def main(address):
    async with AIOKafkaProducer(bootstrap_servers=address, transactional_id="repentant") as producer:
        for action in ("translate", "repent", "stop"):
            try:
                async with producer.transaction():
                    await producer.send_and_wait("orders.1", json.dumps({"action": action}).encode())
                    if action == "repent":
                        raise ValueError(action)
            except ValueError:
                pass


asyncio.run(main(*sys.argv[1:]))
"""
SAID = {"worker": "", "archive": "begin translate summarize stop\n", "asking": ""}


@pytest.fixture
def agents(backend_tool: FindTool, tmp_path: Path) -> Iterator[dict[str, Agent]]:
    """Give the agents, and have a broker between them."""
    with broker(backend_tool, tmp_path) as address:
        yield {
            "worker": Agent(WORKER, (address,), says_ready=True),
            "archive": Agent(ARCHIVE, (address,), says_ready=True),
            "asking": Agent(ASKING, (address,)),
        }


def broker(backend_tool: FindTool, folder: Path) -> AbstractContextManager[str]:
    """Run a broker, and give its address."""
    backend_tool("apache-kafka")
    return apache_kafka(folder)


def test_every_hop_is_in_the_trace_of_who_asked(agents: dict[str, Agent], receiver: Receiver, tmp_path: Path) -> None:
    assert fleet.talk(environments.environment("kafka"), receiver.endpoint, tmp_path, agents, agents) == SAID
    assert_one_tree(receiver)
    root = receiver.named("asking")[0]
    paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
    worked = ["asking: asking", "asking: send orders.*", "worker: process orders.*"]
    assert paths.count(worked) == 3
    assert paths.count([*worked, "worker: send audit"]) == 3
    assert paths.count([*worked, "worker: send done.*"]) == 3
    assert paths.count([*worked, "worker: send done.*", "archive: process done.*"]) == 3
    spans = {span.span_id: span for span in receiver.spans}
    lines = {(log.body, spans[log.span_id].name) for log in receiver.logs if log.span_id in spans}
    assert {("Processing translate", "process orders.*"), ("Processing stop", "process orders.*")} <= lines


@pytest.mark.parametrize("launched", [(), ("asking",), ("worker",), ("worker", "archive", "asking")], ids=len)
def test_transactions(backend_tool: FindTool, receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]) -> None:
    """What is read in a transaction, sent on and committed with it is as without us; what is aborted nobody gets."""
    with broker(backend_tool, tmp_path) as address:
        agents = {
            "worker": Agent(TRANSFORMER, (address,), says_ready=True),
            "archive": Agent(COMMITTED_ARCHIVE, (address,), says_ready=True),
            "asking": Agent(REPENTANT, (address,)),
        }
        said = fleet.talk(environments.environment("kafka"), receiver.endpoint, tmp_path, agents, launched)
    assert said == {"worker": "", "archive": "begin translate stop\n", "asking": ""}
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)
    if len(launched) == len(agents):
        root = receiver.named("asking")[0]
        paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
        sent = ["asking: asking", "asking: send orders.*"]
        worked = [*sent, "worker: process orders.*"]
        assert (paths.count(sent), paths.count(worked), paths.count([*worked, "worker: send audit"])) == (3, 2, 2)
        assert paths.count([*worked, "worker: send done.*", "archive: process done.*"]) == 2


@pytest.mark.parametrize("launched", [("asking",), ("worker",), ("asking", "archive")], ids=" and ".join)
def test_some_under_obs_run_and_some_not(
    agents: dict[str, Agent], receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]
) -> None:
    assert fleet.talk(environments.environment("kafka"), receiver.endpoint, tmp_path, agents, launched) == SAID
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)
