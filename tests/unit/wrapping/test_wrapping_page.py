"""What docs/wrapping.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.wrapping import wrap_file
from obs_run.wrapping.entries import KINDS

if TYPE_CHECKING:
    from tests.unit.agents import Run

PAGE = (Path(__file__).parents[3] / "docs" / "wrapping.md").read_text()
AGENTS = """
class BaseAgent:
    def __init__(self, name):
        self.name = name
class Oracle(BaseAgent):
    def handle_request(self, request):
        return {"status": "success"}
"""
SCRIPT = """
import telemetry_probe
from fleet.agents import Oracle
Oracle("oracle").handle_request({"action": "ask"})
telemetry_probe.show()
"""


def test_the_example(agent: Run, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "agents.py").write_text(AGENTS)
    (tmp_path / "wrap.yaml").write_text(example)
    ran = agent(SCRIPT, OBS_WRAP="wrap.yaml")
    span = ran.spans()["invoke_agent oracle"]
    assert (span["attributes"]["request.action"], span["attributes"]["reply.status"]) == ("ask", "success")
    assert ran.err == ""


def test_all_kinds_are_told() -> None:
    assert [kind for kind in KINDS if f"| `{kind}` |" not in PAGE] == []


def test_the_lines_of_mistakes(agent: Run, tmp_path: Path) -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "tools.py").write_text("def lookup(): pass\ndef weather(): pass\n")
    (tmp_path / "wrap.yaml").write_text(
        "wrap:\n  requests:\n    target: fleet.tools:weather\n    kind: handlr\n"
        "\n\n\n\n  lookups: {target: fleet.tools:lokup, kind: tool}\n"
    )
    assert wrap_file.load([str(tmp_path / "wrap.yaml")]).entries.keys() == {"lookups"}
    ran = agent("import fleet.tools", OBS_WRAP="wrap.yaml")
    assert ran.err == shown
