"""``obsctl import``, ``export``, ``replay``, and ``--from`` of every command that reads."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest

from obs_run import cli
from obs_run.store.exporters import StoreSpanExporter
from obs_run.store.reader import Reader
from tests.otlp_receiver import Receiver
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, TWO = f"{1:032x}", f"{2:032x}"
ALLOWED = "allowed: a store's file, a file of OTLP JSON, - for stdin, the http(s) URL of a Jaeger"
RUN = "run an agent first: obs-run python agent.py"
JAEGER = "http://127.0.0.1:1"
ALL_IMPORTED = "imported 7 spans, 4 log lines, 5 metric points"
OLD = "traces older than 30d (OBS_STORE_KEEP) leave this store when an agent next writes to it"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return tmp_path / "other.db"


def exit_code(command: list[str]) -> object:
    try:
        return cli.main(command)
    except SystemExit as left:
        return left.code


def rows(path: Path) -> dict[str, list[Any]]:
    """Return what a store holds, without the order of arrival and the times of writing."""
    connection = sqlite3.connect(path)
    found = {}
    for table in ("spans", "logs", "points", "scopes", "traces", "resources"):
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        named = [
            name
            for name in names
            if name not in ("written_ns", "seen_ns") and (name != "id" or table in ("scopes", "resources"))
        ]
        found[table] = sorted(connection.execute(f"SELECT {', '.join(named)} FROM {table}"), key=repr)
    connection.close()
    return found


def test_a_store_goes_out_and_comes_in_again_as_it_was(
    store: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.jsonl.gz"
    assert cli.main(["export", "-o", str(file)]) == 0
    assert capsys.readouterr() == ("", f"{file}: 16 records\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli.main(["import", str(file), "--store", str(other)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{file}: {ALL_IMPORTED}\n"
    assert rows(other) == rows(store)
    # Again, and from the store itself: nothing is there twice.
    assert cli.main(["import", str(file), str(store), "--store", str(other)]) == 0
    known = "imported 0 spans, 0 log lines, 0 metric points; 16 were there already"
    assert capsys.readouterr().out == f"{file}: {known}\n{store}: {known}\n"
    assert rows(other) == rows(store)


def test_one_trace_goes_out(store: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    assert cli.main(["export", ONE]) == 0
    written = capsys.readouterr().out
    spans, logs = map(json.loads, written.splitlines())
    assert [len(each["spans"]) for of in spans["resourceSpans"] for each in of["scopeSpans"]] == [3]
    assert logs.keys() == {"resourceLogs"}
    (tmp_path / "one.jsonl").write_text(written)
    assert cli.main(["import", str(tmp_path / "one.jsonl"), "--store", str(other)]) == 0
    with Reader(other) as reader, Reader(store) as of_store:
        assert reader.traces(without_spans=True) == of_store.find(ONE)


def test_what_show_prints_comes_in(
    store: Path, other: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for trace in (ONE, TWO):
        assert cli.main(["show", "--json", trace]) == 0
        texts.append(capsys.readouterr().out)
    piped = io.BufferedReader(io.BytesIO("".join(texts).encode()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
    assert cli.main(["import", "-", "--store", str(other)]) == 0
    assert capsys.readouterr().out == "-: imported 6 spans, 2 log lines, 0 metric points\n"
    with Reader(other) as reader, Reader(store) as of_store:
        assert reader.traces() == of_store.traces(until_ns=making.AT + 61 * 10**9)


def test_an_old_trace_is_said_not_to_stay(
    lines: Path, other: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obs_run.cli.import_files.time.time_ns", lambda: making.AT + 31 * 86400 * 10**9)
    assert cli.main(["import", str(lines), "--store", str(other)]) == 0
    assert capsys.readouterr().err == f"obsctl: {OLD}; a file of its own is kept: --store FILE\n"


@pytest.mark.parametrize(
    "command",
    [["list"], ["list", "--json", "--errors"], ["show", "--last"], ["show", "--json", ONE], ["export", ONE]],
    ids=" ".join,
)
def test_commands_say_the_same_of_every_place(
    store: Path, lines: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for place in (["--store", str(store)], ["--from", str(store)], ["--from", str(lines)]):
        assert cli.main([*command, *place]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        said.append(captured.out)
    assert said[1:] == said[:1] * 2


def test_export_can_be_narrowed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    assert cli.main(["export", "--service", "other", "--since", "2026-09-21T14:14:20+00:00"]) == 0
    assert capsys.readouterr().out.count('"traceId"') == 4 + 1  # spans of both traces, a log line
    assert cli.main(["export", "--service", "none"]) == 1
    assert capsys.readouterr() == ("", f"obsctl: nothing of the local store at {store} fits\n")


DAMAGED = [
    ("not JSON\n", "line 1: not JSON (Expecting value: line 1 column 1 (char 0))"),
    ("[1]\n", "not an object with resourceSpans, resourceLogs or resourceMetrics"),
    ('{"a": 1}\n', "not an object with resourceSpans, resourceLogs or resourceMetrics"),
    ('{"resourceSpans": [{"scopeSp', "line 1: not JSON (Unterminated string starting at: line 1 column 21 (char 20))"),
    ("[" * 100_000, "line 1: not JSON (nested too deep)"),
]


@pytest.mark.parametrize(("text", "reason"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_file_of_no_use_is_one_line(
    tmp_path: Path, other: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    for command in (["import", str(file), "--store", str(other)], ["list", "--from", str(file)]):
        assert cli.main(command) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        assert line.startswith(f"obsctl: {file}")
        assert reason in line


def test_one_bad_line_or_record_costs_itself_alone(
    store: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.exists()
    assert cli.main(["export", ONE, TWO]) == 0
    spans, logs = map(json.loads, capsys.readouterr().out.splitlines())
    groups = spans["resourceSpans"]
    bad = groups[0]["scopeSpans"][0]["spans"]
    bad[0]["traceId"] = "xyz"
    bad[1]["startTimeUnixNano"] = "soon"
    bad[2]["attributes"] = [{"value": {}}]
    logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"] += [None, {"body": {"intValue": "1e400"}}]
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join([json.dumps(logs), "{torn", json.dumps(spans), ""]))
    assert cli.main(["import", str(file), "--store", str(other)]) == 0
    assert capsys.readouterr().out == (
        f"{file}: imported 3 spans, 2 log lines, 0 metric points; 6 damaged records left out\n"
    )
    assert cli.main(["list", "--from", str(file), "--json"]) == 0
    assert capsys.readouterr().err == f"obsctl: 6 damaged values of {file} left out\n"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["list", "--from", "nowhere.json"], "nowhere.json cannot be read: No such file or directory"),
        (["list", "--from", "."], ". cannot be read: Is a directory"),
        (["list", "--from", "ftp://x"], f"'ftp://x' is no place to read from; {ALLOWED}"),
        (["list", "--from", JAEGER], f"the Jaeger at {JAEGER} does not answer: Connection refused"),
        (["import", "nowhere.json"], "nowhere.json cannot be read: No such file or directory"),
        (["list", "--from", "nowhere.db"], f"there is no local store at {{here}}/nowhere.db; {RUN}"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_one_line(
    command: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBS_STORE_FILE", str(tmp_path / "store.db"))
    assert exit_code(command) == 1
    assert capsys.readouterr() == ("", f"obsctl: {line.format(here=tmp_path)}\n")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["replay"], "say where to: --to http://host:4318, or OTEL_EXPORTER_OTLP_ENDPOINT"),
        (["replay", "--to", "udp://x"], "--to 'udp://x' is not like http://host:4318 or https://host:4317"),
        (["replay", "--to", "http://x:port"], "--to 'http://x:port' is not like http://host:4318 or https://host:4317"),
        (["replay", "--to", "http://x", "--header", "a"], "--header takes NAME=VALUE, such as x-tenant=one, in ASCII"),
        (["replay", "xyz", "--to", "http://x"],
         "'xyz' is not a trace id: up to 32 hexadecimal digits; see obsctl list"),
        (["export", ONE, "--errors"], "give trace ids, or --service, --errors, --since, not both"),
        (["export", "abc"], "no trace begins with abc; see obsctl list"),
        (["export", "-o", "no/such/folder.json"], "-o no/such/folder.json: No such file or directory"),
        (["list", "--store", "a", "--from", "b"],
         "argument --from: not allowed with argument --store (see obsctl list --help)"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(store: Path, command: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    assert cli.main(command) == 2
    assert capsys.readouterr() == ("", f"obsctl: {line}\n")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def test_replay_sends_all_of_it(store: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", "--to", receiver.endpoint]) == 0
    assert capsys.readouterr() == ("sent 7 spans, 4 log lines, 5 metric points\n", "")
    with Reader(store) as reader:
        ids = {(span.trace_id, span.span_id) for trace in reader.traces() for span in reader.spans(trace.trace_id)}
    assert {(span.trace_id, span.span_id) for span in receiver.spans} == ids
    tool = next(span for span in receiver.spans if span.name == "execute_tool search")
    assert (tool.attributes["flag"], tool.attributes["stops"], tool.status) == (True, ["end", "max"], 2)
    assert tool.parent_id == f"{1:016x}"
    assert sorted(metric.name for metric in receiver.metrics) == ["calls", "depth", "open", "seconds", "sizes"]
    assert [log.body for log in receiver.logs][-1] == "outside"


def test_replay_of_one_trace_of_a_file(
    lines: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
    assert cli.main(["replay", TWO, "--from", str(lines)]) == 0
    assert capsys.readouterr() == ("sent 3 spans, 1 log line, 0 metric points\n", "")
    assert {span.trace_id for span in receiver.spans} == {TWO}


def test_replay_to_nobody(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    assert cli.main(["replay", "--to", "http://127.0.0.1:1", "--wait", "0"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "sent 0 spans, 0 log lines, 0 metric points\n"
    assert captured.err.startswith("obsctl: stopped: http://127.0.0.1:1/v1/traces is away (ConnectionRefusedError")
    assert len(captured.err.splitlines()) == 1


def test_values_that_the_protocol_cannot_say_are_said_otherwise(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.db"
    odd = {"half": "\ud800", "not a number": float("nan"), "none": None, "deep": {"a": {"b": [b"\x00"]}}}
    StoreSpanExporter(path, 1 << 30).export([making.span("odd \ud800", attributes=odd)])
    assert cli.main(["replay", "--from", str(path), "--to", receiver.endpoint]) == 0
    assert capsys.readouterr().out == "sent 1 span, 0 log lines, 0 metric points\n"
    (span,) = receiver.spans
    assert span.attributes["half"] == "?"
    packed = tmp_path / "odd.jsonl.gz"
    assert cli.main(["export", "--from", str(path), "-o", str(packed)]) == 0
    assert json.loads(gzip.decompress(packed.read_bytes()))
    assert cli.main(["import", str(packed), "--store", str(tmp_path / "again.db")]) == 0
    before, after = rows(path), rows(tmp_path / "again.db")
    assert before == after
