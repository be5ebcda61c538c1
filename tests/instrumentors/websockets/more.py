"""What websockets do besides: peers without obs-run, headers, whose a connection is, what is current, rates, trio."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees
from tests.instrumentors.websockets import peers
from tests.instrumentors.websockets.library import (
    HOST,
    KINDS,
    LIBRARY,
    NEWEST,
    PATH,
    PLAIN,
    TEXT,
    answering,
    asking,
    each_of,
    got,
    silent,
)
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_NEWEST = os.environ.get("OBS_TEST_ENVIRONMENT") == NEWEST
PEERS = Path(peers.__file__)
MESSAGES = 500
_WAIT = 60
_OFFER = "obs-message-trace"
_TOLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(params=KINDS)
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
    """Both ends, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver(request.param, stub)
    with instrumented():
        yield driver
    driver.close()


@contextlib.contextmanager
def peer(role: str, port: int, count: int = MESSAGES) -> Iterator[subprocess.Popen[str]]:
    """Run a process without obs-run."""
    command = [sys.executable, str(PEERS), role, str(port), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def run(its: Any, work: Any) -> Any:
    """Return what a client's work returns."""
    if its.loop is not None:
        return its.run(work)
    with contextlib.suppress(StopIteration):
        work.send(None)
    return None


def test_a_server_without_us_gets_what_is_sent(its: Any) -> None:
    its.port = free_port()
    seen: list[Any] = []

    async def ask() -> None:
        connection = await its.connect()
        seen.append(json.loads(await got(connection.recv())))
        for number in range(MESSAGES):
            await got(connection.send(peers.message(number)))
            # Whatever the echo sends is what it got.
            assert await got(connection.recv()) == peers.message(number)
        await got(connection.close())

    with peer("serve", its.port):
        run(its, ask())
    assert {"traceparent", _OFFER} <= set(seen[0])


def test_a_client_without_us_gets_what_is_sent(its: Any) -> None:
    async def echo(connection: Any) -> None:
        async for message in each_of(connection):
            await got(connection.send(message))

    async def wait(_: Any) -> Any:
        with peer("ask", its.port) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            if its.loop is None:
                return process.stdout.readline()
            return await its.loop.run_in_executor(None, process.stdout.readline)

    said = its.within(echo, wait).split()
    assert said[:2] == ["0", "wrong"]
    assert not {"traceparent", _OFFER, "x-trace-id"} & set(said)


def headers_of(its: Any, **options: Any) -> dict[str, str]:
    """Return what the server sees of a client's headers."""
    seen: list[Any] = []

    async def look(connection: Any) -> None:
        sent = connection.request_headers if its.kind == "older" else connection.request.headers
        seen.append([(name.lower(), value) for name, value in sent.raw_items()])
        await silent(connection)

    async def connect(_: Any) -> None:
        connection = await its.connect(**options)
        await got(connection.send(PLAIN))
        await got(connection.close())

    its.within(look, connect)
    [headers] = seen
    assert len(dict(headers)) == len(headers)
    return dict(headers)


def test_the_request_tells_of_the_clients_span(its: Any, telemetry: Any) -> None:
    told = headers_of(its)["traceparent"]
    [client] = [span for span in telemetry.spans() if span.kind.name == "CLIENT"]
    assert told.split("-")[2] == format(client.context.span_id, "016x")


def test_baggage_is_there_in_the_handler(its: Any) -> None:
    seen = []

    async def look(connection: Any) -> None:
        seen.append(baggage.get_baggage("tenant"))
        await silent(connection)

    token = context.attach(baggage.set_baggage("tenant", "acme"))
    its.within(look, asking_nothing)
    context.detach(token)
    assert seen == ["acme"]


async def asking_nothing(its: Any) -> None:
    await got((await its.connect()).close())


def test_the_agents_headers_stay_its_own(its: Any) -> None:
    name = "extra_headers" if its.kind == "older" else "additional_headers"
    mine = {"traceparent": _TOLD, "unit": "C"}
    seen = headers_of(its, **{name: mine})
    assert mine == {"traceparent": _TOLD, "unit": "C"}
    assert (seen["traceparent"], seen["unit"]) == (_TOLD, "C")
    assert _OFFER not in seen


@pytest.mark.parametrize(
    ("setting", "value", "names"),
    [
        ("OBS_PROPAGATE_MESSAGES", "off", {"traceparent"}),
        ("OBS_PROPAGATE_MESSAGES", "headers", {"traceparent"}),
        ("OBS_PROPAGATE_HOSTS", "none", set()),
    ],
)
def test_what_is_switched_off_is_not_told(
    its: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, names: set[str]
) -> None:
    monkeypatch.setenv(setting, value)
    assert {"traceparent", _OFFER} & set(headers_of(its)) == names


def test_the_agent_gets_the_bytes_that_were_sent(its: Any) -> None:
    odd = '{"city":  "Lisbon" , "n": [1]}\n'
    seen: list[Any] = []

    async def echo(connection: Any) -> None:
        async for message in each_of(connection):
            seen.append(message)
            await got(connection.send(message))

    async def ask(_: Any) -> Any:
        connection = await its.connect()
        for message in (odd, odd.encode(), "[1]", "{not json}", ""):
            await got(connection.send(message))
            seen.append(await got(connection.recv()))
        await got(connection.close())

    its.within(echo, ask)
    assert seen == [each for message in (odd, odd.encode(), "[1]", "{not json}", "") for each in (message, message)]


def test_what_is_current_in_a_handler(its: Any, telemetry: Any) -> None:
    seen: dict[str, Any] = {}

    def note(place: str) -> None:
        seen[place] = trace.get_current_span().get_span_context()

    async def handle(connection: Any) -> None:
        note("before")
        await got(connection.recv())
        note("first")
        await got(connection.send(PLAIN))
        await got(connection.recv())
        note("second")
        await got(connection.send(PLAIN))
        with contextlib.suppress(Exception):
            await got(connection.recv())
        note("after")

    async def ask(_: Any) -> None:
        connection = await its.connect()
        for message in (TEXT, PLAIN):
            await got(connection.send(message))
            await got(connection.recv())
        await got(connection.close())

    its.within(handle, ask)
    spans = {span.context.span_id: span for span in telemetry.spans()}
    named = {place: spans[told.span_id] for place, told in seen.items()}
    assert {place: (span.name, span.kind.name) for place, span in named.items()} == {
        "before": ("GET", "SERVER"),
        "first": (f"process {PATH}", "CONSUMER"),
        "second": (f"process {PATH}", "CONSUMER"),
        "after": ("GET", "SERVER"),
    }
    assert named["first"].context.span_id != named["second"].context.span_id
    # Words carry nothing: what is worked on has a trace of its own, which tells of the connection.
    assert [link.context.span_id for link in named["second"].links] == [seen["before"].span_id]


def test_an_answer_is_a_part_of_what_asked_for_it(its: Any, telemetry: Any) -> None:
    async def ask(its: Any) -> None:
        connection = await its.connect()
        with trace.get_tracer("agent").start_as_current_span("plan"):
            await got(connection.send(TEXT))
            await got(connection.recv())
            with trace.get_tracer("agent").start_as_current_span("think"):
                pass
        await got(connection.close())

    its.within(answering(TEXT), ask)
    handshake = Node("GET", Node("GET"))
    work = Node(f"process {PATH}", Node(f"send {PATH}"))
    assert_trees(telemetry.spans(), handshake, Node("plan", Node(f"send {PATH}", work), Node("think")))


def test_beyond_the_rate_messages_are_counted(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "0")
    its.within(answering(TEXT), asking(TEXT, 1))
    assert_trees(telemetry.spans(), Node("GET", Node("GET")))
    for metric in ("messaging.client.sent.messages", "messaging.client.consumed.messages"):
        assert telemetry.points(metric, **{"messaging.system": "websocket"})


def test_a_server_that_goes_away_is_measured(its: Any, telemetry: Any) -> None:
    async def leave(connection: Any) -> None:
        await got(connection.close(1011, "out of memory"))

    async def wait(_: Any) -> Any:
        connection = await its.connect()
        with pytest.raises(Exception, match="out of memory") as caught:
            await got(connection.recv())
        return type(caught.value).__name__

    assert its.within(leave, wait) == "ConnectionClosedError"
    assert telemetry.points(
        "messaging.client.operation.duration",
        **{"messaging.operation.name": "receive", "error.type": "websockets.exceptions.ConnectionClosedError"},
    )


def test_a_connection_that_another_library_opens_is_its_own(its: Any, telemetry: Any) -> None:
    """As those of clients of models and tools are, of which their instrumentors tell."""
    from obs_run.core import hooks

    hooks.instrument("obs_instrumentors.http_server", importlib.import_module("http.server"))
    opened = {"__name__": "http.of_a_library"}
    exec("async def open(connect, got, *args, **kwargs):\n    return await got(connect(*args, **kwargs))", opened)
    connect = its.client.connect
    options = {"legacy": True} if its.kind == "sync" and hasattr(its.client, "reconnect") else {}

    async def ask(its: Any) -> Any:
        connection = await opened["open"](connect, got, f"ws://{HOST}:{its.port}{PATH}", **options)  # type: ignore[operator]
        await got(connection.send(TEXT))
        answer = await got(connection.recv())
        await got(connection.close())
        return answer

    assert its.within(answering(TEXT), ask) == TEXT
    names = {(span.name, span.kind.name) for span in telemetry.spans()}
    # The server is the agent's, and its client tells it nothing.
    assert names == {("GET", "SERVER"), (f"process {PATH}", "CONSUMER"), (f"send {PATH}", "PRODUCER")}


if IS_NEWEST:

    def test_waiting_in_vain_and_reconnecting(stub: Any, telemetry: Any) -> None:
        its: Any = LIBRARY.driver("async", stub)

        async def ask(_: Any) -> Any:
            seen = []
            async for connection in its.client.connect(f"ws://{HOST}:{its.port}{PATH}"):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(connection.recv(), 0.05)
                await connection.send(PLAIN)
                seen.append(await asyncio.wait_for(connection.recv(), _WAIT))
                await connection.close()
                if len(seen) > 1:
                    return seen
            return None

        with instrumented():
            assert its.within(answering(PLAIN), ask) == [PLAIN, PLAIN]
        its.close()
        names = [span.name for span in telemetry.spans()]
        assert sorted(names) == sorted(["GET", "GET", *[f"send {PATH}", f"process {PATH}"] * 2] * 2)

    def test_trio(telemetry: Any) -> None:
        trio = importlib.import_module("trio")
        importlib.import_module("websockets.trio.client")
        importlib.import_module("websockets.trio.server")

        async def talk() -> Any:
            client, server = (importlib.import_module(f"websockets.trio.{end}") for end in ("client", "server"))
            port = free_port()
            async with trio.open_nursery() as nursery:
                await nursery.start(lambda **told: server.serve(answering(TEXT, PLAIN), port, host=HOST, **told))
                async with client.connect(f"ws://{HOST}:{port}{PATH}") as connection:
                    await connection.send(TEXT)
                    seen = [await connection.recv(), await connection.recv()]
                nursery.cancel_scope.cancel()
            return seen

        with instrumented():
            assert trio.run(talk) == [TEXT, PLAIN]
        sent = Node(f"send {PATH}", Node(f"process {PATH}"))
        work = Node(f"process {PATH}", sent, Node(f"send {PATH}"))
        assert_trees(telemetry.spans(), Node("GET", Node("GET")), Node(f"send {PATH}", work), Node(f"process {PATH}"))

    @pytest.mark.parametrize("protocol", ["websockets", "websockets-sansio"])
    def test_uvicorn_tells_of_its_own_connections(stub: Any, telemetry: Any, protocol: str) -> None:
        from obs_instrumentors import TABLE

        from obs_run.core import hooks

        its: Any = LIBRARY.driver("sync", stub)

        async def application(scope: Any, receive: Any, send: Any) -> None:
            assert scope["type"] == "websocket"
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})

        with instrumented():
            for module, instrumentor in TABLE.items():
                if instrumentor == "obs_instrumentors.uvicorn" and "websockets" in module:
                    with contextlib.suppress(ImportError):
                        hooks.instrument(instrumentor, importlib.import_module(module))
            its.port = free_port()
            uvicorn = importlib.import_module("uvicorn")
            server = uvicorn.Server(
                uvicorn.Config(application, host=HOST, port=its.port, ws=protocol, lifespan="off", log_level="error")
            )
            thread = threading.Thread(target=server.run)
            thread.start()
            while thread.is_alive() and not server.started:
                thread.join(0.01)
            try:
                run(its, asking(TEXT)(its))
            finally:
                server.should_exit = True
                thread.join(_WAIT)
        # The client's messages are its own.
        request = Node("GET", Node("GET", kind="SERVER"), kind="CLIENT")
        assert_trees(telemetry.spans(), request, Node(f"send {PATH}"), Node(f"process {PATH}"))
