"""A relay beside twenty agents for an hour, killed every ten minutes: what it holds stays flat, and all arrives.

``python -m benchmarks.relay_soak [--minutes 60] [--agents 20]`` prints each minute the memory, descriptors and threads
of the relay's processes, and at the end what was lost and what came twice.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from obs_run.buffer import relay_client
from obs_run.core import semconv

_AGENT = """
import logging, sys, time
from obs_run.tracing import get_tracer
agent, until = sys.argv[1], float(sys.argv[2])
tracer = get_tracer("soak")
logger = logging.getLogger("soak")
logger.setLevel(logging.INFO)
logger.addHandler(logging.NullHandler())
number = 0
while time.time() < until:
    with tracer.span(f"{agent} {number}"):
        logger.info("%s %d", agent, number)
    number += 1
    time.sleep(0.1)
print(number)
"""
_MINUTES_BETWEEN_KILLS = 10
_MEBIBYTE = 1 << 20


class _Counting(BaseHTTPRequestHandler):
    """Counts spans and log lines by name, those apart that are marked as possible duplicates."""

    protocol_version = "HTTP/1.1"
    spans: ClassVar[Counter[str]] = Counter()
    marked: ClassVar[Counter[str]] = Counter()
    lines: ClassVar[Counter[str]] = Counter()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/traces"):
            traces = ExportTraceServiceRequest.FromString(body)
            for span in (span for group in traces.resource_spans for part in group.scope_spans for span in part.spans):
                is_marked = any(pair.key == semconv.OBS_EXPORT_POSSIBLE_DUPLICATE for pair in span.attributes)
                (self.marked if is_marked else self.spans)[span.name] += 1
        elif self.path.endswith("/logs"):
            logs = ExportLogsServiceRequest.FromString(body)
            for log in (log for group in logs.resource_logs for part in group.scope_logs for log in part.log_records):
                self.lines[log.body.string_value] += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Held(NamedTuple):
    memory: float
    descriptors: int
    threads: int


def main() -> None:
    """Print a line each minute, and the counts at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--agents", type=int, default=20)
    arguments = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OBS_RELAY": "on",
            "OBS_RELAY_FOLDER": memory,
        }
        until = time.time() + arguments.minutes * 60
        script = str(Path(sys.executable).with_name("obs-run"))
        agents = [
            subprocess.Popen(
                [script, sys.executable, "-c", _AGENT, str(number), str(until)],
                env=environ,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(arguments.agents)
        ]
        for minute in range(1, arguments.minutes + 1):
            time.sleep(max(0.0, until - (arguments.minutes - minute) * 60 - time.time()))
            print(f"minute {minute}: {_describe(memory)}", flush=True)
            if minute % _MINUTES_BETWEEN_KILLS == 0:
                for pid in _processes(memory)[1:]:
                    os.kill(pid, signal.SIGKILL)
        numbers = [int(agent.communicate()[0]) for agent in agents]
        _wait(sum(numbers) + arguments.agents)
        _report(numbers)
        subprocess.run([str(Path(sys.executable).with_name("obsctl")), "relay", "stop"], env=environ, check=False)


def _processes(memory: str) -> list[int]:
    """Return the supervisor and the processes that read."""
    places = [memory, *relay_client.configurations(memory)]
    return [pid for pid in map(relay_client.reader_of, places) if pid]


def _describe(memory: str) -> str:
    held = [_held(pid) for pid in _processes(memory)]
    return "; ".join(f"{each.memory:.1f} MiB, {each.descriptors} descriptors, {each.threads} threads" for each in held)


def _held(pid: int) -> _Held:
    process = Path("/proc") / str(pid)
    resident = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return _Held(resident / _MEBIBYTE, len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())))


def _wait(number: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and len({*_Counting.spans, *_Counting.marked}) < number:
        time.sleep(0.2)
    time.sleep(2)


def _report(numbers: list[int]) -> None:
    names = [f"{agent} {number}" for agent, most in enumerate(numbers) for number in range(most)]
    lost = sum(not _Counting.spans[name] and not _Counting.marked[name] for name in names)
    lost_lines = sum(not _Counting.lines[name] for name in names)
    unmarked = sum(max(0, _Counting.spans[name] - 1) for name in names)
    marked = sum(_Counting.marked[name] for name in names)
    print(
        f"spans: {len(names)}, lost {lost}, marked as possible duplicates {marked}, doubled and not marked {unmarked}"
    )
    print(f"log lines: {len(names)}, lost {lost_lines}")


if __name__ == "__main__":
    main()
