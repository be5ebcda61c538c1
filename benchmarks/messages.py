"""What messages of several libraries, a job of arq and a request to a server cost with obs-run and without.

Microseconds of CPU of one thread, which has both ends, but for the server's client, and of time; medians of interleaved
rounds, each in a process of its own. Needs the library in this environment, and a server where it speaks by one.
Run it as ``python -m benchmarks.messages zmq``, or as
``python -m benchmarks.messages nats --server nats://127.0.0.1:4222``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_NOWHERE = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "memory")
CASES = {
    "zmq": {
        "json": "call and answer, JSON: four calls of pyzmq, two spans",
        "text": "call and answer, text",
        "one-way": "message, beyond the rate of spans",
    },
    "nats": {
        "request": "request and answer by a callback: two spans",
        "one-way": "message, beyond the rate of spans",
    },
    "websockets": {
        "question": "question and answer, JSON: four spans",
        "one-way": "question and answer, beyond the rate of spans",
    },
    "aiokafka": {
        "message": "message, sent, confirmed and received: two spans",
        "one-way": "message, beyond the rate of spans",
    },
    "arq": {"job": "job, put into the queue and done: two spans"},
    "redis": {
        "entry": "entry of a stream, added, read by a group and acknowledged: two spans",
        "one-way": "message of a channel, beyond the rate of spans",
        "get": "command that is no message",
    },
    "server": {
        "http.server": "request to http.server: one span",
        "uvicorn": "request to uvicorn, any ASGI application: one span",
        "aiohttp": "request to aiohttp.web: one span",
    },
}
_ALL = {"OBS_MESSAGE_SPANS": "1000000"}
_SETTINGS = {"entry": _ALL, "message": _ALL, "question": _ALL}
"""What is set for a case besides."""
_SERVERS = {
    "aiokafka": "127.0.0.1:9092",
    "nats": "nats://127.0.0.1:4222",
    "arq": "redis://127.0.0.1:6379",
    "redis": "redis://127.0.0.1:6379",
}


class Mode(NamedTuple):
    """A way to run the loop."""

    title: str
    is_launched: bool
    settings: dict[str, str]


_INSTRUMENTED = ("zmq", "nats", "arq", "redis", "websockets", "aiokafka", "http.server", "uvicorn", "aiohttp-server")
_LEFT_ALONE = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(f"obs-run:{name}" for name in _INSTRUMENTED)}
MODES = (
    Mode("without obs-run", is_launched=False, settings={}),
    Mode("with obs-run, library left alone", is_launched=True, settings=_LEFT_ALONE),
    Mode("with obs-run", is_launched=True, settings={}),
)


def measure(mode: Mode, loop: list[str], case: str, count: int) -> tuple[float, float]:
    """Return the CPU and the time of one round trip."""
    launcher = [sys.executable, "-m", "obs_run"] if mode.is_launched else []
    command = [*launcher, sys.executable, "-m", *loop, case, str(count)]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    done = subprocess.run(
        command,
        cwd=Path(__file__).parents[1],
        env={**environment, **_NOWHERE, **mode.settings, **_SETTINGS.get(case, {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    cpu, wall = done.stdout.split()
    return float(cpu), float(wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=CASES)
    parser.add_argument("--server", help="its address, where it is another than the usual one")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=3000)
    arguments = parser.parse_args()
    loop = [f"benchmarks.{arguments.library}_loop"]
    if arguments.library in _SERVERS:
        loop.append(arguments.server or _SERVERS[arguments.library])
    for case, title in CASES[arguments.library].items():
        costs: dict[str, list[tuple[float, float]]] = {mode.title: [] for mode in MODES}
        for _ in range(arguments.rounds):
            for mode in MODES:
                costs[mode.title].append(measure(mode, loop, case, arguments.count))
        print(f"\n| {title} | CPU, µs | ratio | time, µs | ratio |\n| --- | --- | --- | --- | --- |")
        first: tuple[float, float] | None = None
        for label, figures in costs.items():
            cpu, wall = (statistics.median(each) for each in zip(*figures, strict=True))
            first = first or (cpu, wall)
            ratios = cpu / first[0], wall / first[1]
            print(f"| {label} | {cpu:.0f} | {ratios[0]:.2f} | {wall:.0f} | {ratios[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
