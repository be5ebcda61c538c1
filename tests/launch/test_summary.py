from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.launch.cases import PRELUDE
from tests.launch.running import SCRIPTS, environment, on_terminal, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

SPAN = PRELUDE + "span('work')\n"
POINTER = re.compile(r"^obs-run: this run's trace: obsctl show ([0-9a-f]{8})\r?$", re.MULTILINE)


def test_a_terminal_is_told_where_to_look(tmp_path: Path) -> None:
    told = POINTER.fullmatch(on_terminal(tmp_path, SPAN).strip())
    assert told
    shown = run([str(SCRIPTS / "obsctl"), "show", told[1]], tmp_path, environment("", tmp_path))
    assert "work" in shown.out
    assert shown.out.startswith(f"trace {told[1]}")


@pytest.mark.parametrize(
    "child",
    [
        "import subprocess\nif len(sys.argv) == 1: subprocess.run([sys.executable, 'agent.py', 'child'])",
        "if os.fork() == 0: span('child'); sys.exit(0)\nos.wait()",
    ],
)
def test_children_leave_it_to_their_parent(child: str, tmp_path: Path) -> None:
    assert len(POINTER.findall(on_terminal(tmp_path, SPAN + child))) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("program", "more"),
    [
        ("print(1)", {}),
        (SPAN, {"OTEL_TRACES_EXPORTER": "none"}),
        (SPAN, {"OTEL_TRACES_SAMPLER": "always_off"}),
        (SPAN, {"OTEL_SDK_DISABLED": "true"}),
        (SPAN + "sys.stdout.flush(); os.execvp('true', ['true'])", {}),
    ],
)
def test_nothing_is_said_without_a_reason(program: str, more: dict[str, str], tmp_path: Path) -> None:
    assert on_terminal(tmp_path, program, **more) == ""


def test_by_otlp_a_terminal_is_told_the_id(tmp_path: Path, receiver: Receiver) -> None:
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    told = on_terminal(tmp_path, SPAN, **more).strip()
    assert receiver.wait_for(lambda got: len(got.named("work")) == 1)
    [span] = receiver.named("work")
    assert told == f"obs-run: this run's trace: {span.trace_id}, by OTLP to {receiver.endpoint}"
    for program, others in (("print(1)", {}), (SPAN, {"OTEL_TRACES_SAMPLER": "always_off"})):
        assert "trace" not in on_terminal(tmp_path, program, **more, **others)


def test_nothing_is_said_without_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(SPAN)
    outcome = run([str(SCRIPTS / "obs-run"), "agent.py"], tmp_path, environment("", tmp_path))
    assert outcome == (0, "", "")


def test_verbose_tells_what_was_instrumented(tmp_path: Path) -> None:
    words = [str(SCRIPTS / "obs-run"), "--verbose", "-c"]
    env = environment("", tmp_path)
    silent = run([*words, "pass"], tmp_path, env)
    assert silent == (0, "", "obs-run: no library that it instruments was imported\n")
    used = run([*words, "import openai"], tmp_path, env)
    assert used.code == 0
    # What it sends its calls with is instrumented, too.
    beneath = r"(obs-run: (http\.client|urllib|httpx2? [\d.]+): instrumented\n)*"
    assert re.fullmatch(beneath + r"obs-run: openai [\d.]+: instrumented\n", used.err)
    off = run([*words, "import openai"], tmp_path, {**env, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai"})
    assert off.err.endswith("not instrumented: switched off by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS\n")
