"""websockets: both ends in this process, with threads, with asyncio, and by the older API of asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import threading
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Handler = Callable[[Any], Coroutine[Any, Any, Any]]

OLDEST, NEWEST = "13.0, oldest", "17.4, newest"
KINDS = ("sync", "async", "older")
HOST, PATH = "127.0.0.1", "/sky"
CITY = {"city": "Lisbon"}
TEXT = json.dumps(CITY)
PLAIN = "Lisbon, please"
_WAIT = 30
_CLIENTS = {"sync": "sync.client", "async": "asyncio.client", "older": "legacy.client"}
_SERVERS = {"sync": "sync.server", "async": "asyncio.server", "older": "legacy.server"}


async def got(returned: Any) -> Any:
    """Wait for what an async connection returns."""
    return await returned if inspect.isawaitable(returned) else returned


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError


async def each_of(connection: Any) -> Any:
    """Give all messages of a connection."""
    if hasattr(connection, "__aiter__"):
        async for message in connection:
            yield message
    else:
        for message in connection:
            yield message


class Websockets(Driver):
    """A server and its clients, one server for each piece of work."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        if kind == "older":
            self.loop = asyncio.new_event_loop()
        # All, so that what they have of each other is the same in each test.
        modules = {name: import_module(f"websockets.{name}") for name in (*_CLIENTS.values(), *_SERVERS.values())}
        self.client, self.server = modules[_CLIENTS[kind]], modules[_SERVERS[kind]]
        self.port = 0

    async def connect(self, path: str = PATH, **options: Any) -> Any:
        """Return a client's connection."""
        if self.kind == "sync" and hasattr(self.client, "reconnect"):
            options["legacy"] = True
        return await got(self.client.connect(f"ws://{HOST}:{self.port}{path}", **options))

    def within(self, handler: Handler, work: Callable[[Any], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        """Return what ``work(self)`` returns, while a server calls ``handler`` with each connection."""
        self.port = free_port()
        if self.kind == "sync":
            return self._within_threads(handler, work, options)

        async def working() -> Any:
            async with self.server.serve(handler, HOST, self.port, **options):
                return await work(self)

        return self.run(working())

    def _within_threads(self, handler: Handler, work: Any, options: dict[str, Any]) -> Any:
        with self.server.serve(lambda connection: at_once(handler(connection)), HOST, self.port, **options) as server:
            before = set(threading.enumerate())
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                return at_once(work(self))
            finally:
                server.shutdown()
                for each in set(threading.enumerate()) - before:
                    each.join(_WAIT)


def answering(*answers: Any) -> Handler:
    """Return a handler that answers each message by these."""

    async def handle(connection: Any) -> None:
        async for _ in each_of(connection):
            for answer in answers:
                await got(connection.send(answer))

    return handle


async def silent(connection: Any) -> None:
    """Read, and say nothing."""
    async for _ in each_of(connection):
        pass


async def failing(connection: Any) -> None:
    await got(connection.recv())
    raise ValueError("no such city")


def asking(message: Any, answers: int = 1) -> Any:
    """Return the work of a client that sends a message, and waits for so many answers."""

    async def ask(its: Any) -> Any:
        connection = await its.connect()
        await got(connection.send(message))
        seen = [await got(connection.recv()) for _ in range(answers)]
        await got(connection.close())
        # A fault of ours can prevent that blanks are taken out, of JSON, where they mean nothing.
        return [json.loads(each) if isinstance(each, str) and each[0] == "{" else each for each in seen]

    return ask


async def failed_handler(its: Any) -> Any:
    connection = await its.connect()
    await got(connection.send(TEXT))
    with contextlib.suppress(Exception):
        await got(connection.recv())
    await got(connection.close())
    code = getattr(connection, "close_code", None) or connection.protocol.close_code
    return int(code)


async def in_parts(its: Any) -> Any:
    connection = await its.connect()
    await got(connection.send(_parts()))
    answer = await got(connection.recv())
    await got(connection.close())
    return answer


def _parts() -> Iterator[str]:
    yield from ("Lis", "bon")


async def refused(its: Any) -> Any:
    return await its.connect("/closed")


def _refusing(kind: str) -> dict[str, Any]:
    async def refuse_older(path: str, _: Any) -> Any:
        return (403, [], b"closed\n") if path == "/closed" else None

    def refuse(connection: Any, request: Any) -> Any:
        return connection.respond(403, "closed\n") if request.path == "/closed" else None

    return {"process_request": refuse_older if kind == "older" else refuse}


_unheard = cache(free_port)


def nobody(its: Any) -> Any:
    its.port = _unheard()
    return at_once(refused(its)) if its.kind == "sync" else its.run(refused(its))


async def heard_by_two(its: Any) -> Any:
    first, second = [await its.connect() for _ in range(2)]
    await got(first.send(TEXT))
    seen = []
    for each in (first, second):
        seen.append(json.loads(await got(each.recv())))
        await got(each.close())
    return seen


def telling_all(its: Any) -> Handler:
    connections: set[Any] = set()

    async def handle(connection: Any) -> None:
        connections.add(connection)
        async for message in each_of(connection):
            its.server.broadcast(connections, message)
        connections.discard(connection)

    return handle


def told(operation: str, size: int | None, *, by: str = "send", **more: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a message's span."""

    def attributes(its: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "websocket",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": PATH,
            "messaging.destination.template": PATH,
            "messaging.message.body.size": size,
            "network.transport": "tcp",
            "peer.service": f"{HOST}:{its.port}",
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def request_to(path: str = PATH, **more: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a client's request."""

    def attributes(its: Any) -> dict[str, Any]:
        return {
            "http.request.method": "GET",
            "url.full": f"ws://{HOST}:{its.port}{path}",
            "url.scheme": "ws",
            "network.protocol.version": "1.1",
            **{name.replace("__", "."): value for name, value in more.items()},
        }

    return attributes


def _scenario(name: str, call: Any, span: str, attributes: Any, *tree: Node, **more: Any) -> Scenario:
    return Scenario(name, call, span, attributes, tree=tree, kinds=more.pop("kinds", KINDS), **more)


def _handshake(status: int = 101) -> Node:
    answered = {"http.response.status_code": status}
    server = Node(
        "GET", kind="SERVER", status="UNSET", attributes={**answered, "url.path": PATH if status == 101 else "/closed"}
    )
    return Node("GET", server, kind="CLIENT", status="UNSET" if status == 101 else "ERROR", attributes=answered)


def _sent(*inside: Node) -> Node:
    return Node(f"send {PATH}", *inside, kind="PRODUCER")


def _worked_on(*inside: Node, **about: Any) -> Node:
    return Node(f"process {PATH}", *inside, kind="CONSUMER", **about)


LIBRARY = Library(
    name="websockets",
    instrumentor="obs_instrumentors.websockets",
    environments={OLDEST: ("websockets==13.0",), NEWEST: ("websockets>=17.4,<18", "trio", "uvicorn<1")},
    driver=Websockets,
    kinds=KINDS,
    more=("more.py",),
    scenarios=(
        _scenario(
            "question in JSON",
            lambda its: its.within(answering(TEXT), asking(TEXT)),
            f"send {PATH}",
            told("send", len(TEXT)),
            _handshake(),
            _sent(_worked_on(_sent(_worked_on()))),
            content={},
        ),
        _scenario(
            "question in words",
            lambda its: its.within(answering(PLAIN, b"20 C"), asking(PLAIN, 2)),
            "GET",
            request_to(http__response__status_code=101),
            _handshake(),
            _sent(),
            _worked_on(_sent(), _sent()),
            _worked_on(),
            _worked_on(),
        ),
        _scenario(
            "message in parts",
            lambda its: its.within(answering(PLAIN), in_parts),
            f"send {PATH}",
            told("send", None),
            _handshake(),
            _sent(),
            _worked_on(_sent()),
            _worked_on(),
        ),
        _scenario(
            "handler that fails",
            lambda its: its.within(failing, failed_handler),
            "GET",
            request_to(http__response__status_code=101),
            _handshake(),
            _sent(_worked_on(status="ERROR", attributes={"error.type": "ValueError"})),
            failures=1,
        ),
        _scenario(
            "refused",
            lambda its: its.within(silent, refused, **_refusing(its.kind)),
            "GET",
            request_to("/closed", http__response__status_code=403, error__type="403"),
            _handshake(403),
            error="InvalidStatus",
            kinds=("sync", "async"),
        ),
        _scenario(
            "refused by the older API",
            lambda its: its.within(silent, refused, **_refusing(its.kind)),
            "GET",
            request_to("/closed", http__response__status_code=403, error__type="403"),
            _handshake(403),
            error="InvalidStatusCode",
            kinds=("older",),
        ),
        _scenario(
            "nobody listens",
            nobody,
            "GET",
            request_to("/closed", error__type="ConnectionRefusedError"),
            error="ConnectionRefusedError",
        ),
        _scenario(
            "broadcast",
            lambda its: its.within(telling_all(its), heard_by_two),
            f"send {PATH}",
            told("send", len(TEXT)),
            _handshake(),
            _handshake(),
            _sent(
                _worked_on(
                    Node(f"send {PATH}", _worked_on(), _worked_on(), attributes={"messaging.batch.message_count": 2})
                )
            ),
            kinds=("async", "older"),
        ),
    ),
)
