"""An agent under rules prints and ends as it does without us while one function after the other raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bridge.functions_of_bridge import functions
from tests.unit import agents

if TYPE_CHECKING:
    from pathlib import Path

MODULES = (
    "durations", "line_reader", "pattern_check", "rule_bridge", "rule_engine", "rule_file", "rule_index",
    "rule_scopes", "rule_sources", "rule_spans", "rules", "spans", "start", "traces",
)  # fmt: skip
RULES = r"""
rules:
  task: {match: {logger: 'g*', pattern: 'Executing task (?P<n>\w+)'}, become: start, name: '{n}', key: n, timeout: 10ms}
  done: {match: {pattern: 'Task (?P<n>\w+) completed'}, become: end, of: task}
  failed: {match: {pattern: 'Task (?P<n>\w+) failed'}, become: failure, of: task}
  load: {match: {pattern: 'Loaded in'}, become: span, parent: task}
  hit: {match: {contains: hit}, become: event}
  count: {match: {contains: counted}, become: metric, metric: counter}
  model: {match: {pattern: 'model (?P<model>\w+)'}, become: attribute}
"""
AGENT = """
import logging, sys, time
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
logging.getLogger("obs_run").setLevel(100)
log = logging.getLogger("goals")
for number in range(3):
    log.info(f"Executing task {number}")
    for line in ("Loaded in 3ms", "a hit", "counted", "model m"):
        log.info(line)
    try:
        1 / 0
    except ZeroDivisionError as error:
        log.error(f"Task {number} failed" if number else f"Task {number} completed")
    log.info("Executing task 9")
    time.sleep(0.02)
print("done")
sys.exit(3)
"""
BREAK = """
import importlib
def broken(*args, **kwargs):
    import os
    os.write(2, b"FIRED")
    raise RuntimeError("a fault of ours")
module = importlib.import_module({module!r})
owner = module
for part in {path!r}[:-1]:
    owner = getattr(owner, part)
setattr(owner, {path!r}[-1], broken)
"""


# Called when logging is imported, before there is anything to break; what raises in it is the launcher's to guard.
_ENTRIES = (("install",), ("read_lines",), ("Activation", "__del__"))
FUNCTIONS = [each for each in functions(MODULES) if each[1] not in _ENTRIES]


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: ".".join((each[0].rpartition(".")[2], *each[1])))
def test_the_agent_is_as_it_is_without_us(tmp_path: Path, function: tuple[str, tuple[str, ...]]) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    plain = agents.run(tmp_path, AGENT, start=False)
    module, path = function
    ran = agents.run(
        tmp_path, BREAK.format(module=module, path=path) + AGENT, OBS_BRIDGE="rules", OBS_BRIDGE_RULES="rules.yaml"
    )
    assert (ran.code, ran.out) == (plain.code, plain.out)
    assert set(ran.err.split("FIRED")) <= {""}, ran.err
