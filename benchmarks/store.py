"""What the local store takes to write and to search: ``python -m benchmarks.store [--spans 1000000] [--fts]``.

Writes traces of ten spans and three log lines, as an agent with a model, tools and a retriever makes them, and prints
how long questions take: the least of three, each by a new reader. Before, it writes a part of them with and without the
indexes that searching needs (and with ``--fts`` with a full-text index, which the store has not), in turns, and prints
the CPU time of a span.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from obs_run.store import schema
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from obs_run.store.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPANS_A_TRACE, BATCH, PART, ROUNDS = 10, 510, 100_000, 3
BEGUN = 1_790_000_000 * 10**9
SECOND = 10**9
BYTES = 64 << 30
RESOURCES = [Resource({"service.name": f"agent-{n}", "process.pid": n, "host.name": "one"}) for n in range(20)]
SCOPE = InstrumentationScope("obs_run", "0.1.0")
MODELS = ("gpt-5-mini", "gpt-5", "claude-x", "gemini-y", "mistral-z")
WORDS = [f"word{n}" for n in range(5000)]
RARE = "needle-in-the-hay"


def message(chance: random.Random, role: str) -> str:
    """Return messages as a span has them, of about 600 bytes."""
    text = " ".join(chance.choices(WORDS, k=80))
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def trace(number: int) -> Iterator[ReadableSpan]:
    """Yield the spans of a trace; every 50,000th says what is searched for as something rare."""
    chance = random.Random(number)
    at = BEGUN + number * SECOND
    resource = RESOURCES[number % len(RESOURCES)]

    def span(place: int, name: str, parent: int | None, kind: SpanKind, attributes: dict[str, Any]) -> ReadableSpan:
        def context(span_id: int) -> SpanContext:
            return SpanContext(number + 1, span_id, is_remote=False)

        failed = chance.random() < 0.02
        return ReadableSpan(
            name, context(place), context(parent) if parent else None, resource, attributes, (), (), kind,
            status=Status(StatusCode.ERROR, "it failed") if failed else Status(),
            start_time=at + place * 10_000_000, end_time=at + place * 10_000_000 + 9_000_000,
            instrumentation_scope=SCOPE,
        )  # fmt: skip

    user = RARE if number % 50_000 == 7 else f"user-{number % 1000}"
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"agent {number % 50}",
             "gen_ai.conversation.id": f"conversation-{number // 5}", "user.id": user}  # fmt: skip
    yield span(1, "invoke_agent planner", None, SpanKind.INTERNAL, agent)
    for place in (2, 5, 8):
        model = chance.choice(MODELS)
        usage = {"gen_ai.usage.input_tokens": 800, "gen_ai.usage.output_tokens": 40, "obs.cost.total": 0.0021}
        said = {
            "gen_ai.input.messages": message(chance, "user"),
            "gen_ai.output.messages": message(chance, "assistant"),
        }
        asked = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
        yield span(place, f"chat {model}", 1, SpanKind.CLIENT, {**asked, **usage, **said})
        tool = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": f"tool-{place}",
            "gen_ai.tool.call.id": "c1",
        }
        yield span(place + 1, f"execute_tool tool-{place}", 1, SpanKind.INTERNAL, tool)
        http = {"http.request.method": "POST", "url.full": f"https://host/{number}", "server.address": "host"}
        yield span(place + 2, "POST", place + 1, SpanKind.CLIENT, http)


def lines(number: int) -> Iterator[ReadableLogRecord]:
    """Yield the log lines of a trace."""
    for place in (2, 5, 8):
        at = BEGUN + number * SECOND + place * 10_000_000
        record = LogRecord(
            timestamp=at, observed_timestamp=at, context=None, severity_text="INFO",
            severity_number=SeverityNumber.INFO, body=f"step {place} of {number}",
        )  # fmt: skip
        record.trace_id, record.span_id = number + 1, place
        yield ReadableLogRecord(record, RESOURCES[number % len(RESOURCES)], SCOPE)


def write(path: Path, count: int, *, with_logs: bool) -> float:
    """Write so many spans and return the CPU seconds that the store took, without the making of the spans."""
    spans, logs = StoreSpanExporter(path, BYTES), StoreLogExporter(path, BYTES)
    spent = 0.0
    for begin in range(0, count // SPANS_A_TRACE, BATCH // SPANS_A_TRACE):
        numbers = range(begin, min(begin + BATCH // SPANS_A_TRACE, count // SPANS_A_TRACE))
        batch = [span for number in numbers for span in trace(number)]
        records = [record for number in numbers for record in lines(number)] if with_logs else []
        started = time.process_time()
        spans.export(batch)
        if records:
            logs.export(records)
        spent += time.process_time() - started
    spans.shutdown()
    return spent


FTS = (
    "CREATE VIRTUAL TABLE texts USING fts5(attributes, content='spans', content_rowid='id');"
    "CREATE TRIGGER texts_of_spans AFTER INSERT ON spans BEGIN"
    " INSERT INTO texts (rowid, attributes) VALUES (new.id, new.attributes); END"
)


def compare_writing(folder: Path, *, fts: bool) -> None:
    """Print the CPU time of a span with each way to index, in turns."""
    ways = {"without indexes for searching": schema.STEPS[:1], "as it is": schema.STEPS}
    least = dict.fromkeys(ways, float("inf"))
    sizes: dict[str, int] = {}
    if fts:
        least["as it is, and a full-text index"] = float("inf")
    for _ in range(ROUNDS):
        for way in least:
            path = folder / "written.db"
            schema.STEPS = ways.get(way, ways["as it is"])
            if way not in ways:
                connection = schema.open_writer(path, BYTES)
                connection.executescript(FTS)
                connection.close()
            least[way] = min(least[way], write(path, PART, with_logs=False))
            sizes[way] = path.stat().st_size
            for part in folder.glob("written.db*"):
                part.unlink()
    schema.STEPS = ways["as it is"]
    print("| writing | CPU µs a span | bytes a span |\n|---|---|---|")
    for way, seconds in least.items():
        print(f"| {way} | {seconds / PART * 1e6:.1f} | {sizes[way] / PART:.0f} |")


QUESTIONS: dict[str, Callable[[Reader], object]] = {
    "newest 50 traces": lambda reader: reader.traces(50),
    "newest 50 of one service": lambda reader: reader.traces(50, service="agent-7"),
    "newest 50 with an error": lambda reader: reader.traces(50, errors=True),
    "one trace, with its log lines": lambda reader: (reader.spans(f"{4711:032x}"), reader.logs(f"{4711:032x}")),
    "newest 50 of an agent": lambda reader: reader.traces(50, agent="agent 3"),
    "a conversation": lambda reader: reader.traces(50, conversation="conversation-42"),
    "newest 50 of a model": lambda reader: reader.traces(50, model="gpt-5"),
    "no trace of a model": lambda reader: reader.traces(50, model="none such"),
    "newest 50 by attribute": lambda reader: reader.traces(50, attributes={"user.id": "user-7"}),
    "by attribute, rare": lambda reader: reader.traces(50, attributes={"user.id": RARE}),
    "newest 50 by text": lambda reader: reader.traces(50, text="WORD42 "),
    "by text, rare": lambda reader: reader.traces(50, text=RARE),
    "by text, rare, of the last hour": lambda reader: reader.traces(
        50, text=RARE, since_ns=reader.traces(1)[0].start_ns - 3600 * SECOND
    ),
    "newest 1000 log lines": lambda reader: reader.log_lines(1000),
    "log lines by text, rare": lambda reader: reader.log_lines(1000, text="step 5 of 4711"),
    "cost by model": lambda reader: reader.usage(),
    "cost by model, of one service": lambda reader: reader.usage(service="agent-7"),
    "cost by model, of the last hour": lambda reader: reader.usage(
        since_ns=reader.traces(1)[0].start_ns - 3600 * SECOND
    ),
    "cost by agent": lambda reader: reader.usage("agent"),
}


def ask(path: Path) -> None:
    """Print how long each question takes."""
    print("| question | CPU ms | wall ms | answers |\n|---|---|---|---|")
    for name, question in QUESTIONS.items():
        cpu, wall, found = [], [], 0
        for _ in range(ROUNDS):
            with Reader(path) as reader:
                started = time.process_time(), time.perf_counter()
                answer: Any = question(reader)
                cpu.append(time.process_time() - started[0])
                wall.append(time.perf_counter() - started[1])
                found = len(answer[0]) if isinstance(answer, tuple) else len(answer)
        print(f"| {name} | {min(cpu) * 1000:.1f} | {min(wall) * 1000:.1f} | {found} |", flush=True)


def main() -> None:
    """Write, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--fts", action="store_true", help="also write with a full-text index")
    parser.add_argument("--ask", action="store_true", help="do not compare ways to write")
    parser.add_argument("--keep", type=Path, help="a store to ask, made there if it is not")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="store-"))
    try:
        if not arguments.ask:
            compare_writing(folder, fts=arguments.fts)
        path = arguments.keep or folder / "store.db"
        if not path.exists():
            started = time.perf_counter()
            write(path, arguments.spans, with_logs=True)
            print(f"\n{arguments.spans:,} spans written in {time.perf_counter() - started:.0f} s, making them included")
        connection = sqlite3.connect(path)
        versions = f"SQLite {sqlite3.sqlite_version}, {path.stat().st_size / 2**20:.0f} MiB"
        connection.close()
        print(f"{versions}\n")
        ask(path)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
