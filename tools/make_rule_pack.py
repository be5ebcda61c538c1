"""Makes the table of built-in rules for log lines from ``configs/log-rules``, so that agents need no YAML for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from obs_run.bridge import rule_file
from obs_run.bridge.rule_sources import PACK
from obs_run.bridge.rules import Rule

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "configs" / "log-rules"
TABLE = ROOT / "src" / "obs_run" / "bridge" / PACK


def make_table() -> str:
    """Return the text of the table; a rule that is wrong ends the program."""
    loaded = rule_file.load([str(FOLDER)], {})
    if loaded.problems:
        sys.exit("\n".join(loaded.problems))
    table = {name: dict(_values(rule)) for name, rule in loaded.rules.items()}
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def _values(rule: Rule) -> list[tuple[str, Any]]:
    """Return the fields that are not as they are by themselves."""
    plain = Rule(name=rule.name, become="")
    return [
        (field, getattr(rule, field))
        for field in ("become", *Rule.__annotations__)
        if field != "where" and getattr(rule, field) != getattr(plain, field)
    ]


def main() -> int:
    """Write the table, or with ``--check`` compare it."""
    table = make_table()
    is_fresh = TABLE.exists() and TABLE.read_text(encoding="utf-8") == table
    if "--check" in sys.argv:
        return 0 if is_fresh else 1
    if not is_fresh:
        TABLE.write_text(table, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
