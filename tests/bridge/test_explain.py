"""``obsctl bridge explain``: an agent run into a local store, and what is said of its lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from obs_run import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.agents import Run

RULES = r"""
rules:
  task:
    match: {logger: goals, pattern: 'Executing task (?P<id>\w+): (?P<what>.*)'}
    become: start
    name: '{what}'
    key: id
  done: {match: {logger: goals, pattern: 'Task (?P<id>\w+) completed'}, become: end, of: task}
  failed: {match: {level: error, pattern: 'Task (?P<id>\w+) failed: (?P<reason>.*)'}, become: failure, of: task}
  load: {match: {pattern: 'Loaded (?P<model>\w+) in (?P<duration>.*)'}, become: span, name: 'load {model}'}
  hit: {match: {contains: Cache hit}, become: event}
  quiet: {match: {contains: heartbeat}, become: nothing}
  step: {match: {contains: Step begins}, become: start}
"""
AGENT = """\
import obs_run.auto
import logging
log = logging.getLogger("goals")
logging.basicConfig(level=logging.INFO)
def step():
    log.info("Step begins")
def execute(number, what):
    log.info(f"Executing task {number}: {what}")
    if what == "rest":
        log.error(f"Task {number} failed: no bed")
        return
    step()
    log.info("Loaded whisper in 0.25 seconds")
    for _ in range(3):
        log.info("Cache hit")
    log.info("heartbeat")
    log.info(f"Task {number} completed")
execute("T1", "listen")
execute("T2", "rest")
log.info("Task T9 completed")
log.info("Collecting garbage")
logging.getLogger("other").info("Executing task T3: x")
"""
SAID = """\
load whisper  by rule load
  told by   agent.py:14  Loaded whisper in 0.25 seconds
listen  by rule task
  begun by  agent.py:9  Executing task T1: listen
  ended by  agent.py:18  Task T1 completed  by rule done
step  by rule step
  begun by  agent.py:7  Step begins
  ended     its function was left, and no line had told its end (obs.bridge.end is return)
rest  by rule task  ERROR Task T2 failed: no bed
  begun by  agent.py:9  Executing task T2: rest
  ended by  agent.py:11  Task T2 failed: no bed  by rule failed
lines that became no span:
  agent.py:16  Cache hit  (3 times)
    rule hit made an event of it
  agent.py:17  heartbeat
    rule quiet made nothing of it
  agent.py:21  Task T9 completed
    rule done made an event of it: no span of task was open that it could be about
  agent.py:22  Collecting garbage
    no rule is for it; the automatic part is off (OBS_BRIDGE)
  agent.py:23  Executing task T3: x
    rule task is for its text, and for logger goals only, which is other; the automatic part is off (OBS_BRIDGE)
"""
AUTOMATIC = """\
Executing task  by the automatic part (evidence: nouns)
  begun by  agent.py:9  Executing task T1: listen  (its words say that it begins)
  ended by  agent.py:18  Task T1 completed  (its words say that it is over)
"""


@pytest.fixture
def explained(
    agent: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    def run(**settings: str) -> str:
        """Run the agent into a store, and return what is said of its trace, without durations and places of rules."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
        exporters = {f"OTEL_{each}_EXPORTER": "store" for each in ("TRACES", "LOGS", "METRICS")}
        ran = agent(AGENT, start=False, OBS_STORE_FILE="store.db", OBS_RUN_SPAN="true", **exporters, **settings)
        assert ran.code == 0, ran.err
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        assert cli.main(["list", "--store", "store.db", "--json"]) == 0
        prefix = json.loads(capsys.readouterr().out.splitlines()[0])["trace_id"][:9]
        assert cli.main(["bridge", "explain", prefix, "--store", "store.db"]) == 0
        head, said = capsys.readouterr().out.split("\n", 1)
        assert head.startswith(f"trace {prefix}")
        return re.sub(r"  [\d.]+m?s(?=  by)", "", re.sub(r" \(rules\.yaml:\d+\)", "", said))

    return run


def test_each_line_of_a_trace_is_explained(explained: Callable[..., str]) -> None:
    assert explained(OBS_BRIDGE="rules", OBS_BRIDGE_RULES="rules.yaml") == SAID


def test_the_automatic_part_says_what_its_words_told(explained: Callable[..., str]) -> None:
    said = explained(OBS_BRIDGE="automatic")
    assert said.startswith(AUTOMATIC)
    assert "agent.py:17  heartbeat\n    no rule is for it; its words tell of no beginning, end or failure\n" in said
    assert "agent.py:22  Collecting garbage\n    no rule is for it; its words say that it begins" in said


def test_pairs_that_are_not_sure_are_said_to_be_left_out(explained: Callable[..., str]) -> None:
    said = explained(OBS_BRIDGE="safe")
    assert re.search(
        r"agent\.py:22  Collecting garbage\n    no rule is for it; its words say that it begins .*"
        r"; pairs that are not sure are left out \(OBS_BRIDGE is safe\)\n",
        said,
    )


def test_a_trace_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bridge", "explain", "--store", str(tmp_path / "none.db")]) == 1
    assert "there is no local store" in capsys.readouterr().err
    assert cli.main(["bridge", "explain", "xyz", "--store", str(tmp_path / "none.db")]) == 2
    assert "'xyz' is not a trace id" in capsys.readouterr().err
