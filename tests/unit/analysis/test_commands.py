"""The commands of obsctl on a store that agents recorded: what they print for people, and for programs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from obs_run import cli
from obs_run.cli import selection
from obs_run.store.reader import Reader
from tests.unit.analysis.conftest import run_agent

if TYPE_CHECKING:
    from pathlib import Path

TOOK = r"\d[\d.]*(?:ms|s)"


@pytest.fixture
def ids(recorded: Path) -> list[str]:
    """Return the ids of the three traces, the oldest first."""
    with Reader(recorded) as reader:
        return [trace.trace_id for trace in reversed(reader.traces())]


class Printed:
    """Runs a command and gives what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self, *words: str, code: int = 0) -> list[str]:
        """Return the lines, durations as ``T``."""
        assert cli.main(words) == code
        shown = self._capsys.readouterr()
        assert shown.err == ""
        return [re.sub(rf"\b{TOOK}", "T", line) for line in shown.out.splitlines()]

    def objects(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Return what was printed as JSON."""
        assert cli.main([*words, "--json"]) == code
        shown = self._capsys.readouterr()
        assert shown.err == ""
        return [json.loads(line) for line in shown.out.splitlines()]

    def refusal(self, *words: str) -> tuple[int, str]:
        """Return exit code and the one line of stderr; nothing was printed."""
        code = cli.main(words)
        shown = self._capsys.readouterr()
        assert shown.out == ""
        [line] = shown.err.splitlines()
        return code, line


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], recorded: Path) -> Printed:
    del recorded
    return Printed(capsys)


def cells(lines: list[str]) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in lines]


def test_tree(printed: Printed, ids: list[str]) -> None:
    rows = cells(printed.lines("tree", ids[0]))
    assert rows[0] == ["TOOK", "SELF", "ON PATH", "COST", "IN", "OUT", "SPAN"]
    assert [row[-1] for row in rows[1:-2]] == [
        "planner_agent",
        "invoke_agent planner",
        "chat gpt-5-mini",
        *["execute_tool weather"] * 3,
        "execute_tool hotel ERROR",
        "GET /rooms ERROR",
        "invoke_agent helper",
        "chat gpt-5-mini",
        "chat gpt-5-mini",
    ]
    assert rows[1][3:6] == ["$0.0014", "3000", "300"]
    # What agents repeat of their model calls does not count twice.
    assert rows[2][3:6] == ["$0.0014", "3000", "300"]
    assert rows[-2:] == [
        ["execute_tool weather: 3 times with the same arguments"],
        ["invoke_agent planner: a loop of tools: weather"],
    ]


def test_tree_merged_and_cut(printed: Printed, ids: list[str]) -> None:
    names = [row[-1] for row in cells(printed.lines("tree", ids[0], "--merge", "--depth", "3"))[1:-2]]
    assert names == [
        "planner_agent",
        "invoke_agent planner",
        "chat gpt-5-mini x2",
        "execute_tool weather x3",
        "execute_tool hotel ERROR",
        "invoke_agent helper",
    ]
    root, *_ = printed.objects("tree", ids[0])
    assert (root["name"], root["input_tokens"], root["critical_ns"] > 0) == ("planner_agent", 3000, True)


def test_path(printed: Printed, ids: list[str]) -> None:
    head, *lines, waited = printed.lines("path", ids[0])
    assert head == f"trace {ids[0]}  trips  T"
    rows = cells(lines)
    assert rows[0] == ["AT", "TOOK", "SHARE", "SPAN"]
    assert rows[1][-1] == rows[-1][-1] == "planner_agent"
    assert {row[-1] for row in rows[1:]} >= {"chat gpt-5-mini", "execute_tool weather", "GET /rooms"}
    assert re.match(r"waited for models T \(\d+%\), calls of others T \(\d+%\), tools T \(\d+%\), own work", waited)
    sections = printed.objects("path", ids[0])
    assert all(one["end_ns"] == two["start_ns"] for one, two in pairwise(sections))


def test_path_of_many_traces(printed: Printed) -> None:
    *lines, foot = printed.lines("path", "--total")
    assert cells(lines)[1][-1] == "planner_agent"
    assert re.match(r"critical paths of 3 traces, T together", foot)
    assert {one["name"]: one["calls"] for one in printed.objects("path", "--total")}["chat gpt-5-mini"] == 6


def test_the_newest_trace_that_fits_is_the_one_of_path(printed: Printed, ids: list[str]) -> None:
    assert printed.objects("path")[0]["trace_id"] == ids[2]
    assert printed.objects("path", "--model", "gpt-5")[0]["trace_id"] == ids[1]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("model", {"gpt-5": 3, "gpt-5-mini": 6}),
        ("agent", {"planner": 6, "helper": 3}),
        ("tool", {None: 9}),
        ("service", {"trips": 9}),
        ("conversation", {"trip-1": 9}),
        ("operation", {"chat": 9}),
    ],
)
def test_cost_by(printed: Printed, by: str, expected: dict[str | None, int]) -> None:
    assert {one[by]: one["calls"] for one in printed.objects("cost", "--by", by)} == expected


def test_cost(printed: Printed) -> None:
    rows = cells(printed.lines("cost"))
    assert rows[0] == ["COST", "SHARE", "IN", "OUT", "CALLS", "FAILED", "MODEL"]
    assert rows[1][2:] == ["3000", "300", "3", "-", "gpt-5"]
    assert rows[3][1:] == ["100%", "9000", "900", "9", "-", "all of 3 traces"]


def test_cost_of_an_agent_is_its_own(printed: Printed) -> None:
    assert [one["calls"] for one in printed.objects("cost", "--agent", "helper")] == [1, 2]


def test_cost_along_the_tree(printed: Printed, ids: list[str]) -> None:
    objects = printed.objects("cost", ids[0], "--by", "subtree")
    assert [one["name"] for one in objects].count("chat gpt-5-mini") == 3
    assert objects[0]["cost"] == pytest.approx(sum(one["cost"] for one in objects if one["name"].startswith("chat")))
    with_trace = printed.objects("cost", "--by", "trace")
    assert sorted(one["trace"] for one in with_trace) == sorted(ids)
    assert next(one["cost"] for one in with_trace if one["trace"] == ids[0]) == pytest.approx(objects[0]["cost"])


def test_errors_in_groups(printed: Printed, ids: list[str]) -> None:
    *lines, foot = printed.lines("errors")
    rows = cells(lines)
    assert rows[0] == ["N", "ROOT", "LAST", "TRACE", "SPAN", "ERROR"]
    assert rows[1][:2] == ["3", "-"]
    assert rows[1][3:] == [ids[2][:12], "GET /rooms", "ConnectionError: no room in Kyoto"]
    assert rows[2][:2] == ["1", "1"]
    assert rows[2][3:] == [ids[2][:12], "planner_agent", "RuntimeError: the train is late"]
    assert foot.startswith("ROOT: ")


def test_errors_of_a_trace_tell_the_way(printed: Printed, ids: list[str]) -> None:
    lines = [re.sub(r"span \w+|\+T", "-", line) for line in printed.lines("errors", ids[0])]
    assert lines == [
        "-  ERROR ConnectionError: no room in Lisbon",
        "  in GET /rooms  [trips]  -",
        "  in execute_tool hotel  [trips]  -",
        "  not in invoke_agent planner, which went on",
    ]
    failed = printed.objects("errors", ids[2])
    assert [(one["type"], one["reached_root"]) for one in failed] == [
        ("RuntimeError", True),
        ("ConnectionError", False),
    ]


def test_errors_that_were_only_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_agent(tmp_path / "store.db", "Lisbon", DOUBT="no ticket") == 0
    code, line = Printed(capsys).refusal("errors", "--store", str(tmp_path / "store.db"))
    assert (code, line) == (1, "obsctl: no span failed in 1 trace; 1 error logged: obsctl logs --level error")


def test_map(printed: Printed) -> None:
    *lines, foot = printed.lines("map")
    assert re.match(r"3 traces in T", foot)
    rows = cells(lines)
    assert rows[0] == ["CALLER", "CALLS", "N", "/MIN", "ERRORS", "P50", "P95", "COST"]
    assert {tuple(row[:3]) for row in rows[1:]} == {
        ("trips", "agent planner", "3"),
        ("agent planner", "tool weather", "9"),
        ("agent planner", "tool hotel", "3"),
        ("agent planner", "agent helper", "3"),
        ("agent planner", "model gpt-5-mini", "4"),
        ("agent planner", "model gpt-5", "2"),
        ("agent helper", "model gpt-5-mini", "2"),
        ("agent helper", "model gpt-5", "1"),
        ("tool hotel", "peer rooms.example", "3"),
    }
    assert [row[4] for row in rows if row[1] == "tool hotel"] == ["3 100%"]
    edge = next(one for one in printed.objects("map") if one["callee"]["name"] == "gpt-5")
    assert (edge["caller"], edge["input_tokens"]) == ({"kind": "agent", "name": "planner"}, 2000)


def test_top(printed: Printed) -> None:
    rows = cells(printed.lines("top", "--since", "1d", "--by", "agent"))
    assert rows[0] == ["CALLS", "/MIN", "OPEN", "ERRORS", "SELF", "P50", "P95", "COST", "AGENT"]
    assert sorted((row[0], row[-1]) for row in rows[1:]) == [("3", "helper"), ("3", "planner")]
    # Each agent's own, not what those that it asked spent.
    costs = {one["name"]: one["cost"] for one in printed.objects("top", "--since", "1d", "--by", "agent")}
    assert costs["planner"] == pytest.approx(2 * costs["helper"])
    names = [one["name"] for one in printed.objects("top", "--since", "1d", "--by", "tool", "--sort", "errors")]
    assert names == ["hotel", "weather"]


def test_compare_two_traces(printed: Printed, ids: list[str]) -> None:
    lines = printed.lines("compare", ids[1], ids[0])
    assert lines[0].startswith(f"before  {ids[1][:12]}")
    assert lines[1].startswith(f"now     {ids[0][:12]}")
    changed = printed.objects("compare", ids[1], ids[0], "--changed")
    told = {(one["name"], change) for one in changed for change in one["changes"]}
    assert ("chat gpt-5-mini", "model gpt-5 -> gpt-5-mini") in told
    assert ("chat gpt-5-mini", "other input messages") in told
    assert printed.objects("compare", ids[0], ids[2], "--changed")[0]["changes"] == ["fails now"]
    assert printed.lines("compare", ids[0], ids[0], "--changed")[2:] == ["the same spans with the same results"]
    messages = printed.lines("compare", ids[0], ids[1], "--messages")
    assert any("-" in line and "a day in Lisbon" in line for line in messages)


def test_compare_takes_the_newest_two(printed: Printed, ids: list[str]) -> None:
    assert printed.lines("compare") == printed.lines("compare", ids[1], ids[2])
    assert printed.lines("compare", ids[0]) == printed.lines("compare", ids[0], ids[2])
    assert printed.lines("compare", "--model", "gpt-5-mini") == printed.lines("compare", ids[0], ids[2])


def test_compare_has_an_exit_code(printed: Printed, ids: list[str]) -> None:
    printed.lines("compare", ids[0], ids[0], "--exit-code")
    printed.lines("compare", ids[0], ids[2], "--exit-code", code=1)


def test_compare_with_what_was_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import datetime, timezone

    printed, store = Printed(capsys), tmp_path / "store.db"
    assert run_agent(store, "Lisbon", RUNS="9") == 0
    moment = datetime.now(timezone.utc).isoformat()
    assert run_agent(store, "Lisbon", RUNS="9", PACE="0.1") == 0
    words = ("compare", "--store", str(store), "--since", moment)
    found = {one["operation"]: one for one in printed.objects(*words)}
    assert found["chat"]["verdict"] == "slower"
    assert found["chat"]["duration_test"]["p"] < 0.001
    assert found["chat"]["duration_test"]["effect"] > 0.9
    assert "Mann-Whitney U" in found["chat"]["test"]
    rows = printed.lines(*words, "--exit-code", code=1)
    assert "1 trace with 1 trace" in rows[-2]
    assert "Mann-Whitney U" in rows[-1]


def test_conversations(printed: Printed, ids: list[str]) -> None:
    rows = cells(printed.lines("conversation"))
    assert rows[0] == ["STARTED", "TOOK", "TURNS", "IN", "OUT", "COST", "CONVERSATION"]
    assert (rows[1][2:5], rows[1][-1]) == (["3", "9000", "900"], "trip-1")
    head, *lines = printed.lines("conversation", "trip")
    assert head.startswith("conversation trip-1  3 turns in 3 traces  in=9000 out=900 cost=$")
    assert [line for line in lines if line.startswith("  user: ")] == [
        "  user: Lisbon",
        "  user: Oslo",
        "  user: Kyoto",
    ]
    assert "  tools: weather, weather, weather, hotel" in lines
    assert "  planner: walk through Kyoto" in lines
    assert [one["trace_id"] for one in printed.objects("conversation", "trip-1")] == ids


def test_logs(printed: Printed, ids: list[str]) -> None:
    lines = printed.lines("logs", "--level", "warn", "--text", "No Hotel")
    assert [line.split("  ", 1)[1] for line in lines] == [
        f"WARN  {trace[:12]}  planner: no hotel: no room in {city}"
        for trace, city in zip(ids, ("Lisbon", "Oslo", "Kyoto"), strict=True)
    ]
    [line] = printed.objects("logs", ids[0], "--text", "no hotel")
    assert (line["logger"], line["severity"], line["trace_id"]) == ("planner", 13, ids[0])


def test_metrics(printed: Printed) -> None:
    rows = cells(printed.lines("metrics", "--text", "agent.tokens"))
    assert rows[0] == ["METRIC", "KIND", "UNIT", "SERIES", "LAST"]
    name = "gen_ai.execute_tool.duration"
    series = printed.objects("metrics", name)
    assert {one["attributes"]["gen_ai.tool.name"]: one["count"] for one in series} == {"weather": 9, "hotel": 3}
    rows = cells(printed.lines("metrics", name, "--attribute", "gen_ai.tool.name=weather"))
    assert rows[0] == ["VALUE", "N", "MEAN", "P50", "P95", "ATTRIBUTES"]
    assert rows[1][1] == "9"


def test_sql(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "SELECT model, count(*) AS calls FROM spans WHERE model IS NOT NULL GROUP BY 1 ORDER BY 2"
    assert cells(printed.lines("sql", query)) == [["model", "calls"], ["gpt-5", "3"], ["gpt-5-mini", "6"]]
    assert printed.objects("sql", query)[0] == {"model": "gpt-5", "calls": 3}
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 1 AS a, 2 AS a, NULL AS b"))
    assert printed.objects("sql", "-") == [{"a": 1, "a_2": 2, "b": None}]
    assert ["spans", "trace_id", "TEXT"] in cells(printed.lines("sql"))
    assert ["1", "trace_id", "TEXT"] in [row[:3] for row in cells(printed.lines("sql", "PRAGMA table_info(spans)"))]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM spans",
        "UPDATE spans SET name = ''",
        "DROP TABLE spans",
        "CREATE TABLE mine (a)",
        "ATTACH DATABASE 'mine.db' AS mine",
        "VACUUM INTO 'mine.db'",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = DELETE",
        "BEGIN",
        "SELECT load_extension('mine')",
        "SELECT writefile('mine', 'x')",
        "SELECT 1; DELETE FROM spans",
        "nonsense",
        " ",
    ],
)
def test_sql_only_reads(
    printed: Printed, recorded: Path, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = recorded.read_bytes()
    code, line = printed.refusal("sql", query)
    assert code == 2
    assert line.startswith("obsctl: ")
    assert list(tmp_path.iterdir()) == []
    assert recorded.read_bytes() == before


NOTHING = {
    "tree": "no trace of",
    "path": "no trace of",
    "map": "no trace of",
    "cost": "no trace of",
    "errors": "no trace of",
    "top": "no trace of",
    "conversation": "no conversation in 0 traces",
    "logs": "no log line of",
    "metrics": "no metric of",
}


@pytest.mark.parametrize("command", NOTHING)
def test_nothing_is_one_line_and_exit_code_1(printed: Printed, command: str) -> None:
    code, line = printed.refusal(command, "--service", "nobody")
    assert code == 1
    assert line.startswith(f"obsctl: {NOTHING[command]}")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["path", "xyz"], 2, "'xyz' is not a trace id: up to 32 hexadecimal digits; see obsctl list"),
        (["path", "ffffffffffff"], 2, "no trace begins with ffffffffffff; see obsctl list"),
        (["cost", "-n", "0"], 2, "-n takes a number from 1"),
        (["cost", "--by", "nothing"], 2, "argument --by: invalid choice: 'nothing'"),
        (["map", "--attribute", "a"], 2, "--attribute 'a' has no value; write --attribute NAME=VALUE"),
        (["errors", "--since", "soon"], 2, "--since 'soon' is neither like"),
        (["tree", "--depth", "0"], 2, "--depth takes a number from 1"),
        (["top", "--interval", "0"], 2, "--interval takes a number of seconds from 0.1"),
        (["compare", "--text", "walk through Oslo"], 1, "the local store at"),
        (["compare", "a", "b", "c"], 2, "compare takes two traces; see obsctl list"),
        (["compare", "--against", "1d"], 2, "--against needs --since, from when on it is compared"),
        (["compare", "--since", "2d", "--against", "1d"], 2, "--against is not before --since"),
        (["compare", "--since", "2001-01-01", "--against", "2000-01-01"], 1, "no trace of"),
        (["conversation", "nobody"], 1, "no conversation of"),
        (["metrics", "gen_ai.execute_tool.durations"], 1, "no metric gen_ai.execute_tool.durations in"),
        (["logs", "-n", "0"], 2, "-n takes a number from 1"),
        (["sql", "SELECT 1 WHERE 0"], 1, "the query has no rows"),
        (["sql", "--from", "nowhere.jsonl", "SELECT 1"], 2, "sql reads a local store alone"),
        (["cost", "--text", "no such text"], 1, "no trace of"),
        (["cost", "--store", "nowhere.db"], 1, "there is no local store at nowhere.db"),
    ],
)
def test_a_mistake_is_one_line(printed: Printed, words: list[str], code: int, told: str) -> None:
    found, line = printed.refusal(*words)
    assert found == code
    assert line.startswith(f"obsctl: {told}")


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(
    "command", ["tree", "path", "path --total", "cost", "errors", "map", "top --since 1d", "compare"]
)
def test_tables_fit_the_terminal(printed: Printed, command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [line for line in printed.lines(*command.split()) if re.search(r"\S {2,}\S", line)]
    rows = [line for line in rows if not line.startswith(("trace ", "before ", "now "))]
    assert rows
    assert max(map(len, rows)) <= width


def test_what_is_left_out_of_a_sum_is_said(
    printed: Printed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = selection.arguments
    monkeypatch.setattr(selection, "arguments", lambda parser, _: usual(parser, 2))
    assert cli.main(["cost", "--by", "trace", "--json"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert shown.err == "obsctl: these are the newest 2 traces; -n takes more, --since and others choose\n"
    assert len(printed.objects("cost", "--by", "trace", "-n", "2")) == 2
    assert len(printed.objects("cost", "--by", "trace", "-n", "3")) == 3


@pytest.mark.parametrize(
    ("filters", "cities"),
    [
        (["--agent", "helper"], 3),
        (["--model", "gpt-5"], 1),
        (["--tool", "hotel", "--model", "gpt-5-mini"], 2),
        (["--status", "ok"], 0),
        (["--attribute", "gen_ai.tool.name=weather"], 3),
        (["--text", "walk through OSLO"], 1),
        (["--until", "1d"], 0),
        (["-n", "2"], 2),
    ],
)
def test_traces_are_chosen_by(printed: Printed, filters: list[str], cities: int) -> None:
    if cities:
        assert len(printed.objects("cost", "--by", "trace", *filters)) == cities
    else:
        assert printed.refusal("cost", "--by", "trace", *filters)[0] == 1


def test_top_is_renewed_in_a_terminal(recorded: Path) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "OBS_STORE_FILE": str(recorded)}
    words = [sys.executable, "-m", "obs_run.cli", "top", "--since", "1d", "--by", "agent", "--interval", "0.1"]
    running = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environ)
    os.close(slave)
    shown = b""
    while shown.count(b"planner") < 3:
        shown += os.read(master, 65536)
    running.send_signal(signal.SIGINT)
    # What is still written has to be read, or the process waits.
    with contextlib.suppress(OSError):
        while os.read(master, 65536):
            pass
    assert running.wait() == 0
    os.close(master)
    assert b"Ctrl-C ends it" in shown
    assert b"Traceback" not in shown
