"""The fixture ``captrace`` in a pytest of its own, as somebody's tests use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer
from obs_run import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
AGENT = """
import openai


def ask(question):
    client = openai.OpenAI()
    return client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": question}])
"""


@pytest.fixture(scope="module")
def stub() -> Iterator[StubServer]:
    with StubServer() as running:
        yield running


OF_TESTS = ("PYTEST", "OBS_TESTS_")
"""How the variables of the tests around these begin."""


def run(folder: Path, stub: StubServer, tests: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a folder, with an agent beside them."""
    (folder / "agent.py").write_text(AGENT)
    (folder / "test_agent.py").write_text(tests)
    ours = {setting.name for setting in settings.SETTINGS} | {"OBS_RUN", "PYTEST_ADDOPTS", "PYTHONPATH"}
    environ = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith(OF_TESTS)}
    environ |= {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{stub.url}/v1", "XDG_DATA_HOME": str(folder / "data")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *words]
    return subprocess.run(
        command, cwd=folder, env={**environ, **variables}, capture_output=True, text=True, check=False
    )


TESTS = '''
import subprocess
import sys

import agent


def test_one_call(captrace):
    assert captrace.spans == []
    agent.ask("What is the weather in Lisbon?")
    (call,) = captrace.model_calls
    assert call.attributes["gen_ai.input.messages"].count("Lisbon") == 1
    assert captrace.models == [call.model]
    assert captrace.input_tokens > 0 and captrace.tokens > captrace.output_tokens > 0
    assert 0 < captrace.seconds < 600
    assert captrace.errors == captrace.tools == captrace.agents == captrace.unfinished == []
    assert captrace.shape == "chat gpt-5-mini"


def test_each_has_its_own(captrace):
    assert captrace.spans == []
    agent.ask("a")
    agent.ask("b")
    assert len(captrace.model_calls) == 2


def test_a_child_process(captrace):
    code = "import agent, logging; agent.ask('from the child'); logging.error('it failed')"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(captrace.model_calls) == 1
    assert [line for line in captrace.errors if "it failed" in line]
    assert "from the child" in captrace.model_calls[0].attributes["gen_ai.input.messages"]


def test_what_failed(captrace):
    import openai
    try:
        openai.OpenAI(base_url="http://127.0.0.1:1", max_retries=0).models
        openai.OpenAI(base_url="http://127.0.0.1:1", max_retries=0).chat.completions.create(model="m", messages=[])
    except openai.APIConnectionError:
        pass
    (failed,) = captrace.errors
    assert failed.startswith("chat m: ")


def test_an_agent_of_ones_own(captrace):
    from opentelemetry import trace
    tracer = trace.get_tracer("mine")
    with tracer.start_as_current_span("plan"):
        for name in ("search", "book", "search"):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
            with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes):
                pass
    assert captrace.tools == ["search", "book", "search"]
    assert captrace.ran_in_order("search", "search") and not captrace.ran_in_order("book", "book")
    assert captrace.shape == """\\
plan
  execute_tool search
  execute_tool book
  execute_tool search"""
    assert len(captrace.named("execute_tool search")) == 2
'''


def test_what_a_test_can_ask(tmp_path: Path, stub: StubServer) -> None:
    done = run(tmp_path, stub, TESTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    # pytest-asyncio says something of its own.
    assert not [line for line in done.stderr.splitlines() if "obs-run" in line or "Traceback" in line]
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_classes_threads_processes_and_tasks(tmp_path: Path, stub: StubServer) -> None:
    done = run(tmp_path, stub, Path(__file__).with_name("odd_tests.py").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout


@pytest.mark.slow
def test_it_works_in_parallel_and_in_any_order(tmp_path: Path, stub: StubServer) -> None:
    done = run(tmp_path, stub, TESTS, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_under_obs_run_too(tmp_path: Path, stub: StubServer) -> None:
    (tmp_path / "agent.py").write_text(AGENT)
    (tmp_path / "test_agent.py").write_text(TESTS)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": f"{stub.url}/v1",
    }
    command = [sys.executable, "-m", "obs_run", sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_failed_assertion_shows_what_was_found(tmp_path: Path, stub: StubServer) -> None:
    tests = "import agent\ndef test(captrace):\n    agent.ask('a')\n    assert captrace.tools == ['search']\n"
    done = run(tmp_path, stub, tests)
    assert done.returncode == 1
    assert "assert [] == ['search']" in done.stdout


LATENCY = "import agent\ndef test(captrace):\n    agent.ask('a')\n    captrace.assert_latency(at_most={})\n"


@pytest.mark.slow
def test_latency_is_held_against_a_baseline(tmp_path: Path, stub: StubServer) -> None:
    missing = run(tmp_path, stub, LATENCY.format(2))
    assert missing.returncode == 1
    assert "no baseline of test_agent.py::test; record one: pytest --record-baselines" in missing.stdout
    for _ in range(3):
        assert run(tmp_path, stub, LATENCY.format(2), "--record-baselines").returncode == 0
    assert (tmp_path / "obs-baselines.json").exists()
    assert run(tmp_path, stub, LATENCY.format(100_000)).returncode == 0
    slow = run(tmp_path, stub, LATENCY.format(0))
    assert slow.returncode == 1
    assert "more than 0 times the" in slow.stdout


def test_where_nothing_can_be_captured_it_is_said(tmp_path: Path, stub: StubServer) -> None:
    done = run(tmp_path, stub, "def test(captrace): pass\n", OTEL_SDK_DISABLED="true")
    assert done.returncode == 1
    assert "captrace: OTEL_SDK_DISABLED=true switches all telemetry off" in done.stdout


def test_where_nobody_asks_for_it_nothing_of_ours_is_loaded(tmp_path: Path, stub: StubServer) -> None:
    tests = (
        "import os, sys\n"
        "def test():\n"
        "    ours = sorted(name for name in sys.modules if name.startswith(('obs_', 'opentelemetry')))\n"
        "    assert ours == ['obs_run', 'obs_run.testing', 'obs_run.testing.plugin']\n"
        "    assert not [name for name in os.environ if name.startswith('OBS_')]\n"
    )
    done = run(tmp_path, stub, tests, "-p", "no:xdist", "-p", "no:logging")
    assert done.returncode == 0, done.stdout
