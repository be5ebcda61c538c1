"""Typical mistakes at the command line: what was typed, and the one line that is said, which names the mend."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest

from obs_run import cli
from obs_run.launch import command

SCRIPTS = Path(sysconfig.get_path("scripts"))
RUNS = "print('ran')"
SPANS = "from opentelemetry import trace; trace.get_tracer('x').start_span('x').end(); print('ran')"
LOGS = "import logging; logging.warning('x'); print('ran')"


class Mistake(NamedTuple):
    """What is typed (words, and variables as NAME=value before them), what is said, and how it ends."""

    typed: str
    said: str
    code: int = 2
    variables: tuple[str, ...] = ()
    runs: bool = False
    """Whether the agent runs all the same, as it must unless nothing can be run."""


MISTAKES = [
    # obs-run
    Mistake("obs-run", "obs-run: no program given; obs-run --help"),
    Mistake("obs-run --contnet python agent.py", "obs-run: unknown option --contnet; did you mean --content?"),
    Mistake("obs-run --frobnicate python agent.py", "obs-run: unknown option --frobnicate; obs-run --help"),
    Mistake("obs-run --endpoint", "obs-run: --endpoint needs a value"),
    Mistake("obs-run pyhton agent.py", "obs-run: pyhton: not found", 127),
    Mistake("obs-run absent.py", "obs-run: absent.py: not found", 127),
    Mistake("obs-run ./agent.txt",
            "obs-run: ./agent.txt: not executable; for a Python program: obs-run python ./agent.txt", 126),
    Mistake("obs-run show", "obs-run: show: not found; did you mean obsctl show?", 127),
    # variables of a run
    Mistake("obs-run python logs.py", "'personl' is not allowed; ", 0, ("OBS_PRIVACY=personl",), runs=True),
    Mistake("obs-run python logs.py", "did you mean OBS_VERBOSE?", 0, ("OBS_VERBOES=1",), runs=True),
    Mistake("obs-run python logs.py", "OBS_QUEUE_BYTES: 'much' is not allowed; allowed: a size", 0,
            ("OBS_QUEUE_BYTES=much",), runs=True),
    Mistake("obs-run python spans.py", "OTEL_CONFIG_FILE: /nope.yaml cannot be read (No such file or directory)", 0,
            ("OTEL_CONFIG_FILE=/nope.yaml",), runs=True),
    Mistake("obs-run python logs.py", "OTEL_CONFIG_FILE: /nope cannot be read (No such file or directory)", 0,
            ("OTEL_CONFIG_FILE=/nope",), runs=True),
    Mistake("obs-run python agent.py", "OTEL_CONFIG_FILE: /nope cannot be read (No such file or directory)", 0,
            ("OTEL_CONFIG_FILE=/nope",), runs=True),
    Mistake("obs-run python logs.py", "OTEL_TRACES_SAMPLER_ARG: '2' is not allowed; allowed: a number from 0 to 1", 0,
            ("OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=2"), runs=True),
    Mistake("obs-run python logs.py", "OTEL_TRACES_EXPORTER: 'jaeger' is not allowed; allowed: ", 0,
            ("OTEL_TRACES_EXPORTER=jaeger",), runs=True),
    Mistake("obs-run python logs.py",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'opanai' is no instrumentor; did you mean", 0,
            ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=opanai",), runs=True),
    # obsctl
    Mistake("obsctl shwo", "obsctl: no command 'shwo'; did you mean 'show'?"),
    Mistake("obsctl show nothex", "obsctl: 'nothex' is not a trace id: up to 32 hexadecimal digits; see obsctl list"),
    Mistake("obsctl show abc --last", "obsctl: give a trace id or --last, not both"),
    Mistake("obsctl show --contents",
            "obsctl: unrecognized arguments: --contents; did you mean --content? (see obsctl show --help)"),
    Mistake("obsctl show", "; run an agent first: obs-run python agent.py", 1),
    Mistake("obsctl list -n many", "obsctl: argument -n: invalid int value: 'many' (see obsctl list --help)"),
    Mistake("obsctl list --since yesterday",
            "obsctl: --since 'yesterday' is neither like 90s, 30m, 1h, 2d nor a date and time"),
    Mistake("obsctl list --store absent.db", "obsctl: there is no local store at absent.db; run an agent first", 1),
    Mistake("obsctl delete", "obsctl: name traces, or give --before; see obsctl list"),
    Mistake("obsctl spool repaly",
            "invalid choice: 'repaly'; did you mean 'replay'? (see obsctl spool --help)"),
    Mistake("obsctl completion bsh", "invalid choice: 'bsh'; did you mean 'bash'? (see obsctl completion --help)"),
    Mistake("obsctl settings OBS_PRIVCY", "obsctl: no variable 'OBS_PRIVCY'; did you mean OBS_PRIVACY?"),
    Mistake("obsctl settings obs_frobnicate=1", "obsctl: no variable 'obs_frobnicate=1'; see obsctl settings"),
    Mistake("obsctl hash-password", "obsctl: the following arguments are required: "),
    Mistake("obsctl logs --level WARNIN", "invalid choice: 'warnin'; did you mean 'warn'? (see obsctl logs --help)"),
    Mistake("obsctl cost --by modle", "invalid choice: 'modle'; did you mean 'model'? (see obsctl cost --help)"),
    Mistake("obsctl view --port 99999", "obsctl: --port 99999 is not a port: 1 to 65535"),
    Mistake("obsctl list --from agent.txt", "obsctl: agent.txt, line 1: not JSON", 1),
    Mistake("obsctl list --from htp://127.0.0.1:1", "is no place to read from; allowed: a store's file, ", 1),
    Mistake("obsctl import absent.json", "obsctl: absent.json cannot be read: No such file or directory", 1),
    Mistake("obsctl replay --from agent.txt", "obsctl: say where to: --to http://host:4318, or OTEL_EXPORTER_OTLP_END"),
    Mistake("obsctl check budgets.yaml", "obsctl: budgets.yaml: cannot be read: No such file or directory"),
    Mistake("obsctl tail -n -3", "obsctl: -n takes a number from 0"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "agent.py").write_text(RUNS)
    (folder / "agent.txt").write_text(RUNS)
    (folder / "logs.py").write_text(LOGS)
    (folder / "spans.py").write_text(SPANS)
    return folder


@pytest.mark.sampled
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: " ".join((*mistake.variables, mistake.typed)))
def test_a_mistake_is_said_in_one_line_that_names_the_mend(mistake: Mistake, folder: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    environ |= {
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "XDG_DATA_HOME": str(folder / mistake.typed.replace("/", "_")),
    }
    environ |= dict(variable.split("=", 1) for variable in mistake.variables)
    program, *words = mistake.typed.split()
    done = subprocess.run(
        [SCRIPTS / program, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    lines = [line for line in done.stderr.splitlines() if line != "WARNING:root:x"]

    assert done.returncode == mistake.code
    assert done.stdout == ("ran\n" if mistake.runs else "")
    assert len(lines) == 1, done.stderr
    assert mistake.said in lines[0]
    assert len(lines[0]) <= 320
    assert "Traceback" not in done.stderr


def test_what_the_launcher_takes_for_a_command_of_obsctl_is_one() -> None:
    assert set(command.OF_OBSCTL) - {"view"} <= set(cli.COMMANDS)


def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "obs_run.cli", "settings"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "obsctl: the output cannot be written: No space left on device\n")
