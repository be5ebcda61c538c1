from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import SpanKind

from obs_run import cli
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 1 << 30
TRACE = f"{0xABC << 116:032x}"
NUMBER = 0xABC << 116


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def recorded(store: Path) -> Path:
    """Return the store that holds the trace of an agent with a tool that fails and a worker process."""
    worker = Resource({"service.name": "worker", "process.pid": 200})

    def chat(tokens: int, out: int, cost: float) -> dict[str, object]:
        return {
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": out,
            "obs.cost.total": cost,
        }  # fmt: skip

    tool_error = Event(
        "exception", {"exception.type": "TimeoutError", "exception.message": "took too long"}, making.AT + 900
    )
    overcome = Event(
        "exception",
        {"exception.type": "KeyError", "exception.message": "'k'", "message": "went on", "level": "ERROR"},
        making.AT + 2200,
    )
    spans = [
        making.span("chat gpt-4o-mini", 100, 800, trace=NUMBER, id=3, parent=2, attributes=chat(812, 40, 0.0021),
                    kind=SpanKind.CLIENT),
        making.span("execute_tool search", 950, 250, trace=NUMBER, id=4, parent=2, error="TimeoutError: took too long",
                    attributes={"gen_ai.operation.name": "execute_tool", "error.type": "TimeoutError"},
                    events=(tool_error,)),
        making.span("chat gpt-4o-mini", 1300, 400, trace=NUMBER, id=5, parent=2, attributes=chat(1020, 7, 0.00031),
                    kind=SpanKind.CLIENT),
        making.span("invoke_agent researcher", 50, 2000, trace=NUMBER, id=2, parent=1,
                    attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 1832}),
        making.span("index", 2150, 500, trace=NUMBER, id=7, parent=6, resource=worker),
        making.span("worker", 2100, 600, trace=NUMBER, id=6, parent=1, resource=worker,
                    attributes={"obs.run.exit_code": 3}, error="exit code 3", events=(overcome,)),
        making.span("agent", 0, 3200, trace=NUMBER, id=1,
                    attributes={"obs.span.unfinished": True, "obs.span.ended_by": "SIGTERM"}),
    ]  # fmt: skip
    StoreSpanExporter(store, MANY).export(spans)
    StoreLogExporter(store, MANY).export([
        making.log("no answer yet\nwill retry", 1100, trace=NUMBER, span=4, severity=SeverityNumber.WARN),
        making.log("searching", 960, trace=NUMBER, span=4),
        making.log("between the calls", 1250, trace=NUMBER, span=2, severity=SeverityNumber.ERROR,
                   attributes={"exception.type": "TimeoutError", "exception.message": "took too long"}),
        making.log("of a span that is not there", 3000, trace=NUMBER, span=99, logger="root"),
    ])  # fmt: skip
    return store


TREE = f"""\
trace {TRACE}  agent  2026-09-21 14:13:20+00:00  3.20s  7 spans  4 log lines  1 unfinished  3 errors  \
in=1832 out=47 cost=$0.0024
  agent  3.20s  UNFINISHED (SIGTERM)
    invoke_agent researcher  2.00s  in=1832
      chat gpt-4o-mini  800ms  in=812 out=40 cost=$0.0021
      execute_tool search  250ms  ERROR TimeoutError: took too long
        +0.960s  INFO  agent.tools: searching
        +1.100s  WARN  agent.tools: no answer yet\\nwill retry
      +1.250s  ERROR  agent.tools: between the calls (TimeoutError: took too long)
      chat gpt-4o-mini  400ms  in=1020 out=7 cost=$0.00031
    worker  600ms  [worker pid 200]  exit=3  ERROR exit code 3
      index  500ms
  +3.000s  INFO  root: of a span that is not there
"""


@pytest.fixture
def _just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the traces end a moment ago."""
    monkeypatch.setattr("obs_run.cli.elsewhere.time.time", lambda: making.AT / 1e9 + 10)


@pytest.mark.usefixtures("_just_now")
@pytest.mark.parametrize("words", [["show"], ["show", "--last"], ["show", TRACE], ["show", "AB"]])
def test_the_tree_of_a_trace(recorded: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert cli.main(words) == 0
    assert capsys.readouterr() == (TREE, "")
    assert recorded.exists()


def test_a_terminal_gets_branches_and_colours(recorded: Path) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60", "OBS_STORE_FILE": str(recorded), "TZ": "UTC"}
    environ.pop("NO_COLOR", None)
    done = subprocess.Popen([sys.executable, "-m", "obs_run.cli", "show", "--last"], stdout=slave, env=environ)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.wait() == 0
    text = shown.decode()
    assert "\x1b[31mERROR TimeoutError: took too long\x1b[0m" in text
    assert "└─ " in text
    assert "│  │  ├─ " in text


def test_the_newest_trace_is_shown(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreSpanExporter(recorded, MANY).export([making.span("newer", 5000, trace=5), making.span("old", -9, trace=6)])
    assert cli.main(["show"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  newer  10ms"


def test_the_trace_as_otlp_json(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del recorded
    assert cli.main(["show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    agent, worker = shown["resourceSpans"]
    assert agent["resource"] == {
        "attributes": [
            {"key": "service.name", "value": {"stringValue": "agent"}},
            {"key": "process.pid", "value": {"intValue": "100"}},
        ]
    }
    (scope,) = agent["scopeSpans"]
    assert scope["scope"] == {"name": "obs_run", "version": "0.1.0"}
    assert [span["name"] for span in scope["spans"]][:2] == ["agent", "invoke_agent researcher"]
    assert scope["spans"][3] == {
        "traceId": TRACE,
        "spanId": f"{4:016x}",
        "parentSpanId": f"{2:016x}",
        "name": "execute_tool search",
        "kind": 1,
        "startTimeUnixNano": "1790000000950000000",
        "endTimeUnixNano": "1790000001200000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
            {"key": "error.type", "value": {"stringValue": "TimeoutError"}},
        ],
        "events": [
            {
                "timeUnixNano": "1790000000000000900",
                "name": "exception",
                "attributes": [
                    {"key": "exception.type", "value": {"stringValue": "TimeoutError"}},
                    {"key": "exception.message", "value": {"stringValue": "took too long"}},
                ],
            }
        ],
        "links": [],
        "status": {"code": 2, "message": "TimeoutError: took too long"},
    }
    assert [span["name"] for span in worker["scopeSpans"][0]["spans"]] == ["worker", "index"]
    assert shown["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] == {
        "timeUnixNano": "1790000000960000000",
        "severityNumber": 9,
        "severityText": "INFO",
        "body": {"stringValue": "searching"},
        "attributes": [],
        "traceId": TRACE,
        "spanId": f"{4:016x}",
    }


def test_every_type_of_value_has_its_otlp_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"n": None, "b": True, "f": float("-inf"), "y": b"\x00", "l": (1, "a"), "m": {"k": 0.5}}
    StoreSpanExporter(store, MANY).export([making.span("x", attributes=values)])
    assert cli.main(["show", "--json"]) == 0
    (span,) = json.loads(capsys.readouterr().out)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {one["key"]: one["value"] for one in span["attributes"]} == {
        "n": {},
        "b": {"boolValue": True},
        "f": {"doubleValue": "-Infinity"},
        "y": {"bytesValue": "AA=="},
        "l": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}]}},
        "m": {"kvlistValue": {"values": [{"key": "k", "value": {"doubleValue": 0.5}}]}},
    }


def test_odd_traces_are_shown_whole(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreSpanExporter(store, MANY).export([
        making.span("root", 0, 9, id=1),
        making.span("lost child", 1, None, id=2, parent=50),
        making.span("loop a", 2, 1, id=3, parent=4),
        making.span("loop b", 3, 1, id=4, parent=3),
        making.span("own parent", 4, 1, id=5, parent=5),
        making.span("\x1b[31mred\x07\n", 5, 1, id=6, parent=1),
        *(making.span(f"level {n}", 6 + n / 1000, 1, id=n, parent=n - 1 if n > 100 else 1) for n in range(100, 1600)),
    ])  # fmt: skip
    assert cli.main(["show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:7] == [
        "  root  9.0ms",
        "    \\x1b[31mred\\x07\\n  1.0ms",
        "    level 100  1.0ms",
        "      level 101  1.0ms",
        "        level 102  1.0ms",
        "          level 103  1.0ms",
    ]
    assert lines[-4:] == [
        "  lost child  ?  (parent not recorded)  UNFINISHED",
        "  loop a  1.0ms  (parent not recorded)",
        "    loop b  1.0ms",
        "  own parent  1.0ms  (parent not recorded)",
    ]
    assert len(lines) == 1507


def test_a_trace_of_which_only_log_lines_are_known(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreLogExporter(store, MANY).export([making.log("still running", 3)])
    assert cli.main(["show"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  +0.000s  INFO  agent.tools: still running"]


def test_mistakes_are_one_line(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreSpanExporter(recorded, MANY).export([making.span("x", trace=NUMBER + 1)])
    for words, line in (
        (["show", "nothex"], "'nothex' is not a trace id: up to 32 hexadecimal digits; see obsctl list"),
        (["show", "123"], "no trace begins with 123; see obsctl list"),
        (["show", "abc"], f"several traces begin with abc: {TRACE}, {NUMBER + 1:032x}"),
        (["show", "abc", "--last"], "give a trace id or --last, not both"),
        (["shwo"], "no command 'shwo'; did you mean 'show'?"),
        (["frobnicate"], "no command 'frobnicate'; see obsctl --help"),
        (["show", "--xyz"], "unrecognized arguments: --xyz (see obsctl show --help)"),
    ):
        assert cli.main(words) == 2
        assert capsys.readouterr() == ("", f"obsctl: {line}\n")


def test_an_empty_store_says_what_to_do(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show"]) == 1
    assert capsys.readouterr() == (
        "",
        f"obsctl: there is no local store at {store}; run an agent first: obs-run python agent.py\n",
    )
    exporter = StoreSpanExporter(store, MANY)
    assert exporter._writer._connect()
    assert cli.main(["show"]) == 1
    assert capsys.readouterr() == (
        "",
        f"obsctl: the local store at {store} has no trace yet; run an agent: obs-run python agent.py\n",
    )


def test_an_older_trace_is_not_passed_off_as_the_newest_run(
    recorded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs_run.cli.elsewhere.time.time", lambda: making.AT / 1e9 + 3600)
    assert recorded.exists()
    assert cli.main(["show"]) == 0
    shown = capsys.readouterr()
    assert shown.out == TREE
    (line,) = shown.err.splitlines()
    assert line.startswith("obsctl: this is the newest trace, which ended 2026-09-21 ")


@pytest.mark.parametrize(
    ("variables", "where"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://ann:secret@localhost:4318"}, "to http://ann:********@localhost:4318"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4317"}, "to http://localhost:4317"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "to console"),
        ({"OTEL_TRACES_EXPORTER": "none"}, "nowhere"),
    ],
)
@pytest.mark.parametrize("command", ["show", "list"])
@pytest.mark.usefixtures("_just_now", "recorded")
def test_traces_that_go_elsewhere_are_said(
    command: str,
    variables: dict[str, str],
    where: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cli.main([command]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"obsctl: as the environment is set, traces go {where}, not into the local store; older ones follow"
    )


def test_a_broken_store_is_said_in_one_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.parent.mkdir()
    store.write_bytes(b"broken" * 1000)
    assert cli.main(["show"]) == 1
    assert capsys.readouterr() == ("", f"obsctl: the local store at {store} cannot be read: file is not a database\n")


def test_a_reader_that_leaves_early_is_not_a_failure(recorded: Path) -> None:
    environ = {**os.environ, "OBS_STORE_FILE": str(recorded), "PYTHONUNBUFFERED": "1"}
    shown = subprocess.Popen(
        [sys.executable, "-m", "obs_run.cli", "show", "--last"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    assert shown.stderr.read() == b""
    shown.stderr.close()
    assert shown.wait() == 0
