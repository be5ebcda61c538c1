"""pyzmq: both ends of each pattern in this process, over TCP, in one thread or task."""

from __future__ import annotations

import json
import pickle
from importlib import import_module
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

OLDEST, NEWEST = "25, oldest", "27, newest"
HOST = "127.0.0.1"
INSIDE = "inproc://weather"
TOPIC = b"event.weather"
ASKED = {"action": "forecast", "city": "Lisbon"}
CHUNK = {"chunk": b"\x00\x01", "rate": 16000}
TOLD = {"status": "ok", "sky": "clear"}
_WAIT = 20_000


class Zmq(Driver):
    """Sockets of one context; what the sync ones return at once the others are awaited for."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.zmq = import_module("zmq")
        self.asyncio = import_module("zmq.asyncio")
        self.endpoint = ""
        self.context: Any = None
        self.run_in_context(_nothing)

    def run_in_context(self, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        """Return what ``work(self)`` returns, whose sockets are closed then."""

        async def working() -> Any:
            self.context = (self.zmq if self.loop is None else self.asyncio).Context()
            try:
                return await work(self)
            finally:
                self.context.destroy(linger=0)

        if self.loop is not None:
            return self.loop.run_until_complete(working())
        coroutine = working()
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("a sync socket was waited for")

    def pair(self, bound: str, connected: str, endpoint: str | None = None) -> tuple[Any, Any]:
        """Return two sockets that lead to each other."""
        first, second = (self.context.socket(getattr(self.zmq, name)) for name in (bound, connected))
        if endpoint is None:
            self.endpoint = f"tcp://{HOST}:{first.bind_to_random_port(f'tcp://{HOST}')}"
        else:
            self.endpoint = endpoint
            first.bind(endpoint)
        for socket in (first, second):
            socket.linger = 0
            socket.rcvtimeo = _WAIT
        second.connect(self.endpoint)
        return first, second


async def done(returned: Any) -> Any:
    """Return what a call returned, or wait for it."""
    return await returned if isawaitable(returned) else returned


async def _nothing(_: Any) -> None:
    pass


async def request(its: Any) -> Any:
    rep, req = its.pair("REP", "REQ")
    await done(req.send_json(ASKED))
    asked = await done(rep.recv_json())
    await done(rep.send_json(TOLD))
    return [asked, await done(req.recv_json())]


async def request_of_text(its: Any) -> Any:
    rep, req = its.pair("REP", "REQ", INSIDE)
    await done(req.send_string("how is the sky?"))
    asked = await done(rep.recv_string())
    await done(rep.send(b"clear"))
    return [asked, await done(req.recv())]


async def request_by_frames(its: Any) -> Any:
    rep, req = its.pair("REP", "REQ")
    await done(req.send(TOPIC, its.zmq.SNDMORE))
    await done(req.send(json.dumps(ASKED).encode()))
    asked = [await done(rep.recv()), await done(rep.recv())]
    await done(rep.send_multipart([b"one", b"two"]))
    return [asked, await done(req.recv_multipart())]


async def routed(its: Any) -> Any:
    router, dealer = its.pair("ROUTER", "DEALER")
    for city in ("Lisbon", "Porto"):
        await done(dealer.send_multipart([b"", json.dumps({**ASKED, "city": city}).encode()]))
    asked = [await done(router.recv_multipart()) for _ in range(2)]
    for frames in reversed(asked):
        await done(router.send_multipart([frames[0], b"", b"clear"]))
    return [[frames[1:] for frames in asked], [await done(dealer.recv_multipart()) for _ in range(2)]]


async def published(its: Any) -> Any:
    xpub, sub = its.pair("XPUB", "SUB", INSIDE)
    sub.setsockopt(its.zmq.SUBSCRIBE, b"")
    subscription = await done(xpub.recv())
    seen = [subscription]
    for message in ([TOPIC, json.dumps(TOLD).encode()], [b"sky: " + json.dumps(TOLD).encode()], [b"sky clear"]):
        await done(xpub.send_multipart(message))
        seen.append(await done(sub.recv_multipart()))
        # The agent waits for the next one, and works on this one no more.
        seen.append(await done(sub.poll(0)))
    return seen


async def pushed(its: Any) -> Any:
    pull, push = its.pair("PULL", "PUSH", INSIDE)
    await done(push.send_pyobj(CHUNK))
    seen = [await done(pull.recv_pyobj()), await done(pull.poll(0))]
    await done(push.send(pickle.dumps(TOLD, 5)))
    return [*seen, await done(pull.recv())]


async def timed_out(its: Any) -> Any:
    _, req = its.pair("REP", "REQ")
    req.rcvtimeo = 20
    await done(req.send_json(ASKED))
    return await done(req.recv_json())


async def polled_in_vain(its: Any) -> Any:
    _, req = its.pair("REP", "REQ")
    await done(req.send_json(ASKED))
    return await done(req.poll(20))


async def twice(its: Any) -> Any:
    _, req = its.pair("REP", "REQ")
    await done(req.send_json(ASKED))
    return await done(req.send_json(ASKED))


def told(
    operation: str, kind: str, *, by: str = "send", topic: str | None = None, is_peer: bool = False, **more: Any
) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a span."""

    def attributes(its: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "zeromq",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": topic or its.endpoint,
            "messaging.destination.template": its.endpoint,
            "network.transport": "tcp" if its.endpoint.startswith("tcp") else None,
            "obs.zmq.socket.type": kind,
            "peer.service": its.endpoint.removeprefix("tcp://") if is_peer else None,
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def _in_context(work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    return lambda its: its.run_in_context(work)


_FORECAST: dict[str, Any] = {"messaging__message__body__size": len(json.dumps(ASKED)), "rpc__method": "forecast"}
_CALL = told("request", "REQ", is_peer=True, **_FORECAST)
_SPACED: dict[str, Any] = {**_FORECAST, "messaging__message__body__size": len(json.dumps(ASKED)) + len(TOPIC)}
_SERVED = Node("request forecast", Node("process forecast", kind="SERVER"), kind="CLIENT")


_SENT, _WORKED_ON = f"send {INSIDE}", f"process {INSIDE}"
_MESSAGE = Node(_SENT, Node(_WORKED_ON, kind="CONSUMER"), kind="PRODUCER")

LIBRARY = Library(
    name="zmq",
    instrumentor="obs_instrumentors.pyzmq",
    environments={
        OLDEST: ("pyzmq==25.0.0", "gevent", "msgpack", "tornado"),
        NEWEST: ("pyzmq>=27.3,<28", "gevent", "msgpack", "tornado"),
    },
    driver=Zmq,
    more=("more.py",),
    scenarios=(
        Scenario("request", _in_context(request), "request forecast", _CALL, {}, tree=(_SERVED,)),
        Scenario(
            "request by frames",
            _in_context(request_by_frames),
            "process forecast",
            told("process", "REP", by="process", topic=TOPIC.decode(), **_SPACED),
            tree=(_SERVED,),
        ),
        Scenario(
            "request that has no place for a trace",
            _in_context(request_of_text),
            f"request {INSIDE}",
            told("request", "REQ", messaging__message__body__size=15),
            tree=(Node(f"request {INSIDE}"), Node(_WORKED_ON, kind="SERVER")),
        ),
        Scenario(
            "publish",
            _in_context(published),
            _WORKED_ON,
            told("process", "SUB", by="process", topic=TOPIC.decode(), messaging__message__body__size=45),
            tree=(_MESSAGE, _MESSAGE, Node(_SENT), Node(_WORKED_ON)),
        ),
        Scenario(
            "push",
            _in_context(pushed),
            _SENT,
            told("send", "PUSH", messaging__message__body__size=len(pickle.dumps(CHUNK))),
            tree=(_MESSAGE, _MESSAGE),
        ),
        Scenario(
            "answers in another order",
            _in_context(routed),
            "request forecast",
            told("request", "DEALER", is_peer=True, rpc__method="forecast", messaging__message__body__size=40),
            tree=(_SERVED, _SERVED),
        ),
        Scenario(
            "no answer in time",
            _in_context(timed_out),
            "request forecast",
            lambda its: {**_CALL(its), "error.type": "timeout"},
            error="Again",
            failures=0,
        ),
        Scenario(
            "no answer while polled",
            _in_context(polled_in_vain),
            "request forecast",
            lambda its: {**_CALL(its), "error.type": "timeout"},
        ),
        Scenario(
            "a call while another one waits",
            _in_context(twice),
            "request forecast",
            lambda its: {**_CALL(its), "error.type": "unanswered"},
            error="ZMQError",
            tree=(Node("request forecast", status="ERROR"), Node("request forecast", status="ERROR")),
        ),
    ),
)
