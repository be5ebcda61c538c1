"""Peers without obs-run, each a process: they say ``ready``, and then what they saw that is not as it was sent."""

from __future__ import annotations

import json
import sys
import threading
from importlib import import_module
from typing import Any

_HOST = "127.0.0.1"


def message(number: int) -> str | bytes:
    """Return a message: of four one that is JSON, an array of it, words, and bytes."""
    told = {"number": number, "city": "Lisbon"}
    return (json.dumps(told), json.dumps([told]), f"message {number}", b"\x80\x05%d" % number)[number % 4]


def echo(connection: Any) -> None:
    """Answer each message by itself, after the headers that the request had."""
    connection.send(json.dumps(sorted({name.lower() for name, _ in connection.request.headers.raw_items()})))
    for told in connection:
        connection.send(told)


def serve(port: int, _: int) -> None:
    """Be a server until killed."""
    with import_module("websockets.sync.server").serve(echo, _HOST, port) as server:
        print("ready", flush=True)
        server.serve_forever()


def ask(port: int, count: int) -> None:
    """Be a client of an echo."""
    print("ready", flush=True)
    sys.stdin.readline()
    options = {"legacy": True} if hasattr(import_module("websockets.sync.client"), "reconnect") else {}
    connection = import_module("websockets.sync.client").connect(f"ws://{_HOST}:{port}/sky", **options)
    wrong = 0
    for number in range(count):
        connection.send(message(number))
        wrong += connection.recv() != message(number)
    names = {name.lower() for name, _ in connection.response.headers.raw_items()}
    connection.close()
    print(
        wrong, "wrong", *sorted(names - {"server", "date", "upgrade", "connection", "sec-websocket-accept"}), flush=True
    )


def main(role: str, port: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    work = {"serve": serve, "ask": ask}[role]
    threading.Thread(target=work, args=(int(port), int(count))).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
