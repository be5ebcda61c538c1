"""Agents and relays that are killed at random: what had ended by then is in Jaeger and in the Collector's log file.

``python -m benchmarks.relay_kills [--agents 500] [--relays 0] [--seconds 2]`` kills so many agents,
and meanwhile so many relays, and prints what was lost and what came twice.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from obs_run.buffer import relay_client
from obs_run.core import semconv
from tests.e2e.backends import servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.e2e.backends import records

_AGENT = """
import logging, os, sys, time
from opentelemetry import trace
from obs_run.tracing import get_tracer
noted = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
tracer = get_tracer("killed")
logger = logging.getLogger("killed")
logger.setLevel(logging.INFO)
logger.addHandler(logging.NullHandler())
with tracer.span("open"):
    os.write(noted, b"%032x\\n" % trace.get_current_span().get_span_context().trace_id)
    for number in range(100_000):
        with tracer.span(f"span {number}"):
            logger.info("line %d", number)
            os.write(noted, b"line %d\\n" % number)
        os.write(noted, b"span %d\\n" % number)
        time.sleep(0.005)
"""
_AT_ONCE = 8
_SECONDS_TO_ARRIVE = 60.0


class _Killed(NamedTuple):
    trace_id: str
    spans: frozenset[str]
    lines: frozenset[str]


def main() -> None:
    """Print one line of figures for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--relays", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long an agent lives, at most")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        folder = Path(name)
        with servers.backends(folder) as running:
            environ = _environment(folder, memory, running.collector.otlp_http)
            draw = random.Random(arguments.seed)
            over = threading.Event()
            killer = threading.Thread(target=_kill_relays, args=(memory, arguments.relays, draw, over))
            killer.start()
            kill = partial(_kill_one, folder, environ)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                killed = list(pool.map(kill, [draw.uniform(0.0, arguments.seconds) for _ in range(arguments.agents)]))
            over.set()
            killer.join()
            _report([each for each in killed if each is not None], len(killed), running)
            subprocess.run([_script("obsctl"), "relay", "stop"], env=environ, check=False)


def _environment(folder: Path, memory: str, endpoint: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OBS_RELAY": "on",
        "OBS_RELAY_FOLDER": memory,
    }


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _kill_one(folder: Path, environ: dict[str, str], seconds: float) -> _Killed | None:
    """Kill an agent so many seconds after it has begun to record; None where it wrote nothing."""
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    noted = Path(name)
    with subprocess.Popen([_script("obs-run"), sys.executable, "-c", _AGENT, name], env=environ) as process:
        while not noted.stat().st_size and process.poll() is None:
            time.sleep(0.001)
        time.sleep(seconds)
        process.kill()
    trace_id, *words = noted.read_text().split("\n")[:-1] or [""]
    if not trace_id:
        return None
    return _Killed(
        trace_id,
        frozenset(word for word in words if word.startswith("span")),
        frozenset(word for word in words if word.startswith("line")),
    )


def _kill_relays(memory: str, number: int, draw: random.Random, over: threading.Event) -> None:
    """Kill the processes that read, now and then."""
    done = 0
    # One that dies at once is begun again later and later.
    while done < number and not over.wait(draw.uniform(3.0, 5.0)):
        for place in relay_client.configurations(memory):
            pid = relay_client.reader_of(place)
            if pid:
                os.kill(pid, signal.SIGKILL)
                done += 1
    print(f"relays killed: {done}")


def _report(killed: Sequence[_Killed], number: int, running: servers.Backends) -> None:
    time.sleep(5)
    lines = Counter((log.trace_id, str(log.body)) for log in running.collector.logs(seconds=_SECONDS_TO_ARRIVE))
    lost_spans = lost_lines = without_run = without_open = unmarked = marked = 0
    for each in killed:
        found = running.jaeger.trace(each.trace_id, len(each.spans) + 2, _SECONDS_TO_ARRIVE)
        names = {span.name for span in found}
        lost_spans += len(each.spans - names)
        lost_lines += sum(not lines[each.trace_id, line] for line in each.lines)
        without_run += not any(span.attributes.get(semconv.OBS_RUN_SIGNAL) == "SIGKILL" for span in found)
        without_open += not any(_is_interrupted(span) for span in found if span.name == "open")
        copies = Counter(span.span_id for span in found)
        marked += sum(copies.values()) - len(copies)
        plain = Counter(span.span_id for span in found if semconv.OBS_EXPORT_POSSIBLE_DUPLICATE not in span.attributes)
        unmarked += sum(plain.values()) - len(plain)
    ended, said = sum(len(each.spans) for each in killed), sum(len(each.lines) for each in killed)
    print(f"agents killed: {number}, of which {number - len(killed)} before they wrote a word")
    print(f"spans that had ended: {ended}, lost {lost_spans}")
    print(f"log lines: {said}, lost {lost_lines}")
    print(f"runs without SIGKILL: {without_run}, open spans that are not there or not marked: {without_open}")
    print(f"spans that came twice: {marked}, not marked as such: {unmarked}")


def _is_interrupted(span: records.Span) -> bool:
    return span.attributes.get(semconv.OBS_SPAN_UNFINISHED) is True


if __name__ == "__main__":
    main()
