"""Round trips and one-way messages by ZMQ in one thread; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

zmq: Any = import_module("zmq")

CASE, COUNT = sys.argv[1], int(sys.argv[2])
ASKED = {"action": "forecast", "city": "Lisbon", "request_id": "7"}
TOLD = {"status": "success", "sky": "clear"}
WARM = 200


def pair(context: Any, bound: str, connected: str) -> tuple[Any, Any]:
    first, second = (context.socket(getattr(zmq, kind)) for kind in (bound, connected))
    port = first.bind_to_random_port("tcp://127.0.0.1")
    second.connect(f"tcp://127.0.0.1:{port}")
    return first, second


def json_trip(rep: Any, req: Any) -> None:
    req.send_json(ASKED)
    rep.recv_json()
    rep.send_json(TOLD)
    req.recv_json()


def text_trip(rep: Any, req: Any) -> None:
    req.send(b"how is the sky?")
    rep.recv()
    rep.send(b"clear")
    req.recv()


def message(pull: Any, push: Any) -> None:
    push.send_json(ASKED)
    pull.recv_json()


CASES = {
    "json": (json_trip, "REP", "REQ"),
    "text": (text_trip, "REP", "REQ"),
    "one-way": (message, "PULL", "PUSH"),
}


def main() -> None:
    work, bound, connected = CASES[CASE]
    with zmq.Context() as context:
        sockets = pair(context, bound, connected)
        for _ in range(WARM):
            work(*sockets)
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(COUNT):
            work(*sockets)
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        for socket in sockets:
            socket.close(linger=0)
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


main()
