"""The rules in force: the user's own, then those of the pack."""

from __future__ import annotations

import _io
import json
import os
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.bridge.rule_bridge import RuleBridge
from obs_run.bridge.rule_index import RuleIndex
from obs_run.bridge.rules import Rule

if TYPE_CHECKING:
    from obs_run.bridge.rule_file import Loaded

PACK = "rule_pack.json"


def make_bridge() -> RuleBridge:
    """Read the rules, say what is wrong in their files, and return what applies them."""
    paths = settings.get("OBS_BRIDGE_RULES")
    if not paths:
        return RuleBridge(RuleIndex(built_in().values()))
    loaded = load(paths)
    for problem in loaded.problems:
        guard.warn(problem)
    return RuleBridge(RuleIndex(loaded.rules.values()))


def load(paths: tuple[str, ...]) -> Loaded:
    """Return the rules of the files at ``paths`` and of the pack, and what is wrong in the files."""
    from obs_run.bridge import rule_file

    pack = built_in()
    loaded = rule_file.load(paths, pack)
    # Those of the user come first: the first that a line is for holds.
    loaded.rules = {**loaded.rules, **{name: rule for name, rule in pack.items() if name not in loaded.rules}}
    for name, is_on in loaded.enabled.items():
        loaded.rules[name].enabled = is_on
    return loaded


def built_in() -> dict[str, Rule]:
    """Return the rules of the pack, which are made from ``configs/log-rules`` by ``make docs``."""
    # Not by open(), which the agent may have replaced by one of a file system of its own.
    with _io.FileIO(os.path.join(os.path.dirname(__file__), PACK)) as file:  # noqa: PTH118, PTH120 (pathlib costs milliseconds)
        table = json.loads(file.readall())
    return {name: _rule(name, fields) for name, fields in table.items()}


def _rule(name: str, fields: dict[str, Any]) -> Rule:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return Rule(name=name, **values)
