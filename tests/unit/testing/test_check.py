"""``obsctl check``: budgets of a file on recorded runs, exit codes, reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from obs_run import cli, settings
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from obs_run.testing import budgets as budgets_module
from tests.unit.readers.recorded import chat
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1 << 30
NOTHING = "no trace of the local store at {store} fits, so that nothing can be checked"
SHAPE = "run\n  chat gpt-x\n  execute_tool search\n  execute_tool book\n    chat gpt-x"
KEPT: dict[str, Any] = {
    "seconds": 1, "cost": 0.5, "tokens": 20, "input_tokens": {"max": 13}, "output_tokens": {"min": 4, "max": 4},
    "model_calls": {"min": 2}, "tool_calls": 2, "spans": 5, "errors": 1, "unfinished": 0, "tools": ["search", "book"],
    "tools_in_order": ["search", "book"], "tools_forbidden": ["delete"], "models": ["gpt-x", "gpt-y"], "shape": SHAPE,
}  # fmt: skip
BROKEN: dict[str, tuple[Any, str]] = {
    "seconds": (0.05, "seconds: 0.1 s; allowed: at most 0.05 s"),
    "cost": (0.29, "cost: 0.3 USD; allowed: at most 0.29 USD"),
    "tokens": ({"min": 18}, "tokens: 17; allowed: at least 18"),
    "input_tokens": (1, "input_tokens: 13; allowed: at most 1"),
    "output_tokens": ({"min": 1, "max": 3}, "output_tokens: 4; allowed: at least 1 and at most 3"),
    "model_calls": (1, "model_calls: 2; allowed: at most 1"),
    "tool_calls": (1, "tool_calls: 2; allowed: at most 1"),
    "spans": (4, "spans: 5; allowed: at most 4"),
    "errors": (0, "errors: 1: execute_tool book: no\\nroom; allowed: at most 0"),
    "unfinished": ({"min": 1}, "unfinished: 0; allowed: at least 1"),
    "tools": (["search"], "tools: search, book; allowed: search"),
    "tools_in_order": (["book", "search"], "tools_in_order: search, book; allowed: book, search in this order"),
    "tools_forbidden": (["book", "x"], "tools_forbidden: book; allowed: none of book, x"),
    "models": (["gpt-y"], "models: gpt-x; allowed: only gpt-y"),
    "times_baseline": (2, "times_baseline: no baseline; record one; allowed: at most 2 times as long as before"),
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))

    def tool(name: str) -> dict[str, str]:
        return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}

    StoreSpanExporter(path, MANY).export([
        making.span("run", 0, 100, trace=1),
        making.span("chat gpt-x", 10, 20, trace=1, id=2, parent=1, attributes=chat("gpt-x", 12, 0.2)),
        making.span("execute_tool search", 40, 5, trace=1, id=3, parent=1, attributes=tool("search")),
        making.span("execute_tool book", 50, 40, trace=1, id=4, parent=1, attributes=tool("book"), error="no\nroom"),
        making.span("chat gpt-x", 60, 20, trace=1, id=5, parent=4, attributes=chat("gpt-x", 1, 0.1)),
    ])  # fmt: skip
    StoreLogExporter(path, MANY).export([making.log("fine", 15)])
    return path


def write(path: Path, budgets: object) -> str:
    path.write_text(json.dumps(budgets))
    return str(path)


def test_every_budget_has_a_test() -> None:
    assert KEPT.keys() == budgets_module.BUDGETS.keys()
    assert BROKEN.keys() | {"shape"} == {*KEPT, "times_baseline"}


def test_budgets_that_are_kept(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    assert cli.main(["check", write(tmp_path / "budgets.json", KEPT)]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "obsctl: 15 of 15 budgets kept in 1 run"
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == ["ok"] * 15


@pytest.mark.parametrize("budget", BROKEN)
def test_a_budget_that_is_broken(store: Path, tmp_path: Path, budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    limit, line = BROKEN[budget]
    file = write(tmp_path / "budgets.json", {budget: limit, "spans": 9} if budget != "spans" else {budget: limit})
    assert cli.main(["check", file, f"{1:032x}", "--from", str(store)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "run (000000000000)"
    assert shown[1] == f"  FAIL  {line}"


def test_a_shape_that_changed_is_shown_as_a_diff(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text("shape: |\n  run\n    chat gpt-x\n    execute_tool search\n")
    assert cli.main(["check", str(file), "--store", str(store)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "  FAIL  shape: "
    assert shown[-2:] == ["        +  execute_tool book", "        +    chat gpt-x"]


def test_a_call_without_a_price_breaks_the_budget_of_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "unpriced.db"
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "mine"}
    failed = making.span("chat mine", 50, attributes=call, id=2, error="refused")  # which costs nothing
    StoreSpanExporter(path, MANY).export([making.span("chat mine", attributes=call), failed])
    assert cli.main(["check", write(tmp_path / "b.json", {"cost": 1}), "--from", str(path)]) == 1
    assert "cost: 0 USD, without the unknown cost of 1 of mine; allowed: at most 1 USD" in capsys.readouterr().out
    assert (
        cli.main(["check", write(tmp_path / "b.json", {"cost": {"max": 1, "unpriced": 1}}), "--from", str(path)]) == 0
    )


def test_a_baseline_is_recorded_and_held_against(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.exists()
    known = tmp_path / "baseline.json"
    file = write(tmp_path / "b.json", {"times_baseline": 1.5, "spans": 9})
    assert cli.main(["check", file, "--baseline", str(known), "--record"]) == 0
    assert json.loads(known.read_text()) == {"run": [0.1]}
    assert cli.main(["check", file, "--baseline", str(known)]) == 0
    known.write_text(json.dumps({"run": [0.05, 9, 0.05]}))
    assert cli.main(["check", file, "--baseline", str(known)]) == 1
    assert "times_baseline: 0.1 s; allowed: at most 1.5 times 0.05 s" in capsys.readouterr().out


def test_reports(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.exists()
    junit, markdown = tmp_path / "junit.xml", tmp_path / "report.md"
    file = write(tmp_path / "b.json", {"errors": 0, "tools_forbidden": ["a|b<c>"], "spans": 5})
    assert cli.main(["check", file, "--junit", str(junit), "--markdown", str(markdown)]) == 1
    assert capsys.readouterr().err.endswith("obsctl: 2 of 3 budgets kept in 1 run\n")
    (suite,) = ET.parse(junit).getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3", "failures": "1", "errors": "0",
    }  # fmt: skip
    assert [(case.get("name"), len(case)) for case in suite] == [("errors", 1), ("tools_forbidden", 0), ("spans", 0)]
    assert suite[0][0].get("message") == "allowed: at most 0; found: 1: execute_tool book: no; room"
    assert markdown.read_text() == (
        "### run (000000000000): 1 broken\n\n| | budget | allowed | found |\n| --- | --- | --- | --- |\n"
        "| ❌ | errors | at most 0 | 1: execute_tool book: no<br>room |\n"
        "| ✅ | tools_forbidden | none of a\\|b&lt;c> | none |\n| ✅ | spans | at most 5 | 5 |\n"
    )


@pytest.mark.parametrize(
    ("budgets", "words", "line"),
    [
        ({"cots": 1}, [], "{file}: no budget 'cots'; did you mean 'cost'?"),
        ({"cost": "much"}, [], "{file}: cost: 'much' is not allowed; allowed: a number, or min and max"),
        ({"cost": {"most": 1}}, [], "{file}: cost: {{'most': 1}} is not allowed; allowed: a number, or min and max"),
        ({"cost": -1}, [], "{file}: cost: -1 is not allowed; allowed: a number, or min and max"),
        ({"tools": "search"}, [], "{file}: tools: 'search' is not allowed; allowed: a list of names"),
        ({"shape": ["a"]}, [], "{file}: shape: ['a'] is not allowed; allowed: names of spans, one a line, indented"),
        ({"times_baseline": "x"}, [], "{file}: times_baseline: 'x' is not allowed; allowed: a number"),
        ({}, [], "{file}: has no budgets; such as `cost: 0.05`"),
        ([1], [], "{file}: has no budgets; such as `cost: 0.05`"),
        ({"cost": 1}, ["abc"], "no trace begins with abc; see obsctl list"),
        (
            {"cost": 1},
            ["--service", "x"],
            "no trace of the local store at {store} fits, so that nothing can be checked",
        ),
        ({"cost": 1}, ["--record"], "--record needs --baseline FILE, where to write it down"),
        ({"cost": 1}, ["--baseline", "{file}"], "{file} holds no baselines"),
        ({"cost": 1}, ["--junit", "no/such/file"], "no/such/file cannot be written: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line(
    store: Path, tmp_path: Path, budgets: object, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "b.json", budgets)
    assert cli.main(["check", file, *(word.format(file=file) for word in words)]) == 2
    assert capsys.readouterr().err == f"obsctl: {line.format(file=file, store=store)}\n"


def test_a_file_or_a_store_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err == f"obsctl: {tmp_path}/none.yaml: cannot be read: No such file or directory\n"
    file = write(tmp_path / "b.json", {"cost": 1})
    with pytest.raises(SystemExit) as left:
        cli.main(["check", file, "--from", str(tmp_path / "none.json")])
    assert left.value.code == 2
