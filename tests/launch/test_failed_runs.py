"""A run that failed is always there, also where nothing else was recorded; one that succeeds stays cheap."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, Outcome, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver, Span

PYTHON = str(SCRIPTS / "python")
OBS_RUN = str(SCRIPTS / "obs-run")
ERROR, UNSET = 2, 0
_OF_THE_END = ("obs.run.exit_code", "obs.run.signal", "error.type")


def both(words: list[str], receiver: Receiver, folder: Path, **more: str) -> tuple[Outcome, Outcome]:
    """Run a command with and without obs-run."""
    env = environment(receiver.endpoint, folder, **more)
    return run(words, folder, env), run([OBS_RUN, *words], folder, env)


def run_span(receiver: Receiver) -> Span:
    assert receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans))
    (span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    return span


def end_of(span: Span) -> dict[str, Any]:
    return {key: span.attributes[key] for key in _OF_THE_END if key in span.attributes}


def failed_with(code: int, error: str | None = None) -> dict[str, Any]:
    end: dict[str, Any] = {"obs.run.exit_code": code}
    if error is not None:
        end["error.type"] = error
    return end


FAILURES = {
    "exception": (["agent.py"], "1 / 0", failed_with(1, "ZeroDivisionError")),
    "exception in a function": (["agent.py"], "def f():\n    return [][0]\nf()", failed_with(1, "IndexError")),
    "code": (["-c", "1/0"], "", failed_with(1, "ZeroDivisionError")),
    "module": (["-m", "agent"], "1 / 0", failed_with(1, "ZeroDivisionError")),
    "missing import": (["agent.py"], "import not_there", failed_with(1, "ModuleNotFoundError")),
    "syntax": (["agent.py"], "def (", failed_with(1, "SyntaxError")),
    "syntax of code": (["-c", "def ("], "", failed_with(1, "SyntaxError")),
    "syntax of a module": (["-m", "agent"], "def (", failed_with(1, "SyntaxError")),
    "exit code": (["agent.py"], "import sys; sys.exit(3)", failed_with(3)),
    "exit text": (["agent.py"], "import sys; sys.exit('no key')", failed_with(1)),
    "exit code in a function": (["agent.py"], "import sys\ndef f():\n    sys.exit(3)\nf()", failed_with(3)),
    "quit": (["agent.py"], "quit(4)", failed_with(4)),
    "raised exit": (["agent.py"], "raise SystemExit(3)", failed_with(3)),
    "raised exit after imports": (["agent.py"], "import json, csv\nif csv:\n    raise SystemExit(3)", failed_with(3)),
    "raised exit with a text": (["agent.py"], "raise SystemExit('no key')", failed_with(1)),
    "raised exit with a text that is made": (["agent.py"], "x = 1\nraise SystemExit(f'no {x}')", failed_with(1)),
    "raised exit in a function": (["agent.py"], "def f():\n    raise SystemExit(3)\nf()", failed_with(3)),
    "raised exit of an earlier failure": (
        ["agent.py"],
        "try:\n    {}['a']\nexcept KeyError as e:\n    raise SystemExit(4) from e",
        failed_with(4),
    ),
    "raised exit from a main function": (["agent.py"], "def main():\n    return 3\nraise SystemExit(main())", {}),
    "raised exit of a class of its own": (["agent.py"], "class E(SystemExit): pass\nraise E(3)", {}),
    "raised exit of code": (["-c", "raise SystemExit(3)"], "", {}),
    "raised exit of code after imports": (["-c", "import csv; raise SystemExit(3)"], "", failed_with(3)),
    "raised exit of attached code": (["-craise SystemExit(3)"], "", {}),
    "raised exit of a module": (["-m", "agent"], "raise SystemExit(3)", {}),
    "raised exit of a folder": (["package"], "raise SystemExit(3)", {}),
    "arguments": (["agent.py", "--wrong"], "import argparse; argparse.ArgumentParser().parse_args()", failed_with(2)),
    "missing script": (["gone.py"], "", failed_with(2)),
    "missing module": (["-m", "gone"], "", failed_with(1)),
    "folder without main": (["."], "", failed_with(1)),
    "os._exit": (["agent.py"], "import os; os._exit(5)", failed_with(5)),
    "excepthook": (
        ["agent.py"],
        "import sys\nsys.excepthook = lambda *a: print('hooked', file=sys.stderr)\n1 / 0",
        failed_with(1, "ZeroDivisionError"),
    ),
    "threads": (
        ["agent.py"],
        "import threading\nthreading.Thread(target=print).start()\n1 / 0",
        failed_with(1, "ZeroDivisionError"),
    ),
    "broken logging": (["agent.py"], "import logging, typing\nraise OSError('x')", failed_with(1, "OSError")),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", one_in(3, FAILURES))
def test_a_run_that_failed_is_there_though_nothing_was_recorded(name: str, receiver: Receiver, tmp_path: Path) -> None:
    words, program, end = FAILURES[name]
    (tmp_path / "agent.py").write_text(program)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(program)
    plain, launched = both([PYTHON, *words], receiver, tmp_path)
    assert launched == plain
    assert plain.code != 0
    span = run_span(receiver)
    assert end_of(span) == end
    # Without a code that is known nothing says that it was a failure.
    assert span.status == (ERROR if end else UNSET)


_KILLED = "os.kill(os.getpid(), signal.{}); time.sleep(20)"
KILL = "import os, signal, time\nos.kill(os.getpid(), signal.{})\ntime.sleep(20)"


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_run_that_was_stopped_is_there_and_is_no_error(name: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(KILL.format(name))
    plain, launched = both([PYTHON, "agent.py"], receiver, tmp_path)
    assert launched == plain
    assert plain.code == -getattr(signal, name)
    span = run_span(receiver)
    assert end_of(span) == {"obs.run.signal": name}
    assert span.status == UNSET


def test_a_server_that_cannot_start_is_there(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "celery.py").write_text("import not_there")
    plain, launched = both([PYTHON, "-m", "celery", "worker"], receiver, tmp_path)
    assert launched == plain
    assert end_of(run_span(receiver)) == failed_with(1, "ModuleNotFoundError")


SUCCESSES = {
    "end": "",
    "exit": "import sys; sys.exit()",
    "exit code 0": "import sys; sys.exit(0)",
    "os._exit": "import os; os._exit(0)",
    "raised exit": "raise SystemExit",
    "raised exit code 0": "import csv\nraise SystemExit(0)",
    "raised exit code None": "raise SystemExit(None)",
    "raised exit in a function": "def f():\n    raise SystemExit(0)\nf()",
    "raised exit that was caught": "try:\n    raise SystemExit(3)\nexcept SystemExit:\n    pass",
    "raised exit of a thread": (
        "import threading\ndef f():\n    raise SystemExit(3)\nt = threading.Thread(target=f)\nt.start(); t.join()"
    ),
    "end of a function that returns": "import csv\ndef f():\n    return csv\nf()",
    "exit that was caught": "import sys\ntry:\n    sys.exit(3)\nexcept SystemExit:\n    pass",
    "an error shown by an interpreter of its own": "import code; code.InteractiveInterpreter().runsource('1/0')",
    "an error of a thread": "import threading\nt = threading.Thread(target=lambda: 1/0)\nt.start(); t.join()",
    "exec": "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 3'])",
}


@pytest.mark.parametrize("name", one_in(3, SUCCESSES))
def test_a_run_that_succeeds_and_records_nothing_sends_nothing(name: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(SUCCESSES[name])
    plain, launched = both([PYTHON, "agent.py"], receiver, tmp_path)
    assert launched.code == plain.code
    assert not receiver.requests


def test_a_run_that_succeeds_loads_nothing_of_the_export_path(receiver: Receiver, tmp_path: Path) -> None:
    env = environment(receiver.endpoint, tmp_path, PYTHONPROFILEIMPORTTIME="1")
    outcome = run([OBS_RUN, PYTHON, "-c", "import sys; sys.exit()"], tmp_path, env)
    assert outcome.code == 0
    assert "obs_run.process.exit_hooks" in outcome.err
    assert "obs_run.runtime.in_process" not in outcome.err
    assert "opentelemetry" not in outcome.err


def test_a_forked_child_that_fails_is_not_the_run(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("import os\nif os.fork() == 0:\n    os._exit(3)\nos.wait()")
    plain, launched = both([PYTHON, "agent.py"], receiver, tmp_path)
    assert launched == plain
    assert run_span(receiver).status == UNSET


def test_without_run_spans_a_run_that_failed_has_none(receiver: Receiver, tmp_path: Path) -> None:
    _, launched = both([PYTHON, "-c", "1/0"], receiver, tmp_path, OBS_RUN_SPAN="false")
    assert launched.code == 1
    assert not receiver.requests


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "value"),
    one_in(
        3,
        [
            ("OBS_BATCH_BYTES", "0"),
            ("OBS_BATCH_BYTES", "1"),
            ("OBS_QUEUE_BYTES", "0"),
            ("OBS_FLUSH_SECONDS", "inf"),
            ("OBS_FLUSH_SECONDS", "nan"),
            ("OBS_FLUSH_SECONDS", "1e99"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OBS_RUN_SPAN_SECONDS", "1e-9"),
        ],
    ),
)
def test_no_number_of_a_setting_loses_a_run(name: str, value: str, receiver: Receiver, tmp_path: Path) -> None:
    program = "import logging\nlogging.getLogger('agent').warning('hello')"
    (tmp_path / "agent.py").write_text(program)
    _, launched = both([PYTHON, "agent.py"], receiver, tmp_path, **{name: value})
    assert launched.code == 0
    assert run_span(receiver).name == "agent"
    assert "hello" in [log.body for log in receiver.logs]


def listed(folder: Path, *words: str) -> list[dict[str, Any]]:
    out = run([str(SCRIPTS / "obsctl"), "list", "--json", *words], folder, environment("", folder)).out
    return [json.loads(line) for line in out.splitlines()]


ERRORS = {
    "records": ("log.error('a'); log.critical('b'); log.warning('c')", 2),
    "records of a level between": ("log.log(45, 'a')", 1),
    "exception that was logged": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('a')", 1),
    "warnings": ("log.warning('a')", 0),
    "SIGTERM": (f"with tracer.start_as_current_span('open'):\n    {_KILLED.format('SIGTERM')}", 0),
    "SIGINT": (f"with tracer.start_as_current_span('open'):\n    {_KILLED.format('SIGINT')}", 0),
    "open span": ("kept = tracer.start_span('open')", 0),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", one_in(3, ERRORS))
def test_the_errors_of_a_run(name: str, tmp_path: Path) -> None:
    body, errors = ERRORS[name]
    prelude = """\
import logging, os, signal, time
from opentelemetry import trace
log = logging.getLogger("agent")
tracer = trace.get_tracer("agent")
"""
    (tmp_path / "agent.py").write_text(prelude + body)
    run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment("", tmp_path))
    (trace,) = listed(tmp_path)
    assert trace["errors"] == errors
    assert listed(tmp_path, "--errors") == ([trace] if errors else [])


_SMALL_STACKS = {
    "exit": """
import sys; sys.setrecursionlimit(60)
import json, subprocess
print(json.dumps([1]), subprocess.run(["true"]).returncode)
sys.exit(3)
""",
    "record": """
import sys, logging; sys.setrecursionlimit(60)
logging.error("line")
def count(n):
    return n and count(n - 1)
print(count(20))
""",
    "thread": """
import sys; sys.setrecursionlimit(60)
import threading
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
1 / 0
""",
}


@pytest.mark.sampled
@pytest.mark.parametrize("program", _SMALL_STACKS.values(), ids=_SMALL_STACKS)
def test_a_stack_without_room_for_ours_is_said_in_one_line(program: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(program)
    plain, launched = both([PYTHON, "agent.py"], receiver, tmp_path)
    assert launched[:2] == plain[:2]
    said = [line for line in launched.err.splitlines() if "failed and was skipped" in line]
    assert len(said) == 1
    assert [line for line in launched.err.splitlines() if line not in said] == plain.err.splitlines()
