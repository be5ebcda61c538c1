"""An agent's own modules may be named as those of a library that is instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_instrumentors import TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

AGENT = """
import logging
logging.basicConfig()
from agents import run, tool
from agents.tracing import spans
print(run.AgentRunner().run(), tool, spans.SpanImpl().start())
"""


def test_the_agents_own_package_named_agents(agent: Run, tmp_path: Path) -> None:
    for module in (name for name in TABLE if name.startswith("agents.")):
        path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    (tmp_path / "agents" / "run.py").write_text("class AgentRunner:\n    def run(self):\n        return 'ran'\n")
    (tmp_path / "agents" / "tracing" / "spans.py").write_text(
        "class SpanImpl:\n    def start(self):\n        return 1\n"
    )
    ran = agent(AGENT)
    assert ran.out.startswith("ran <module"), ran.out
    assert ran.err == ""
