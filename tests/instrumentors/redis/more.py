"""What clients of Redis do besides: peers without obs-run, answers, waiting, threads, rates, what is current when."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from tests.instrumentors.arq.library import server
from tests.instrumentors.redis import peers
from tests.instrumentors.redis.library import CITY, LIBRARY, TEXT, fields_of, got, message_of, subscribed
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(peers.__file__)
MESSAGES = 300
_WAIT = 60
_FOREIGN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
tracer = trace.get_tracer("agent")


@pytest.fixture(params=["sync", "async"])
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
    """A client of the server, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver(request.param, stub)
    with instrumented():
        yield driver
    driver.close()


@contextmanager
def peer(role: str, count: int = MESSAGES) -> Iterator[Any]:
    """Run a process without obs-run, which says when it is ready, and then what was wrong."""
    command = [sys.executable, str(PEERS), role, str(server()), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
            assert process.stdout.readline() == "0 wrong\n"
        finally:
            process.kill()


def current() -> Any:
    return trace.get_current_span().get_span_context()


def names_of(telemetry: Any, seen: dict[str, Any]) -> dict[str, str | None]:
    """Return the names of the spans that were current."""
    names = {span.context.span_id: span.name for span in telemetry.spans()}
    return {place: names.get(context.span_id) for place, context in seen.items()}


@pytest.mark.parametrize("role", ["reading", "grouped"])
def test_entries_for_a_peer_without_us_that_refuses_other_fields(its: Any, role: str) -> None:
    async def add(_: Any, client: Any) -> Any:
        with peer(role):
            for number in range(MESSAGES):
                await got(client.xadd(peers.STREAM, peers.fields(number)))

    its.within(add)


def test_messages_for_a_listener_without_us(its: Any) -> None:
    async def publish(_: Any, client: Any) -> Any:
        with peer("listening"):
            for number in range(MESSAGES):
                await got(client.publish(peers.CHANNEL, peers.text(number)))

    its.within(publish)


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_REDIS_QUEUES", "peers.*,jobs")


@pytest.mark.usefixtures("queues")
def test_messages_of_a_peer_without_us(its: Any, telemetry: Any) -> None:
    async def read(_: Any, client: Any) -> Any:
        subscription = await subscribed(client, peers.CHANNEL)
        with peer("sending", 20) as process:
            process.stdin.write("go\n")
            process.stdin.flush()
            heard = [json.loads(await message_of(subscription)) for _ in range(20)]
        await got(subscription.close())
        popped = [json.loads((await got(client.blpop(peers.LIST)))[1]) for _ in range(20)]
        await got(client.blpop(peers.LIST, timeout=0.01))
        return [heard, popped, fields_of(await got(client.xread({peers.STREAM: 0})))]

    texts = [json.loads(peers.text(number)) for number in range(20)]
    entries = [{name.encode(): value.encode() for name, value in peers.fields(each).items()} for each in range(20)]
    assert its.within(read) == [texts, texts, entries]
    alone = [Node(f"process {name}") for name in (peers.CHANNEL, peers.LIST) for _ in range(20)]
    batch = Node(f"process {peers.STREAM}", attributes={"messaging.batch.message_count": 20})
    assert_trees(telemetry.spans(), *alone, batch)


def test_what_the_server_keeps_of_an_entry(its: Any, telemetry: Any) -> None:
    long = "Lisbon" * 100
    added: list[dict[str, Any]] = [
        {"text": long, "city": "Lisbon", "unit": 1, "more": long},
        {"text": long, "json": json.dumps([long])},
        {"text": long},
    ]

    async def add(_: Any, client: Any) -> Any:
        for fields in added:
            await got(client.xadd("orders", fields))
        client.set_response_callback("XRANGE", lambda response, **_: response)
        return await got(client.xrange("orders")), fields_of(await got(client.xread({"orders": 0})))

    [(_, short), (_, with_json), (_, without)], entries = its.within(add, decode_responses=True)
    assert short[:4] == ["text", long, "city", "Lisbon"]
    assert short[4:6] == ["unit", "1"]
    assert short[6] == "unit"
    assert "traceparent" in short[7]
    assert short[8:] == ["unit", "1", "more", long]
    assert json.loads(with_json[3]) == [long]
    assert len(with_json[3]) == len(json.dumps([long])) + 304
    assert without == ["text", long]
    assert entries == [{name: str(value) for name, value in fields.items()} for fields in added]
    [worked] = [span for span in telemetry.spans() if span.name == "process orders"]
    assert len(worked.links) == 2


@pytest.mark.parametrize("kept", [dict, lambda pairs: dict(reversed(list(pairs)))], ids=["the last", "the first"])
def test_whichever_value_of_a_name_a_client_keeps_it_is_the_agents(its: Any, kept: Any) -> None:
    fields = {"text": "Lisbon" * 100, "city": "Lisbon", "unit": "C"}

    async def add(_: Any, client: Any) -> Any:
        await got(client.xadd("orders", fields))
        client.set_response_callback("XRANGE", lambda response, **_: response)
        return await got(client.xrange("orders"))

    [[_, flat]] = its.within(add, decode_responses=True)
    assert kept(zip(flat[::2], flat[1::2], strict=True)) == fields


@pytest.mark.parametrize(("setting", "entry", "message"), [("json", 3, 304), ("headers", 3, 0), ("off", 1, 0)])
def test_what_the_setting_says_is_carried(
    its: Any, monkeypatch: pytest.MonkeyPatch, setting: str, entry: int, message: int
) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_MESSAGES", setting)
    assert carried(its) == (entry, message)


def test_nothing_is_carried_to_hosts_that_are_not_allowed(its: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_HOSTS", "none")
    assert carried(its) == (1, 0)


def carried(its: Any) -> tuple[int, int]:
    """Return how many pairs an entry of one field has at the server, and how much longer a message is."""

    async def send(_: Any, client: Any) -> Any:
        from obs_run.core import hooks

        subscription = await subscribed(client, "sky")
        await got(client.xadd("orders", CITY))
        await got(client.publish("sky", TEXT))
        hooks.undo()
        client.set_response_callback("XRANGE", lambda response, **_: response)
        [[_, pairs]] = await got(client.xrange("orders"))
        text = await message_of(subscription)
        assert json.loads(text) == CITY
        await got(subscription.close())
        return len(pairs) // 2, len(text) - len(TEXT)

    found: tuple[int, int] = its.within(send)
    return found


@pytest.mark.parametrize("text", ["rain", "12", "", '{"city": ', "[1", "\ud83d\ude00", '"a"', '{"a": 1} tail'])
def test_messages_that_are_no_json_stay_as_they_are(its: Any, text: str) -> None:
    async def send(_: Any, client: Any) -> Any:
        subscription = await subscribed(client, "sky")
        sent = text.encode("utf-8", "surrogatepass")
        await got(client.publish("sky", sent))
        heard = await message_of(subscription)
        await got(subscription.close())
        return heard == sent

    assert its.within(send)


def test_json_stays_as_it_was_written(its: Any) -> None:
    async def send(_: Any, client: Any) -> Any:
        subscription = await subscribed(client, "sky")
        texts = ['{"a": 1 }', " [1, 2]\n", '{"é": "é"}', "{}", '{"a":"b" \t}']
        for text in texts:
            await got(client.publish("sky", text))
        heard = [await message_of(subscription) for _ in texts]
        await got(subscription.close())
        return heard == texts

    assert its.within(send, decode_responses=True)


def test_a_trace_that_the_agent_tells_of_by_itself(its: Any, telemetry: Any) -> None:
    fields = {"traceparent": _FOREIGN, **CITY}

    async def talk(_: Any, client: Any) -> Any:
        await got(client.xadd("orders", fields))
        return fields_of(await got(client.xread({"orders": 0})))

    assert its.within(talk, decode_responses=True) == [fields]
    [worked] = [span for span in telemetry.spans() if span.name == "process orders"]
    assert format(worked.parent.span_id, "016x") == "b7ad6b7169203331"


def test_baggage_goes_along_with_entries(its: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        await got(client.xadd("orders", CITY))
        context.detach(token)
        await got(client.xread({"orders": 0}))
        return baggage.get_baggage("tenant")

    assert its.within(talk) == "acme"


def test_an_id_that_the_server_makes_of_the_entry(its: Any) -> None:
    from obs_instrumentors.redis import sending

    from obs_run.core.outcomes import Call

    call = Call(its.client(), ("orders", CITY), {"idmpauto": "one"})
    sending.carry_in_entry(call, lambda _: {"traceparent": _FOREIGN})
    assert call.args == ("orders", CITY)


def test_waiting_for_an_answer_is_a_part_of_the_work(its: Any, telemetry: Any) -> None:
    seen = {}

    async def talk(_: Any, client: Any) -> Any:
        with tracer.start_as_current_span("plan"):
            await got(client.rpush("answers", "yes"))
            await got(client.blpop("answers", timeout=_WAIT))
            await got(client.blpop("answers", timeout=0.01))
            await got(client.xadd("asked", CITY))
            await got(client.xread({"asked": 0}, block=1000))
            await got(client.xread({"asked": 0}))
            seen["after"] = current()
        seen["outside"] = current()

    its.within(talk)
    assert_trees(
        telemetry.spans(),
        Node(
            "plan",
            Node("blpop answers", kind="CLIENT", attributes={"messaging.batch.message_count": 1}),
            Node("blpop answers", status="UNSET", attributes={"messaging.batch.message_count": None}),
            Node("xadd asked"),
            Node("xread asked", kind="CLIENT"),
        ),
    )
    assert names_of(telemetry, seen) == {"after": "plan", "outside": None}
    spans = {span.name: span for span in telemetry.spans()}
    added = spans["xadd asked"].context.span_id
    assert [link.context.span_id for link in spans["xread asked"].links] == [added]
    assert [link.context.span_id for link in spans["plan"].links] == [added]


def test_answers_by_channels_are_a_part_of_the_work(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        subscription = await subscribed(client, "answers")
        with tracer.start_as_current_span("plan"):
            await got(client.publish("answers", TEXT))
            await got(client.publish("answers", "yes"))
            heard = [await message_of(subscription) for _ in range(2)]
        await got(subscription.close())
        return heard

    assert its.within(talk) == [TEXT.encode(), b"yes"]
    assert_trees(telemetry.spans(), Node("plan", Node("publish answers"), Node("publish answers")))


def test_new_work_is_its_senders_wherever_it_is_read(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        await got(client.xadd("orders", CITY))
        with tracer.start_as_current_span("loop"):
            await got(client.xread({"orders": 0}, block=1000))
            trace.get_current_span().set_attribute("worked", "yes")
            await got(client.xread({"orders": "$"}))

    its.within(talk)
    assert_trees(
        telemetry.spans(),
        Node("xadd orders", Node("process orders", attributes={"worked": "yes"})),
        Node("loop", Node("xread orders")),
    )


@pytest.mark.usefixtures("queues")
def test_what_is_current_in_loops(its: Any, telemetry: Any) -> None:
    seen: dict[str, Any] = {}

    async def talk(_: Any, client: Any) -> Any:
        await got(client.rpush("jobs", "one", "two"))
        for job in ("one", "two"):
            await got(client.blpop("jobs", timeout=_WAIT))
            seen[job] = current()
            await got(client.xadd(f"done.{job}", CITY))
        await got(client.blpop("jobs", timeout=0.01))
        seen["waited"] = current()
        subscription = await subscribed(client, "sky")
        for text in (TEXT, "rain"):
            await got(client.publish("sky", text))
        for text in ("clear", "rain"):
            await message_of(subscription)
            seen[text] = current()
        await got(subscription.unsubscribe())
        await got(subscription.get_message(timeout=_WAIT))
        seen["left"] = current()
        await got(subscription.close())

    its.within(talk)
    assert names_of(telemetry, seen) == {
        "one": "process jobs",
        "two": "process jobs",
        "waited": None,
        "clear": "process sky",
        "rain": "process sky",
        "left": None,
    }
    assert len({context.span_id for context in seen.values()}) == 5
    roots = [span.name for span in telemetry.spans() if span.parent is None]
    assert roots == ["process jobs", "process jobs", "publish sky", "publish sky", "process sky"]


@pytest.mark.usefixtures("queues")
def test_another_list_within_the_work_is_a_part_of_it(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        await got(client.rpush("jobs", "one"))
        await got(client.rpush("answers", "yes"))
        await got(client.blpop("jobs", timeout=_WAIT))
        await got(client.blpop("answers", timeout=_WAIT))
        await got(client.blpop("jobs", timeout=0.01))

    its.within(talk)
    assert_trees(telemetry.spans(), Node("process jobs", Node("blpop answers")))


def test_listeners_in_loops(its: Any, telemetry: Any) -> None:
    async def talk(its: Any, client: Any) -> Any:
        subscription = await subscribed(client, "sky")
        for _ in range(2):
            await got(client.publish("sky", TEXT))
        heard = []

        def hear(message: Any) -> bool:
            heard.append((json.loads(message["data"]), current().span_id))
            return len(heard) == 2

        if its.kind == "sync":
            for message in subscription.listen():
                if hear(message):
                    break
        else:
            async for message in subscription.listen():
                if hear(message):
                    break
        await got(subscription.close())
        return heard

    heard = its.within(talk)
    worked = [span.context.span_id for span in telemetry.spans() if span.name == "process sky"]
    assert heard == [(CITY, span_id) for span_id in worked]
    assert_trees(telemetry.spans(), *[Node("publish sky", Node("process sky"))] * 2)


def test_handlers_in_a_thread_and_coroutine_handlers(its: Any, telemetry: Any) -> None:
    async def talk(its: Any, client: Any) -> Any:
        heard: list[Any] = []
        done, waked = threading.Event(), asyncio.Event()

        def hear(message: Any) -> None:
            heard.append((json.loads(message["data"]), current().span_id))
            done.set()

        async def hear_async(message: Any) -> None:
            await asyncio.sleep(0)
            hear(message)
            waked.set()

        subscription = await subscribed(client, sky=hear if its.kind == "sync" else hear_async)
        if its.kind == "sync":
            thread = subscription.run_in_thread(sleep_time=0.01)
            client.publish("sky", TEXT)
            assert done.wait(_WAIT)
            thread.stop()
            thread.join(_WAIT)
        else:
            running = asyncio.create_task(subscription.run(poll_timeout=0.01))
            await client.publish("sky", TEXT)
            await asyncio.wait_for(waked.wait(), _WAIT)
            running.cancel()
            await asyncio.wait([running])
            await subscription.aclose() if hasattr(subscription, "aclose") else await subscription.close()
        return heard

    [(message, inside)] = its.within(talk)
    assert message == CITY
    [worked] = [span for span in telemetry.spans() if span.name == "process sky"]
    assert worked.context.span_id == inside
    assert_trees(telemetry.spans(), Node("publish sky", Node("process sky")))


def test_workers_that_share_a_client_each_have_their_trace(its: Any, telemetry: Any) -> None:
    seen: dict[str, str] = {}

    async def work(client: Any, worker: str) -> None:
        while True:
            read = await got(client.xreadgroup("clerks", worker, {"orders": ">"}, count=1, block=200))
            if not read:
                return
            [fields] = fields_of(read)
            await asyncio.sleep(0)
            seen[fields["plan"]] = format(current().trace_id, "032x")

    async def talk(its: Any, client: Any) -> Any:
        await got(client.xgroup_create("orders", "clerks", mkstream=True))
        asked = {}
        for number in range(12):
            with tracer.start_as_current_span(f"plan {number}") as span:
                asked[str(number)] = format(span.get_span_context().trace_id, "032x")
                await got(client.xadd("orders", {"plan": number}))
        if its.kind == "async":
            await asyncio.gather(*[work(client, f"worker {number}") for number in range(3)])
        else:
            workers = [threading.Thread(target=asyncio.run, args=(work(client, f"{each}"),)) for each in range(3)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join(_WAIT)
        return asked

    assert its.within(talk, decode_responses=True) == seen
    assert len(telemetry.spans()) == 36


def test_beyond_the_rate_messages_are_counted(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "0")

    async def talk(_: Any, client: Any) -> Any:
        subscription = await subscribed(client, "high.rate")
        for _ in range(30):
            await got(client.publish("high.rate", TEXT))
        heard = [await message_of(subscription) for _ in range(30)]
        await got(subscription.close())
        return heard

    assert its.within(talk) == [TEXT.encode()] * 30
    assert telemetry.spans() == []
    for metric in ("sent", "consumed"):
        points = telemetry.points(f"messaging.client.{metric}.messages", **{"messaging.system": "redis"})
        assert sum(point.value for point in points) >= 30


def test_several_lists_and_streams_at_once(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        await got(client.rpush("low", "one", "two"))
        await got(client.zadd("due", {"one": 1, "two": 2}))
        popped = [
            await got(client.blpop(("high", "low"), timeout=_WAIT)),
            await got(client.blmpop(_WAIT, 2, "high", "low", direction="LEFT", count=2)),
            await got(client.bzmpop(_WAIT, 2, ["none", "due"], min=True, count=2)),
        ]
        for name in ("first", "second"):
            await got(client.xadd(name, CITY))
        one = fields_of(await got(client.xread({"first": 0, "none": 0})))
        return [len(popped), one, fields_of(await got(client.xread({"first": 0, "second": 0})))]

    assert its.within(talk, decode_responses=True) == [3, [CITY], [CITY, CITY]]
    assert_trees(
        telemetry.spans(),
        Node("blpop low"),
        Node("blmpop low"),
        Node("bzmpop due"),
        Node("xadd first", Node("process first")),
        Node("xadd second"),
        Node("process", attributes={"messaging.batch.message_count": 2}),
    )


def test_work_on_entries_is_over_when_all_are_acknowledged(its: Any, telemetry: Any) -> None:
    seen: dict[str, Any] = {}

    async def talk(_: Any, client: Any) -> Any:
        await got(client.xgroup_create("orders", "clerks", mkstream=True))
        for number in (1, 2):
            await got(client.xadd("orders", CITY, id=f"1-{number}"))
        await got(client.xreadgroup("clerks", "ann", {"orders": ">"}))
        await got(client.xack("orders", "clerks", "1-1", "7-7"))
        seen["one"] = current()
        counted = await got(client.xack("orders", "clerks", b"1-2"))
        seen["all"] = current()
        return counted

    assert its.within(talk) == 1
    assert names_of(telemetry, seen) == {"one": "process orders", "all": None}


def test_reading_that_fails_is_measured(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, client: Any) -> Any:
        await got(client.xreadgroup("nobody", "one", {"orders": ">"}))

    with pytest.raises(Exception, match="NOGROUP"):
        its.within(talk)
    assert telemetry.spans() == []
    failures = telemetry.points("messaging.client.operation.duration", **{"messaging.operation.name": "xreadgroup"})
    assert {point.attributes["error.type"] for point in failures} == {"redis.exceptions.ResponseError"}


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.xadd("orders", {}),
        lambda client: client.xadd("orders", None),
        lambda client: client.xadd("orders", {"a": None}),
        lambda client: client.xadd("orders", CITY, maxlen=-1),
        lambda client: client.publish("sky", None),
        lambda client: client.xread({}),
        lambda client: client.xread(None),
        lambda client: client.blpop(None, timeout=0.01),
        lambda client: client.blpop(iter(["jobs"]), timeout=0.01),
    ],
)
def test_what_the_library_refuses_is_refused_as_without_us(its: Any, call: Any) -> None:
    from obs_run.core import hooks

    async def talk(_: Any, client: Any) -> Any:
        try:
            return await got(call(client))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is compared)
            return type(error), str(error)

    with_us = its.within(talk)
    hooks.undo()
    assert its.within(talk) == with_us
