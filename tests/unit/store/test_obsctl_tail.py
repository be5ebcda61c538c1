"""``obsctl tail`` prints what comes in, and ``obsctl delete`` has it leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from obs_run import cli
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from obs_run.store.reader import Reader
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 1 << 30


class Tail:
    """The command, running."""

    def __init__(self, store: Path, *options: str) -> None:
        command = [sys.executable, "-m", "obs_run.cli", "tail", "--store", str(store), *options]
        environ = {**os.environ, "TZ": "UTC"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, start_new_session=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@pytest.fixture
def tails() -> Iterator[list[Tail]]:
    started: list[Tail] = []
    yield started
    for tail in started:
        if tail.process.poll() is None:
            tail.process.kill()
            tail.process.communicate()


def test_spans_and_log_lines_come_as_they_are_recorded(store: Path, tails: list[Tail]) -> None:
    spans, logs = StoreSpanExporter(store, MANY), StoreLogExporter(store, MANY)
    spans.export([making.span(f"before {n}", n, 1, trace=n + 1) for n in range(5)])
    tail = Tail(store, "-n", "2")
    tails.append(tail)
    assert [tail.line(), tail.line()] == [
        "14:13:20.004  agent  before 3  1.0ms",
        "14:13:20.005  agent  before 4  1.0ms",
    ]
    logs.export([making.log("going on", 100, trace=9)])
    assert tail.line() == "14:13:20.100  agent  INFO  agent.tools: going on"
    spans.export([making.span("after", 200, 50, trace=9, error="ValueError: no")])
    assert tail.line() == "14:13:20.250  agent  after  50ms  ERROR ValueError: no"
    assert tail.end() == (130, "")


def test_one_may_wait_for_the_first_agent_and_choose_errors_of_a_service(store: Path, tails: list[Tail]) -> None:
    tail = Tail(store, "--json", "--errors", "--service", "agent")
    tails.append(tail)
    assert tail.process.stderr is not None
    assert tail.process.stderr.readline() == f"obsctl: there is no local store at {store} yet; waiting for an agent\n"
    StoreSpanExporter(store, MANY).export([making.span("fine"), making.span("wrong", id=2, error="no")])
    (scope,) = json.loads(tail.line())["resourceSpans"][0]["scopeSpans"]
    assert [span["name"] for span in scope["spans"]] == ["wrong"]
    assert tail.end() == (130, "")


@pytest.fixture
def recorded(store: Path) -> Path:
    StoreSpanExporter(store, MANY).export([making.span(f"run {n}", n * 60_000, 1, trace=n << 96) for n in range(1, 5)])
    StoreLogExporter(store, MANY).export([making.log("secret words", 60_000, trace=1 << 96)])
    return store


def names(store: Path) -> list[str | None]:
    with Reader(store) as reader:
        return [trace.name for trace in reader.traces()]


def test_traces_are_deleted_when_it_is_confirmed(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["delete", "00000001", "00000003…", "--store", str(recorded)]
    assert cli.main(words) == 0
    assert capsys.readouterr() == ("2 traces would be deleted; with --yes they are\n", "")
    assert names(recorded) == ["run 4", "run 3", "run 2", "run 1"]
    assert cli.main([*words, "--yes"]) == 0
    assert capsys.readouterr() == ("2 traces deleted\n", "")
    assert names(recorded) == ["run 4", "run 2"]
    with Reader(recorded) as reader:
        assert reader.logs(f"{1 << 96:032x}") == []
    assert not any(b"secret words" in file.read_bytes() for file in recorded.parent.glob(f"{recorded.name}*"))


def test_all_that_is_older_is_deleted(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = "2026-09-21T14:16:00+00:00"
    assert cli.main(["delete", "--before", before, "--store", str(recorded), "--yes"]) == 0
    assert names(recorded) == ["run 4", "run 3"]
    capsys.readouterr()
    assert cli.main(["delete", "--before", before, "--store", str(recorded)]) == 1
    assert capsys.readouterr() == ("", "obsctl: no trace of the local store fits\n")


def test_what_goes_on_comes_once_and_again_when_it_has_ended(store: Path, tails: list[Tail]) -> None:
    spans = StoreSpanExporter(store, MANY)
    spans.export([making.span("before")])
    tail = Tail(store, "-n", "1")
    tails.append(tail)
    assert "before" in tail.line()
    for took in (10, 20, 30):
        spans.export([making.span("lasts", 0, took, trace=2, attributes={"obs.span.open": True})])
    assert "lasts" in tail.line()
    spans.export([making.span("lasts", 0, 40, trace=2)])
    ended = tail.line()
    assert "lasts" in ended
    assert "UNFINISHED" not in ended
    assert "40ms" in ended
