"""What sockets do besides: peers without obs-run, what is current when, brokers, other loops, high rates."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.pyzmq import peers
from tests.instrumentors.pyzmq.library import ASKED, HOST, INSIDE, LIBRARY, TOLD
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(peers.__file__)
_WAIT = 60_000
zmq: Any = import_module("zmq")


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    """Sync sockets of a context, under our hooks."""
    assert telemetry is not None
    driver: Any = LIBRARY.driver("sync", stub)
    with instrumented():
        driver.context = zmq.Context()
        yield driver
        driver.context.destroy(linger=0)


def bound(its: Any, kind: str) -> tuple[Any, str]:
    socket = its.context.socket(getattr(zmq, kind))
    socket.sndhwm = socket.rcvhwm = 0
    socket.rcvtimeo = _WAIT
    return socket, f"tcp://{HOST}:{socket.bind_to_random_port(f'tcp://{HOST}')}"


def current() -> Any:
    return trace.get_current_span().get_span_context()


class Peer:
    """A process of its own, with obs-run or without."""

    def __init__(self, its: Any, role: str, duty: str, address: str, *, launched: bool) -> None:
        self.report, reporting = bound(its, "REP")
        launcher = [sys.executable, "-m", "obs_run"] if launched else []
        command = [*launcher, sys.executable, str(PEERS), role, duty, str(ROUNDS), address, reporting]
        nowhere = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
        self.process = subprocess.Popen(command, env={**os.environ, **nowhere}, stderr=subprocess.PIPE, text=True)

    def broken(self) -> int:
        """Wait for its report."""
        broken = int(self.report.recv())
        self.report.send(b"")
        _, said = self.process.communicate(timeout=60)
        assert (self.process.returncode, said) == (0, "")
        return broken


PATTERNS = (
    ("REQ", "ask", "REP", "answer"),
    ("REQ", "ask by frames", "REP", "answer by frames"),
    ("REP", "answer", "REQ", "ask"),
    ("REP", "answer by frames", "REQ", "ask by frames"),
    ("DEALER", "ask behind an empty frame", "REP", "answer"),
    ("REP", "answer", "DEALER", "ask behind an empty frame"),
    ("DEALER", "ask", "ROUTER", "answer one of many"),
    ("ROUTER", "answer one of many", "DEALER", "ask"),
    ("DEALER", "ask behind an empty frame", "ROUTER", "answer one of many behind an empty frame"),
    ("ROUTER", "answer one of many behind an empty frame", "REQ", "ask"),
    ("PAIR", "ask", "PAIR", "answer"),
    ("PAIR", "answer", "PAIR", "ask for what means the same"),
    ("XPUB", "write", "SUB", "read"),
    ("SUB", "read", "XPUB", "write"),
    ("PUSH", "write", "PULL", "read"),
    ("PULL", "read", "PUSH", "write"),
)
"""Our socket and what it does, the peer's and what that does."""
ROUNDS = -(-10_000 // len(PATTERNS))


@pytest.mark.parametrize("launched", [False, True], ids=["plain", "under obs-run"])
@pytest.mark.parametrize(("role", "duty", "other_role", "other_duty"), PATTERNS)
def test_no_exchange_with_a_peer_is_broken(
    its: Any, role: str, duty: str, other_role: str, other_duty: str, *, launched: bool
) -> None:
    """All patterns together are ten thousand exchanges with a strict peer."""
    socket, address = bound(its, role)
    if role == "SUB":
        socket.setsockopt(zmq.SUBSCRIBE, b"")
    peer = Peer(its, other_role, other_duty, address, launched=launched)
    assert (peers.DUTIES[duty](socket, ROUNDS), peer.broken()) == (0, 0)


def test_with_the_setting_off_the_bytes_are_the_agents(its: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_ZMQ", "off")
    rep, req = its.pair("REP", "REQ")
    req.send_json(ASKED)
    # A frame is handed over as it came.
    assert rep.recv(copy=False).bytes == json.dumps(ASKED).encode()


def test_a_frame_is_the_librarys_own(its: Any, telemetry: Any) -> None:
    rep, req = its.pair("REP", "REQ")
    req.send_json(ASKED)
    frame = rep.recv(copy=False)
    assert json.loads(frame.bytes) == ASKED
    rep.send(b"")
    req.recv()
    # Its bytes are not read for what they ask.
    assert_trees(telemetry.spans(), Node("request forecast", Node(f"process {its.endpoint}")))


@pytest.mark.parametrize("how", ["new", "copied"])
def test_a_buffer_of_the_agents(its: Any, telemetry: Any, how: str) -> None:
    rep, req = its.pair("REP", "REQ")

    def receive(socket: Any) -> bytes:
        if how == "copied" or not hasattr(socket, "recv_into"):
            return bytes(socket.recv())
        buffer = bytearray(1000)
        return bytes(buffer[: socket.recv_into(buffer)])

    req.send_json(ASKED)
    assert json.loads(receive(rep)) == ASKED
    rep.send_json(TOLD)
    assert json.loads(receive(req)) == TOLD
    assert_trees(telemetry.spans(), Node("request forecast", Node("process forecast"), status="UNSET"))


class Array(bytearray):
    """A frame that compares as arrays do, which have no truth of their own."""

    __hash__ = None

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value is ambiguous")


def test_arrays(its: Any, telemetry: Any) -> None:
    pull, push = its.pair("PULL", "PUSH", INSIDE)
    push.send_json({"shape": [3]}, zmq.SNDMORE)
    push.send(Array(b"abc"), copy=False)
    assert pull.recv_json() == {"shape": [3]}
    assert pull.recv() == b"abc"
    push.send_multipart([Array(b"abc"), b"{}"])
    assert pull.recv_multipart() == [b"abc", b"{}"]
    pull.poll(0)
    assert len(telemetry.spans()) == 4


def test_a_child_process_lets_go_of_its_parents_sockets(its: Any, telemetry: Any) -> None:
    rep, req = its.pair("REP", "REQ")
    req.send_json(ASKED)
    rep.recv_json()
    served = trace.get_current_span()
    child = os.fork()
    if not child:
        # As the garbage collector has it.
        rep.close()
        os._exit(0 if served.is_recording() else 1)
    assert os.waitpid(child, 0)[1] == 0
    rep.send_json(TOLD)
    assert req.recv_json() == TOLD
    assert_trees(telemetry.spans(), Node("request forecast", Node("process forecast")))


def test_what_libzmq_tells_of_a_socket_is_no_message(its: Any, telemetry: Any) -> None:
    monitor = import_module("zmq.utils.monitor")
    rep, address = bound(its, "REP")
    req = its.context.socket(zmq.REQ)
    events = req.get_monitor_socket()
    req.connect(address)
    assert monitor.recv_monitor_message(events)["event"]
    req.disable_monitor()
    events.close()
    req.close()
    rep.close()
    assert telemetry.spans() == []


def test_only_the_work_on_a_request_is_in_it(its: Any, telemetry: Any) -> None:
    tracer = trace.get_tracer("agent")
    rep, req = its.pair("REP", "REQ")
    before = current()
    for _ in range(3):
        req.send_json(ASKED)
        assert current() == before
        rep.recv_json()
        assert current() != before
        with tracer.start_as_current_span("work"):
            logging.getLogger("agent").warning("working")
        rep.send_json(TOLD)
        assert current() == before
        req.recv_json()
        assert current() == before
    served = Node("request forecast", Node("process forecast", Node("work")))
    assert_trees(telemetry.spans(), served, served, served)


def test_another_thread_answers(its: Any, telemetry: Any) -> None:
    rep, req = its.pair("REP", "REQ")
    before = current()
    req.send_json(ASKED)
    rep.recv_json()
    assert current() != before
    thread = threading.Thread(target=rep.send_json, args=(TOLD,))
    thread.start()
    thread.join()
    # Whoever answers ends it, for all.
    assert current() == before
    assert req.recv_json() == TOLD
    assert_trees(telemetry.spans(), Node("request forecast", Node("process forecast")))


def test_a_message_is_worked_on_until_the_next_is_waited_for(its: Any, telemetry: Any) -> None:
    pull, push = its.pair("PULL", "PUSH", INSIDE)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    before = current()

    def receive_in_vain() -> None:
        with pytest.raises(zmq.Again):
            pull.recv(zmq.NOBLOCK)

    for wait in (lambda: poller.poll(0), lambda: pull.poll(0), receive_in_vain, pull.close):
        push.send_json(ASKED)
        pull.recv_json()
        assert current() != before
        wait()
        assert current() == before
    message = Node("send forecast", Node("process forecast"))
    assert_trees(telemetry.spans(), message, message, message, message)


def test_messages_of_two_sockets_are_not_within_each_other(its: Any, telemetry: Any) -> None:
    first, to_first = its.pair("PULL", "PUSH", "inproc://first")
    second, to_second = its.pair("PULL", "PUSH", "inproc://second")
    to_first.send(b"one")
    to_second.send(b"two")
    first.recv()
    second.recv()
    first.close()
    second.close()
    names = ("send inproc://first", "send inproc://second", "process inproc://first", "process inproc://second")
    assert_trees(telemetry.spans(), *map(Node, names))


def test_a_message_that_is_waited_for_in_the_work_on_a_request(its: Any, telemetry: Any) -> None:
    rep, req = its.pair("REP", "REQ", "inproc://requests")
    pull, push = its.pair("PULL", "PUSH", "inproc://results")
    before = current()
    req.send_json(ASKED)
    rep.recv_json()
    push.send_json(TOLD)
    pull.recv_json()
    rep.send_json(TOLD)
    assert current() == before
    sent = Node("send inproc://results", Node("process inproc://results"))
    req.recv()
    assert_trees(telemetry.spans(), Node("request forecast", Node("process forecast", sent)))


def test_a_broker_hands_on_what_it_works_on(its: Any, telemetry: Any) -> None:
    front, client = its.pair("ROUTER", "REQ")
    back, worker = its.pair("ROUTER", "REQ")
    worker.send(b"ready")
    address, _, _ = back.recv_multipart()
    assert front.poll(0) == back.poll(0) == 0
    client.send_json(ASKED)
    who, _, request = front.recv_multipart()
    back.send_multipart([address, b"", who, b"", request])
    *route, asked = worker.recv_multipart()
    assert json.loads(asked) == ASKED
    with trace.get_tracer("agent").start_as_current_span("work"):
        pass
    worker.send_multipart([*route, json.dumps(TOLD).encode()])
    _, _, *answer = back.recv_multipart()
    front.send_multipart(answer)
    assert client.recv_json() == TOLD
    by_client = [span for span in telemetry.spans() if span.name in ("request forecast", "process forecast", "work")]
    result = f"request {worker.last_endpoint.decode()}"
    assert [span.name for span in telemetry.spans()].count(result) == 2
    handed_on = Node("request forecast", Node("process forecast", Node("work")))
    assert_trees(by_client, Node("request forecast", Node("process forecast", handed_on)))


def test_beyond_a_rate_messages_are_counted(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "3")
    sent, consumed = ("messaging.client.sent.messages", "messaging.client.consumed.messages")
    before = telemetry.total(sent), telemetry.total(consumed)
    pull, push = its.pair("PULL", "PUSH", INSIDE)
    for number in range(500):
        push.send_json({"number": number})
        assert pull.recv_json() == {"number": number}
    push.close()
    pull.close()
    assert 0 < len(telemetry.spans()) < 500
    assert (telemetry.total(sent) - before[0], telemetry.total(consumed) - before[1]) == (500, 500)


def test_an_answer_beyond_a_rate_is_still_an_answer(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "3")
    router, dealer = its.pair("ROUTER", "DEALER")
    for _ in range(50):
        dealer.send_json(ASKED)
        who, asked = router.recv_multipart()
        assert json.loads(asked) == ASKED
        router.send_multipart([who, json.dumps(TOLD).encode()])
        # A frame is handed over as it came.
        assert dealer.recv(copy=False).bytes == json.dumps(TOLD).encode()
    router.close()
    dealer.close()
    asking = {("request forecast", "DEALER"), ("process forecast", "ROUTER")}
    assert {(span.name, span.attributes["obs.zmq.socket.type"]) for span in telemetry.spans()} == asking
    assert all("error.type" not in span.attributes for span in telemetry.spans())


def test_calls_are_never_left_out(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_MESSAGE_SPANS", "0")
    rep, req = its.pair("REP", "REQ")
    req.send_json(ASKED)
    rep.send_json(rep.recv_json())
    req.recv_json()
    assert_trees(telemetry.spans(), Node("request forecast", Node("process forecast")))


def test_messages_of_jupyter_are_not_looked_at(its: Any, telemetry: Any) -> None:
    router, dealer = its.pair("ROUTER", "DEALER")
    dealer.send_multipart([b"<IDS|MSG>", b"signature", b"{}", b"{}", b"{}", b"{}"])
    frames = router.recv_multipart()
    router.send_multipart(frames)
    assert dealer.recv_multipart()[-1] == b"{}"
    assert telemetry.spans() == []


def test_an_open_request_is_ended_with_its_socket(its: Any, telemetry: Any) -> None:
    rep, req = its.pair("REP", "REQ")
    req.send_json(ASKED)
    rep.recv_json()
    rep.close()
    req.close()
    expected = Node(
        "request forecast", Node("process forecast", status="UNSET"), attributes={"error.type": "unanswered"}
    )
    assert_trees(telemetry.spans(), expected)


def test_tasks_of_their_own(its: Any, telemetry: Any) -> None:
    """A router that leaves each request to a task, which answers while others are worked on."""
    zmq_asyncio = import_module("zmq.asyncio")

    async def serve(router: Any, frames: list[Any]) -> None:
        city = json.loads(frames[-1])["city"]
        with trace.get_tracer("agent").start_as_current_span(f"look at {city}"):
            await asyncio.sleep(0.02 if city == "Lisbon" else 0)
        await router.send_multipart([*frames[:-1], json.dumps({"city": city}).encode()])

    async def talk() -> list[Any]:
        its.context = zmq_asyncio.Context()
        router, dealer = its.pair("ROUTER", "DEALER")
        for city in ("Lisbon", "Porto"):
            await dealer.send_multipart([b"", json.dumps({**ASKED, "city": city}).encode()])
        tasks = [asyncio.ensure_future(serve(router, await router.recv_multipart())) for _ in range(2)]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(router.recv_multipart(), 0.001)
        assert not current().is_valid
        await asyncio.gather(*tasks)
        answers = [json.loads((await asyncio.wait_for(dealer.recv_multipart(), 20))[-1])["city"] for _ in tasks]
        its.context.destroy(linger=0)
        return answers

    assert asyncio.run(talk()) == ["Porto", "Lisbon"]
    served = [
        Node("request forecast", Node("process forecast", Node(f"look at {city}"))) for city in ("Lisbon", "Porto")
    ]
    assert_trees(telemetry.spans(), *served)


def test_a_future_that_was_given_up(its: Any, telemetry: Any) -> None:
    zmq_asyncio = import_module("zmq.asyncio")

    async def talk() -> None:
        its.context = zmq_asyncio.Context()
        _, req = its.pair("REP", "REQ")
        await req.send_json(ASKED)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(req.recv_json(), 0.02)
        its.context.destroy(linger=0)

    asyncio.run(talk())
    assert_trees(telemetry.spans(), Node("request forecast", attributes={"error.type": "timeout"}))


def test_streams_of_an_event_loop(its: Any, telemetry: Any) -> None:
    zmqstream = import_module("zmq.eventloop.zmqstream")
    before = current()

    async def talk() -> Any:
        rep, req = its.pair("REP", "REQ")
        server, client = zmqstream.ZMQStream(rep), zmqstream.ZMQStream(req)
        answered = asyncio.get_running_loop().create_future()

        async def serve(frames: list[bytes]) -> None:
            with trace.get_tracer("agent").start_as_current_span("work"):
                await asyncio.sleep(0)
            server.send_json({"got": json.loads(frames[0])})

        server.on_recv(serve)
        client.on_recv(lambda frames: answered.set_result(frames[0]))
        with trace.get_tracer("agent").start_as_current_span("agent"):
            client.send_json(ASKED)
        answer = await asyncio.wait_for(answered, 20)
        assert current() == before
        server.close()
        client.close()
        return json.loads(answer)

    assert asyncio.run(talk()) == {"got": ASKED}
    assert_trees(telemetry.spans(), Node("agent", Node("request forecast", Node("process forecast", Node("work")))))


def test_greenlets(its: Any, telemetry: Any) -> None:
    gevent, green = import_module("gevent"), import_module("zmq.green")
    its.zmq, its.context = green, green.Context()
    rep, req = its.pair("REP", "REQ")
    seen: list[Any] = []

    def serve() -> None:
        rep.recv_json()
        with trace.get_tracer("agent").start_as_current_span("work"):
            gevent.sleep(0.02)
        rep.send_json(TOLD)
        seen.append(current().is_valid)

    def ask() -> None:
        with trace.get_tracer("agent").start_as_current_span("agent"):
            req.send_json(ASKED)
            seen.append(req.recv_json())

    gevent.joinall([gevent.spawn(serve), gevent.spawn(ask)], timeout=20, raise_error=True)
    its.context.destroy(linger=0)
    assert sorted(map(str, seen)) == ["False", str(TOLD)]
    assert_trees(telemetry.spans(), Node("agent", Node("request forecast", Node("process forecast", Node("work")))))


def test_errors_are_the_librarys(its: Any) -> None:
    rep, req = its.pair("REP", "REQ")
    with pytest.raises(zmq.ZMQError) as caught:
        rep.send_json(TOLD)
    assert caught.value.errno == zmq.EFSM
    with pytest.raises(zmq.ZMQError) as caught:
        req.recv()
    assert caught.value.errno == zmq.EFSM
    with pytest.raises(TypeError):
        req.send_json({1, 2})
    with pytest.raises(TypeError):
        req.send("text")
    for frames in ([1, b"{}"], ["topic", b"{}"], [10**12, b"{}"], [None]):
        with pytest.raises(TypeError):
            req.send_multipart(frames)
    with pytest.raises(IndexError):
        req.send_multipart([])
    req.send_json(ASKED)
    assert rep.recv_json() == ASKED


def test_the_queue_is_full(its: Any, telemetry: Any, tmp_path: Path) -> None:
    push = its.context.socket(zmq.PUSH)
    push.linger, push.sndhwm = 0, 1
    push.connect(f"ipc://{tmp_path}/nobody")
    push.send(b"x", zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        push.send(b"x", zmq.NOBLOCK)
    assert telemetry.spans()[-1].attributes["error.type"] == "EAGAIN"


def test_a_pool_takes_requests_by_a_proxy(its: Any, telemetry: Any) -> None:
    """The classic: a proxy in libzmq's own code, and workers in threads behind it."""
    front, client = its.pair("ROUTER", "REQ")
    back = its.context.socket(zmq.DEALER)
    back.bind("inproc://workers")
    stop = its.context.socket(zmq.PAIR)
    stop.bind("inproc://stop")

    def work() -> None:
        rep = its.context.socket(zmq.REP)
        rep.connect("inproc://workers")
        asked = rep.recv_json()
        with trace.get_tracer("agent").start_as_current_span("work"):
            rep.send_json({"got": asked})
        rep.close()

    def proxy() -> None:
        control = its.context.socket(zmq.PAIR)
        control.connect("inproc://stop")
        zmq.proxy_steerable(front, back, None, control)
        control.close()

    with ThreadPoolExecutor(2) as pool:
        proxying, working = pool.submit(proxy), pool.submit(work)
        client.send_json(ASKED)
        assert client.recv_json() == {"got": ASKED}
        working.result(20)
        stop.send(b"TERMINATE")
        proxying.result(20)
    [root] = [span for span in telemetry.spans() if span.name == "request forecast"]
    [served] = [span for span in telemetry.spans() if span.name == "process forecast"]
    assert served.parent.span_id == root.context.span_id


def test_a_socket_that_is_closed_fails_as_it_does_without_us(its: Any, caplog: pytest.LogCaptureFixture) -> None:
    socket, _ = bound(its, "PAIR")
    socket.close()
    for call in (
        lambda: socket.send(b"x"),
        lambda: socket.send_multipart([b"x"]),
        lambda: socket.send_json(1),
        socket.recv,
        socket.recv_multipart,
        socket.recv_json,
    ):
        with pytest.raises(zmq.ZMQError):
            call()
    assert not [record for record in caplog.records if record.name == "obs_run"]
