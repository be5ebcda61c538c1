"""Processes without obs-run, which take what they read by its fields and refuse those that they do not know."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

STREAM, CHANNEL, LIST = "peers.stream", "peers.channel", "peers.list"
WAIT = 60


def fields(number: int) -> dict[str, str]:
    return {"number": str(number), "city": "Lisbon"}


def text(number: int) -> str:
    return json.dumps({"number": number, "city": "Lisbon"})


def refuse_others(*, number: str, city: str) -> dict[str, str]:
    """Take the fields of an entry as arguments, of which there are no others."""
    return {"number": number, "city": city}


def reading(client: Any, count: int) -> int:
    print("ready", flush=True)
    seen: list[dict[str, str]] = []
    last = "0"
    while len(seen) < count:
        entries = client.xread({STREAM: last}, block=WAIT * 1000)[0][1]
        seen += [refuse_others(**entry) for _, entry in entries]
        last = entries[-1][0]
    return sum(got != fields(number) for number, got in enumerate(seen))


def grouped(client: Any, count: int) -> int:
    client.xgroup_create(STREAM, "peers", mkstream=True)
    print("ready", flush=True)
    wrong = 0
    for number in range(count):
        [[_, [(name, entry)]]] = client.xreadgroup("peers", "one", {STREAM: ">"}, count=1, block=WAIT * 1000)
        wrong += refuse_others(**entry) != fields(number)
        client.xack(STREAM, "peers", name)
    return wrong


def listening(client: Any, count: int) -> int:
    subscription = client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(CHANNEL)
    while not subscription.subscribed or subscription.get_message(timeout=WAIT) is not None:
        pass
    print("ready", flush=True)
    heard = []
    for message in subscription.listen():
        if message["type"] == "message":
            heard.append(json.loads(message["data"]))
        if len(heard) == count:
            break
    return sum(got != json.loads(text(number)) for number, got in enumerate(heard))


def sending(client: Any, count: int) -> int:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        client.xadd(STREAM, fields(number))
        client.publish(CHANNEL, text(number))
        client.rpush(LIST, text(number))
    return 0


ROLES = {each.__name__: each for each in (reading, grouped, listening, sending)}


def main(role: str, port: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    client = import_module("redis").Redis(host="127.0.0.1", port=int(port), decode_responses=True)
    print(ROLES[role](client, int(count)), "wrong", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
