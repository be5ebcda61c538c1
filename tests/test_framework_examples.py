"""The examples with frameworks, as ``make demo-...`` shows them: the same agent, and the same tree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from examples.demo import FRAMEWORKS
from tests.launch.environments import ROOT, assert_may_be_made

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment has to be made first
AROUND = ("invoke_workflow", "step ", "trip_")
TOLD = ["invoke_agent planner", "chat gpt-5-mini", "execute_tool hotel", "execute_tool weather", "chat gpt-5-mini"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_same_agent_gives_the_same_tree(framework: str) -> None:
    assert_may_be_made()
    done = subprocess.run(
        [sys.executable, "examples/demo.py", framework],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, _, shown = done.stdout.partition("$ obsctl show")
    lines = [line.strip() for line in shown.splitlines()[2:] if line]
    names = [line.partition("  ")[0] for line in lines if not line.startswith(AROUND)]
    # Tools run at the same time.
    assert [names[0], names[1], *sorted(names[2:4]), *names[4:]] == TOLD, done.stdout


def test_a_framework_without_an_example_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo.py", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "demo: no example with nothing; there are langgraph, openai-agents, pydantic-ai, fleet\n"
