"""What libraries are waited for is read before the first of them, not at the start."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch import running
from tests.launch.environments import HERE

if TYPE_CHECKING:
    from pathlib import Path

WAITING = """
import importlib, json, sys, threading
from obs_run.process import import_hooks

def is_prepared():
    return "openai._base_client" in import_hooks.waiting()
"""
LIBRARY = "import obs_run.process.import_hooks as hooks\nis_waited_for = 'openai._base_client' in hooks.waiting()\n"


def said(folder: Path, agent: str, *command: str) -> list[object]:
    """Run an agent below obs-run; return what it said."""
    (folder / "agent.py").write_text(WAITING + dedent(agent))
    (folder / "lib_a.py").write_text(LIBRARY)
    env = running.environment("http://127.0.0.1:9", folder, OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    done = running.run([*command, HERE.python, "agent.py"], folder, env)
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("name", "prepares"),
    [
        ("json.tool", False),  # of the standard library
        ("_virtualenv", False),  # what virtual environments bring
        ("usercustomize", False),
        ("sqlite3", True),  # of the standard library, and others instrument it
        ("urllib.request", True),
        ("lib_a", True),
        ("is_not_there", True),
    ],
)
def test_the_first_library_is_prepared_for(tmp_path: Path, name: str, *, prepares: bool) -> None:
    agent = f"""
    print(json.dumps(is_prepared()))
    try:
        importlib.import_module({name!r})
    except ImportError:
        pass
    print(json.dumps(is_prepared()))
    """
    assert said(tmp_path, agent, HERE.command("obs-run")) == [False, prepares]


def test_no_library_is_executed_before(tmp_path: Path) -> None:
    agent = """
    barrier = threading.Barrier(4)
    seen = []
    def work():
        barrier.wait()
        seen.append(importlib.import_module("lib_a").is_waited_for)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(seen))
    """
    assert said(tmp_path, agent, HERE.command("obs-run")) == [[True] * 4]


def test_threads_that_prepare_at_once_have_each_called_back_once(tmp_path: Path) -> None:
    agent = """
    from obs_run.launch import start
    start._watch_libraries()
    start._watch_libraries()
    waiting = import_hooks._waiting.items()
    print(json.dumps([name for name, callbacks in waiting if len(set(callbacks)) != len(callbacks)]))
    """
    assert said(tmp_path, agent, HERE.command("obs-run")) == [[]]


def test_a_library_that_is_there_at_the_start_is_prepared_for_at_once(tmp_path: Path) -> None:
    agent = """
    import lib_a, obs_run.auto
    print(json.dumps([lib_a.is_waited_for, is_prepared()]))
    """
    assert said(tmp_path, agent) == [[False, True]]
