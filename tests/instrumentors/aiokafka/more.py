"""What clients of Kafka do besides: peers without obs-run, headers, batches, partitions, rates, what is current."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from tests.instrumentors.aiokafka import peers
from tests.instrumentors.aiokafka.library import CITY, LIBRARY, TEMPLATE
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(peers.__file__)
MESSAGES = 500
_TOLD = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_TRACER = trace.get_tracer("agent")
_SENT, _WORK = f"send {TEMPLATE}", f"process {TEMPLATE}"


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    """Clients of the broker, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


@contextmanager
def peer(its: Any, role: str) -> Iterator[None]:
    """Run a process without obs-run, which says when it is ready, and then what was wrong."""
    command = [sys.executable, str(PEERS), role, its.address, its.topic, str(MESSAGES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
            assert process.stdout.readline() == "0 wrong\n"
        finally:
            process.kill()


def test_messages_to_a_consumer_without_us(its: Any) -> None:
    async def send(its: Any) -> None:
        producer = await its.producer()
        for number in range(MESSAGES):
            await producer.send(its.topic, **peers.message(number))
        await producer.flush()
        with peer(its, "consumer"):
            pass

    its.within(send)


def test_messages_of_a_producer_without_us(its: Any) -> None:
    async def receive(its: Any) -> int:
        with peer(its, "producer"):
            pass
        consumer = await its.consumer()
        return sum([peers.is_wrong(await consumer.getone(), number) for number in range(MESSAGES)])

    assert its.within(receive) == 0


def headers_of(its: Any, headers: Any) -> list[Any]:
    """Return what a consumer sees of headers."""

    async def talk(its: Any) -> Any:
        await (await its.producer()).send_and_wait(its.topic, CITY, headers=headers)
        return list((await (await its.consumer()).getone()).headers)

    return list(its.within(talk))


def test_the_agents_headers_stay_its_own(its: Any, telemetry: Any) -> None:
    mine = [("unit", b"C")]
    seen = headers_of(its, mine)
    assert mine == [("unit", b"C")]
    assert [name for name, _ in seen] == ["unit", "traceparent"]
    [sent] = [span for span in telemetry.spans() if span.kind.name == "PRODUCER"]
    assert format(sent.context.span_id, "016x").encode() in seen[1][1]


def test_headers_of_every_kind(its: Any) -> None:
    for headers in ([("unit", b"C"), ("raw", b"\xff")], [("none", None), ("none", b"")]):
        assert headers_of(its, headers)[:2] == headers


def test_another_trace_that_the_agent_tells_of_stays(its: Any, telemetry: Any) -> None:
    assert headers_of(its, [("traceparent", _TOLD)]) == [("traceparent", _TOLD)]
    [worked] = [span for span in telemetry.spans() if span.kind.name == "CONSUMER"]
    assert format(worked.parent.span_id, "016x") == "b7ad6b7169203331"


@pytest.mark.parametrize(("setting", "value"), [("OBS_PROPAGATE_MESSAGES", "off"), ("OBS_PROPAGATE_HOSTS", "none")])
def test_what_is_switched_off_is_not_told(its: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setenv(setting, value)
    assert headers_of(its, None) == []
    assert headers_of(its, [("unit", b"C")]) == [("unit", b"C")]
    with _TRACER.start_as_current_span("plan"):
        assert its.within(in_a_batch) == [[]]


async def in_a_batch(its: Any) -> Any:
    producer = await its.producer()
    batch = producer.create_batch()
    batch.append(key=None, value=CITY, timestamp=None)
    await (await producer.send_batch(batch, its.topic, partition=0))
    return [list((await (await its.consumer()).getone()).headers)]


def test_what_is_handed_on_tells_of_who_handed_it_on(its: Any, telemetry: Any) -> None:
    async def talk(its: Any) -> Any:
        producer = await its.producer()
        await producer.send_and_wait(its.topic, CITY)
        consumer = await its.consumer()
        record = await consumer.getone()
        second = await its.new_topic("second")
        await producer.send_and_wait(second, record.value, headers=list(record.headers))
        await consumer.stop()
        record = await (await its.consumer()).getone()
        return [name for name, _ in record.headers]

    assert its.within(talk) == ["traceparent"]
    second = Node("send second.*", Node("process second.*"))
    assert_trees(telemetry.spans(), Node(_SENT, Node(_WORK, second)))


def test_messages_of_a_batch_tell_of_who_appended_them(its: Any, telemetry: Any) -> None:
    async def talk(its: Any) -> None:
        producer = await its.producer()
        batch = producer.create_batch()
        for number in range(2):
            with _TRACER.start_as_current_span(f"plan {number}"):
                batch.append(key=b"%d" % number, value=None, timestamp=None, headers=[("unit", b"C")])
        await (await producer.send_batch(batch, its.topic, partition=0))
        consumer = await its.consumer()
        for _ in range(2):
            await consumer.getone()

    its.within(talk)
    assert_trees(telemetry.spans(), Node("plan 0", Node(_WORK)), Node("plan 1", Node(_WORK)), Node(_SENT))


def test_several_together_are_linked_to_who_sent_them(its: Any, telemetry: Any) -> None:
    async def talk(its: Any) -> None:
        producer = await its.producer()
        for number in range(3):
            await producer.send_and_wait(its.topic, b"%d" % number)
        consumer = await its.consumer()
        got = 0
        while got < 3:
            got += sum(len(each) for each in (await consumer.getmany(timeout_ms=10_000)).values())
            with _TRACER.start_as_current_span("think"):
                pass

    its.within(talk)
    sent = {span.context.span_id for span in telemetry.spans() if span.name == _SENT}
    works = [span for span in telemetry.spans() if span.name == _WORK]
    told = {link.context.span_id for work in works for link in work.links}
    told |= {work.parent.span_id for work in works if work.parent is not None}
    assert told == sent
    thought = [span for span in telemetry.spans() if span.name == "think"]
    assert [span.parent.span_id for span in thought] == [work.context.span_id for work in works]


def test_partitions_and_serializers_are_asked_once(its: Any) -> None:
    """Not so by OpenTelemetry's instrumentor, which asks both to learn the partition."""
    asked: list[Any] = []

    def serialize(value: Any) -> bytes:
        asked.append(value)
        return str(value).encode()

    def partition(_key: Any, partitions: list[int], _available: list[int]) -> int:
        asked.append("partition")
        return partitions[0]

    async def talk(its: Any) -> Any:
        producer = await its.producer(value_serializer=serialize, partitioner=partition)
        await producer.send_and_wait(its.topic, 17)
        consumer = await its.consumer(value_deserializer=int)
        return (await consumer.getone()).value

    assert its.within(talk) == 17
    assert asked == [17, "partition"]


def test_baggage_is_there_in_the_work(its: Any) -> None:
    async def talk(its: Any) -> Any:
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        await (await its.producer()).send_and_wait(its.topic, CITY)
        context.detach(token)
        await (await its.consumer()).getone()
        return baggage.get_baggage("tenant")

    assert its.within(talk) == "acme"


def test_work_is_current_until_the_next_is_asked_for(its: Any, telemetry: Any) -> None:
    seen: dict[str, Any] = {}

    async def note(place: str) -> None:
        seen[place] = trace.get_current_span().get_span_context()

    async def talk(its: Any) -> None:
        producer = await its.producer()
        for number in range(2):
            await producer.send_and_wait(its.topic, b"%d" % number)
        consumer = await its.consumer()
        async for record in consumer:
            await note(record.value.decode())
            await asyncio.create_task(note(f"task {record.value.decode()}"))
            if record.value == b"1":
                break
        await consumer.stop()
        await note("after")

    its.within(talk)
    works = [span for span in telemetry.spans() if span.name == _WORK]
    assert [seen[place].span_id for place in ("0", "1")] == [span.context.span_id for span in works]
    assert (seen["task 0"], seen["task 1"]) == (seen["0"], seen["1"])
    assert not seen["after"].is_valid


def test_an_answer_is_a_part_of_what_asked_for_it(its: Any, telemetry: Any) -> None:
    async def serve(its: Any, asked: Any, answers: str) -> None:
        record = await asked.getone()
        await (await its.producer()).send_and_wait(answers, record.value)
        await asked.stop()

    async def talk(its: Any) -> None:
        asked = its.topic
        waiting = await its.consumer()
        answers = await its.new_topic("answers")
        serving = asyncio.create_task(serve(its, waiting, answers))
        consumer = await its.consumer()
        with _TRACER.start_as_current_span("plan"):
            await (await its.producer()).send_and_wait(asked, CITY)
            await consumer.getone()
            with _TRACER.start_as_current_span("think"):
                pass
        await serving

    its.within(talk)
    work = Node(_WORK, Node("send answers.*"))
    assert_trees(telemetry.spans(), Node("plan", Node(_SENT, work), Node("think")))


def test_a_message_as_long_as_brokers_take_is_sent_as_it_is(its: Any) -> None:
    async def talk(its: Any) -> Any:
        size = 1_048_000
        await (await its.producer()).send_and_wait(its.topic, bytes(size))
        record = await (await its.consumer()).getone()
        return len(record.value) == size, record.headers

    assert its.within(talk) == (True, ())


def test_beyond_the_rate_messages_are_counted(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "0")

    async def talk(its: Any) -> Any:
        producer = await its.producer()
        for number in range(50):
            await producer.send_and_wait(its.topic, b"%d" % number)
        consumer = await its.consumer()
        return [(await consumer.getone()).headers for _ in range(50)]

    assert set(its.within(talk)) == {()}
    assert telemetry.spans() == []
    for metric in ("messaging.client.sent.messages", "messaging.client.consumed.messages"):
        assert telemetry.points(metric, **{"messaging.system": "kafka"})
