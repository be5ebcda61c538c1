"""Processes that write one store while others read it: ``python -m benchmarks.store_contention [--seconds 600]``.

Twenty write a batch of spans and one of log lines ten times a second, or as often as they can, five ask one question
after another. At the end every span and line that a writer was told to be stored has to be there, and no process may
have failed or warned.
"""

from __future__ import annotations

import argparse
import json
import logging
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.store import SPANS_A_TRACE, lines, trace

BYTES = 1 << 40
SPAN_BATCH = 10
"""Traces in a batch."""
PAUSE = 0.1
NUMBERS = 10_000_000
"""How many traces lie between the first ones of two writers."""


class Done(NamedTuple):
    """What came of it."""

    problems: list[str]
    written: int
    stored: int
    logs_written: int
    logs_stored: int
    reads: int
    slowest_read: float


def write(path: Path, number: int, spans: int, seconds: float) -> None:
    """Write so many spans, or for so long, and say how many were stored and what was warned of."""
    from opentelemetry.sdk._logs.export import LogRecordExportResult
    from opentelemetry.sdk.trace.export import SpanExportResult

    from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter

    warned: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: warned.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("obs_run").addHandler(handler)
    of_spans, of_logs = StoreSpanExporter(path, BYTES), StoreLogExporter(path, BYTES)
    stored = logs = done = 0
    first, until = number * NUMBERS, time.monotonic() + seconds
    while (done * SPANS_A_TRACE < spans) if spans else time.monotonic() < until:
        numbers = range(first + done, first + done + SPAN_BATCH)
        batch = [span for one in numbers for span in trace(one)]
        records = [record for one in numbers for record in lines(one)]
        if of_spans.export(batch) is SpanExportResult.SUCCESS:
            stored += len(batch)
        else:
            warned.append("a batch of spans was not stored")
        if of_logs.export(records) is LogRecordExportResult.SUCCESS:
            logs += len(records)
        else:
            warned.append("a batch of log lines was not stored")
        done += SPAN_BATCH
        time.sleep(PAUSE)
    of_spans.shutdown()
    of_logs.shutdown()
    print(json.dumps({"stored": stored, "logs": logs, "problems": warned}))


def read(path: Path) -> None:
    """Ask one question after another until stdin is closed; say how many, and the slowest."""
    import select

    from obs_run.store.reader import Reader

    problems: list[str] = []
    reads, slowest = 0, 0.0
    while not select.select([sys.stdin], [], [], 0)[0]:
        if not path.exists():
            time.sleep(0.01)
            continue
        begun = time.monotonic()
        try:
            with Reader(path) as reader:
                found = reader.traces(50)
                for one in found[:3]:
                    spans = reader.spans(one.trace_id)
                    if len(spans) != one.spans or reader.damaged:
                        problems.append(f"trace {one.trace_id}: {one.spans} spans in its summary, {len(spans)} read")
                reader.usage(since_ns=found[-1].start_ns if found else 0)
                reader.log_lines(100)
        except sqlite3.Error as error:
            problems.append(f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (it is reported)
            # Between the making of the file and of its tables.
            if "is empty" not in str(error):
                problems.append(f"{type(error).__name__}: {error}")
        reads += 1
        slowest = max(slowest, time.monotonic() - begun)
    print(json.dumps({"reads": reads, "slowest": slowest, "problems": problems}))


def run(path: Path, writers: int, readers: int, spans: int = 0, seconds: float = 0) -> Done:
    """Run all of them, and count what is in the store."""

    def begin(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmarks.store_contention", "--store", str(path), *map(str, words)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, cwd=Path(__file__).parent.parent, **pipes)  # type: ignore[call-overload, no-any-return]

    writing = [begin("--write", n + 1, "--spans", spans, "--seconds", seconds) for n in range(writers)]
    reading = [begin("--read") for _ in range(readers)]
    problems: list[str] = []
    said_by_writers = [_said(process, problems) for process in writing]
    said_by_readers = [_said(process, problems) for process in reading]
    stored = logs = 0
    if path.is_file():
        connection = sqlite3.connect(path)
        stored, logs = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("spans", "logs")
        )
        sums = connection.execute("SELECT sum(spans), sum(logs) FROM traces").fetchone()
        if sums != (stored, logs):
            problems.append(f"the summaries tell of {sums}, not of {stored} spans and {logs} log lines")
        connection.close()
    return Done(
        problems,
        sum(int(said.get("stored", 0)) for said in said_by_writers),
        stored,
        sum(int(said.get("logs", 0)) for said in said_by_writers),
        logs,
        sum(int(said.get("reads", 0)) for said in said_by_readers),
        max((said.get("slowest", 0.0) for said in said_by_readers), default=0.0),
    )


def _number(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _said(process: subprocess.Popen[str], problems: list[str]) -> dict[str, float]:
    out, err = process.communicate("\n")
    if process.returncode or err:
        problems.append(f"exit {process.returncode}: {err.strip()[-500:]}")
    said: dict[str, float] = {}
    if out:
        answer = json.loads(out)
        problems += answer.pop("problems")[:3]
        said = answer
    return said


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--readers", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--spans", type=int, default=0, help="of each writer, instead of a time")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--write", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.store, arguments.write, arguments.spans, arguments.seconds)
        return 0
    if arguments.read:
        read(arguments.store)
        return 0
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        path = arguments.store or Path(folder, "store.db")
        done = run(path, arguments.writers, arguments.readers, arguments.spans, arguments.seconds)
    print(f"spans: {done.written:,} written, {done.stored:,} in the store")
    print(f"log lines: {done.logs_written:,} written, {done.logs_stored:,} in the store")
    print(f"reads: {done.reads:,}, the slowest {done.slowest_read:.2f} s")
    for problem in done.problems:
        print(f"problem: {problem}")
    lost = (done.written, done.logs_written) != (done.stored, done.logs_stored)
    return 1 if done.problems or lost or not done.written else 0


if __name__ == "__main__":
    sys.exit(main())
