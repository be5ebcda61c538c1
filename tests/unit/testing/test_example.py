"""The tests and the budgets of ``examples`` are kept by the agent there, as docs/testing-agents.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.stub_llm import StubServer
from obs_run import settings

ROOT = Path(__file__).parents[3]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "addopts="]


OF_TESTS = ("PYTEST", "OBS_TESTS_")
"""How the variables of the tests around these begin."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    ours = {setting.name for setting in settings.SETTINGS} | {"OBS_RUN", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith(OF_TESTS)}
    return {**kept, "OBS_STORE_FILE": str(tmp_path / "store.db"), "OPENAI_API_KEY": "none"}


def run(environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_tests_of_the_example_pass(environ: dict[str, str]) -> None:
    done = run(environ, *PYTEST, "--import-mode=importlib", "examples/test_agent.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_budgets_of_the_example_are_kept(environ: dict[str, str], tmp_path: Path) -> None:
    with StubServer() as model:
        environ |= {"OPENAI_BASE_URL": f"{model.url}/v1"}
        assert run(environ, sys.executable, "-m", "obs_run", sys.executable, "examples/agent.py").returncode == 0
    report = tmp_path / "report.md"
    words = ["check", "examples/budgets.yaml", "--last", "--markdown", str(report)]
    done = run(environ, sys.executable, "-m", "obs_run.cli", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report.read_text().startswith("### agent (")
    broken = tmp_path / "broken.yaml"
    broken.write_text("model_calls: 1\n")
    assert run(environ, sys.executable, "-m", "obs_run.cli", "check", str(broken)).returncode == 1
