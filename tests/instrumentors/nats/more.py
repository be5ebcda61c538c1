"""What clients of NATS do besides: peers without obs-run, servers, sizes, forwarding, rates, what is current when."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from obs_run.core import hooks
from tests.e2e.backends.nats import nats_server
from tests.instrumentors.nats import peers
from tests.instrumentors.nats.library import LIBRARY, Inbox, stream_of
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Work = Callable[[Any, Any], Awaitable[Any]]

PEERS = Path(peers.__file__)
MESSAGES = 500
_WAIT = 60


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    """A client of the server, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


@contextmanager
def peer(its: Any, role: str, count: int = MESSAGES) -> Iterator[subprocess.Popen[str]]:
    """Run a process without obs-run, which says when it is ready, and then what was wrong."""
    command = [sys.executable, str(PEERS), role, its.address, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
            assert process.stdout.readline() == "0 wrong\n"
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    """Have a peer begin that waits for us."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def current() -> Any:
    return trace.get_current_span().get_span_context()


def test_messages_to_a_subscriber_without_us(its: Any) -> None:
    async def send(_: Any, connection: Any) -> None:
        for number in range(MESSAGES):
            await connection.publish("peers.heard", peers.text(number), headers=peers.headers(number))

    with peer(its, "subscriber"):
        its.within(send)


def test_requests_of_a_service_without_us(its: Any) -> None:
    async def ask(_: Any, connection: Any) -> None:
        for number in range(MESSAGES):
            answer = await connection.request(
                "peers.asked", peers.text(number), timeout=_WAIT, headers=peers.headers(number)
            )
            assert answer.data == peers.text(number)

    with peer(its, "service"):
        its.within(ask)


def test_messages_and_requests_of_a_peer_without_us(its: Any) -> None:
    async def answer(message: Any) -> None:
        if message.reply:
            await message.respond(message.data)

    async def listen(_: Any, connection: Any, process: Any) -> list[Any]:
        heard = Inbox(answer, most=2 * MESSAGES)
        await connection.subscribe("peers.told.*", cb=heard.take)
        await connection.flush()
        go(process)
        return await heard.all()

    with peer(its, "asking") as process:
        heard = its.within(lambda its, connection: listen(its, connection, process))
        assert [text for _, text in heard] == [peers.text(number) for number in range(MESSAGES) for _ in range(2)]


def test_what_is_stored_is_fetched_by_a_worker_without_us(its: Any) -> None:
    async def store(_: Any, connection: Any) -> None:
        context = await stream_of(connection)
        for number in range(MESSAGES):
            await context.publish("orders.1", peers.text(number), headers=peers.headers(number))

    its.within(store)
    with peer(its, "worker"):
        pass


@contextmanager
def server_with(its: Any, tmp_path: Path, **options: Any) -> Iterator[None]:
    """Have the client speak to a server of its own."""
    with nats_server(tmp_path, **options) as address:
        its.address = address
        yield


def test_a_server_without_headers_is_sent_none(its: Any, telemetry: Any, tmp_path: Path) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        async def answer(message: Any) -> None:
            await message.respond(b"clear")

        heard = Inbox(answer)
        await connection.subscribe("sky", cb=heard.take)
        answers = [await connection.request("sky", b"Lisbon", timeout=_WAIT) for _ in range(2)]
        return [(each.data, each.headers) for each in answers]

    with server_with(its, tmp_path, no_header_support=True):
        assert its.within(talk) == [(b"clear", None)] * 2
    call, work = Node("request sky", kind="CLIENT"), Node("process sky", kind="SERVER")
    assert_trees(telemetry.spans(), call, work, call, work)


@pytest.mark.parametrize("less", range(0, 100, 9))
def test_what_fits_without_us_is_sent(its: Any, tmp_path: Path, less: int) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        heard = Inbox(most=3)
        await connection.subscribe("sky", cb=heard.take)
        size = connection.max_payload - less
        await connection.publish("sky", bytes(size))
        await connection.publish("sky", bytes(min(size, 1024 - 25)), headers={"unit": "C"})
        await connection.publish("sky", b"clear")
        await connection.flush()
        return [len(text) for _, text in await heard.all()], connection.last_error

    with server_with(its, tmp_path, max_payload=1024):
        assert its.within(talk) == ([1024 - less, min(1024 - less, 1024 - 25), 5], None)


def test_baggage_is_there_in_the_work(its: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        seen = []

        async def note(_: Any) -> None:
            seen.append(baggage.get_baggage("tenant"))

        heard = Inbox(note)
        await connection.subscribe("sky", cb=heard.take)
        asked = await connection.subscribe("sky")
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        await connection.publish("sky", b"clear")
        context.detach(token)
        await heard.all()
        await asked.next_msg(_WAIT)
        return [*seen, baggage.get_baggage("tenant")]

    assert its.within(talk) == ["acme", "acme"]


def test_with_the_setting_off_no_header_is_added(its: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_MESSAGES", "off")
    assert headers_of(its, None) is None
    assert headers_of(its, {"unit": "C"}) == {"unit": "C"}


def headers_of(its: Any, headers: Any) -> Any:
    """Return what a subscriber sees of headers."""

    async def talk(_: Any, connection: Any) -> Any:
        heard = await connection.subscribe("sky")
        await connection.publish("sky", b"clear", headers=headers)
        return (await heard.next_msg(_WAIT)).headers

    return its.within(talk)


def test_the_agents_headers_stay_its_own(its: Any, telemetry: Any) -> None:
    mine = {"unit": "C"}
    seen = headers_of(its, mine)
    assert mine == {"unit": "C"}
    assert list(seen) == ["unit", "traceparent"]
    [sent] = [span for span in telemetry.spans() if span.kind.name == "PRODUCER"]
    assert format(sent.context.span_id, "016x") in seen["traceparent"]


def test_what_is_handed_on_tells_of_who_handed_it_on(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        async def hand_on(message: Any) -> None:
            await connection.publish("second", message.data, headers=message.headers)

        heard = Inbox()
        await connection.subscribe("first", cb=hand_on)
        await connection.subscribe("second", cb=heard.take)
        await connection.publish("first", b"clear", headers={"Unit": "C"})
        await heard.all()

    its.within(talk)
    second = Node("publish second", Node("process second"))
    assert_trees(telemetry.spans(), Node("publish first", Node("process first", second)))


def test_another_trace_that_the_agent_tells_of_stays(its: Any) -> None:
    told = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert headers_of(its, {"traceparent": told}) == {"traceparent": told}
    # As Go's clients write it.
    assert headers_of(its, {"Traceparent": told}) == {"Traceparent": told}


def test_headers_as_go_writes_them(its: Any, telemetry: Any) -> None:
    told = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers_of(its, {"Traceparent": told})
    [worked] = [span for span in telemetry.spans() if span.kind.name == "CONSUMER"]
    assert format(worked.parent.span_id, "016x") == "b7ad6b7169203331"


def test_work_is_current_in_callbacks_loops_and_after_an_answer(its: Any, telemetry: Any) -> None:
    seen: dict[str, Any] = {}

    async def talk(_: Any, connection: Any) -> Any:
        async def answer(message: Any) -> None:
            await message.respond(b"clear")
            seen["callback"] = current()
            await asyncio.create_task(note("task"))

        async def note(place: str) -> None:
            seen[place] = current()

        await connection.subscribe("sky", cb=answer)
        await connection.request("sky", b"Lisbon", timeout=_WAIT)
        heard = await connection.subscribe("loop")
        for word in (b"one", b"two"):
            await connection.publish("loop", word)
        async for message in heard.messages:
            seen[message.data.decode()] = current()
            if message.data == b"two":
                await heard.unsubscribe()
        seen["after"] = current()
        asked = await connection.subscribe("asked")
        answering = asyncio.create_task(connection.request("asked", b"", timeout=_WAIT))
        message = await asked.next_msg(_WAIT)
        seen["asked"] = current()
        await message.respond(b"")
        seen["answered"] = current()
        await answering

    its.within(talk)
    served = {span.context.span_id: span.name for span in telemetry.spans()}
    assert {place: served.get(context.span_id) for place, context in seen.items()} == {
        "callback": "process sky",
        "task": "process sky",
        "one": "process loop",
        "two": "process loop",
        "after": None,
        "asked": "process asked",
        "answered": None,
    }
    assert seen["one"] != seen["two"]


def test_a_request_may_be_answered_after_the_next_one_came(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        asked = await connection.subscribe("sky")
        asking = [asyncio.create_task(connection.request("sky", b"%d" % each, timeout=_WAIT)) for each in range(3)]
        for message in reversed([await asked.next_msg(_WAIT) for _ in asking]):
            await message.respond(message.data)
        return [(await each).data for each in asking]

    assert its.within(talk) == [b"0", b"1", b"2"]
    assert_trees(telemetry.spans(), *[Node("request sky", Node("process sky", kind="SERVER"))] * 3)


def test_logs_of_the_work_are_in_its_span(its: Any, telemetry: Any) -> None:
    assert telemetry is not None
    ids = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ids.append((record.name, current().span_id))

    logger = logging.getLogger("agent")
    handler = Keep()
    logger.addHandler(handler)

    async def work(message: Any) -> None:
        logger.warning("working on %s", message.subject)

    async def talk(_: Any, connection: Any) -> Any:
        heard = Inbox(work)
        await connection.subscribe("sky", cb=heard.take)
        await connection.publish("sky", b"")
        await heard.all()

    try:
        its.within(talk)
    finally:
        logger.removeHandler(handler)
    assert ids == [("agent", span.context.span_id) for span in telemetry.spans() if span.name == "process sky"]


def test_beyond_the_rate_messages_are_counted(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "0")

    async def talk(_: Any, connection: Any) -> Any:
        heard = Inbox(most=50)
        await connection.subscribe("high.rate", cb=heard.take)
        for _ in range(50):
            await connection.publish("high.rate", b"")
        await connection.request("high.rate", b"", timeout=0.01)

    with pytest.raises(asyncio.TimeoutError):
        its.within(talk)
    assert {span.name for span in telemetry.spans()} == {"request high.rate", "process high.rate"}
    consumed = telemetry.points("messaging.client.consumed.messages", **{"messaging.operation.name": "process"})
    assert sum(point.value for point in consumed if _of(point, "high.rate")) == 51
    sent = telemetry.points("messaging.client.sent.messages", **{"messaging.operation.name": "send"})
    assert sum(point.value for point in sent) >= 50


def _of(point: Any, subject: str) -> bool:
    return bool(point.attributes.get("messaging.destination.template") == subject)


def test_a_callback_that_is_no_coroutine_function_is_refused_as_without_us(its: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        await connection.subscribe("sky", cb=print)

    with pytest.raises(Exception, match="must use coroutine for subscriptions"):
        its.within(talk)


@pytest.mark.parametrize(
    ("text", "headers"), [(b"", {"number": 1}), (b"", {1: "one"}), ("text", None), (b"", {"": "nameless"})], ids=repr
)
def test_what_the_library_refuses_is_refused_as_without_us(its: Any, text: Any, headers: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        try:
            await connection.publish("sky", text, headers=headers)
        except (AttributeError, TypeError) as error:
            return type(error), str(error)

    with_us = its.within(talk)
    hooks.undo()
    assert its.within(talk) == with_us


def test_callbacks_of_every_kind(its: Any, telemetry: Any) -> None:
    async def take(inbox: Inbox, message: Any) -> None:
        await inbox.take(message)

    async def talk(_: Any, connection: Any) -> Any:
        bound, partly = Inbox(), Inbox()
        await connection.subscribe("sky", cb=bound.take)
        await connection.subscribe("sky", cb=partial(take, partly))
        await connection.publish("sky", b"clear")
        return [await bound.all(), await partly.all()]

    assert its.within(talk) == [[("sky", b"clear")], [("sky", b"clear")]]
    assert_trees(telemetry.spans(), Node("publish sky", Node("process sky"), Node("process sky")))


def test_answers_of_several_to_one_inbox(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        async def answer(message: Any) -> None:
            await connection.publish(message.reply, b"clear")

        for _ in range(2):
            await connection.subscribe("sky", cb=answer)
        inbox = connection.new_inbox()
        answers = await connection.subscribe(inbox)
        await connection.publish("sky", b"", reply=inbox)
        return [(await answers.next_msg(_WAIT)).data for _ in range(2)]

    assert its.within(talk) == [b"clear", b"clear"]
    assert_trees(telemetry.spans(), Node("publish sky", *[Node("process sky", kind="SERVER")] * 2))


def test_stores_of_keys_have_no_spans(its: Any, telemetry: Any) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        store = await connection.jetstream().create_key_value(bucket="cities", storage="memory")
        await store.put("Lisbon", b"clear")
        found = await store.get("Lisbon")
        await connection.jetstream().delete_key_value("cities")
        return found.value

    assert its.within(talk) == b"clear"
    assert telemetry.spans() == []


def test_connection_that_is_lost_under_way(its: Any, telemetry: Any, tmp_path: Path) -> None:
    async def talk(_: Any, connection: Any) -> Any:
        await connection.close()
        await connection.publish("sky", b"")

    with server_with(its, tmp_path), pytest.raises(Exception, match="connection closed"):
        its.within(talk)
    [span] = telemetry.spans()
    assert (span.name, span.attributes["error.type"]) == ("publish sky", "nats.errors.ConnectionClosedError")
