"""Runs a case in a folder of its own, with or without obs-run, and says what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipapp
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from obs_run.buffer import folder as folder_of_buffers
from obs_run.buffer import relay_client
from tests.launch.environments import HERE, Environment

if TYPE_CHECKING:
    from tests.launch.cases import Case
    from tests.otlp_receiver import Receiver

SCRIPTS = HERE.scripts
_RELAY_SECONDS = 30.0


class Outcome(NamedTuple):
    """What a program left behind."""

    code: int
    out: str
    err: str


def environment(endpoint: str, home: Path, scripts: Path = SCRIPTS, /, **more: str) -> dict[str, str]:
    """Return an environment with nothing in it but what a program needs."""
    keep = {name: os.environ[name] for name in ("LANG", "PYTHONDONTWRITEBYTECODE", "TMPDIR") if name in os.environ}
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    here = {"PATH": path, "HOME": str(home), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    if "OBS_TESTS_RELAY" in os.environ:
        here.update(OBS_RELAY="on", OBS_RELAY_SECONDS="5")
    # On a busy machine what is meant to arrive has the time to; who means the usual bound says so.
    return {**keep, **here, "OTEL_BSP_SCHEDULE_DELAY": "60000", "OBS_FLUSH_SECONDS": "30", **more}


def lay_out(case: Case, folder: Path, python: str = HERE.python) -> None:
    """Write the case's files."""
    source = case.source()
    for name, text in {"agent.py": source, "sub/agent.py": source, "package/__main__.py": source, **case.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    script = folder / "agent"
    script.write_text(f"#!{python}\n{source}")
    script.chmod(0o755)
    zipapp.create_archive(folder / "package", folder / "agent.pyz")


def command(case: Case, *, launched: bool, place: Environment = HERE) -> list[str]:
    """Return the case's command line, or the one that does the same without obs-run."""
    words = list(case.command)
    if not launched:
        words = [word for word in words if word != "{obs-run}"]
        if words[0].startswith("-") or words[0].endswith(".py"):
            words.insert(0, "{python}")
        if words[1:3] == ["-m", "obs_run"]:
            words = words[3:]
        words = [word.replace("import obs_run.auto\n", "") for word in words]
    names = {"{obs-run}": place.command("obs-run"), "{python}": place.python}
    for placeholder, value in names.items():
        words = [word.replace(placeholder, value) for word in words]
    return words


def run(
    words: list[str], folder: Path, env: dict[str, str], *, stdin: str = "", send: int = 0, seconds: float = 100
) -> Outcome:
    """Run a command to its end; ``send`` is sent when it has said that it is ready."""
    process = subprocess.Popen(
        words, cwd=folder, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        try:
            if send:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", process.stderr.read() if process.stderr else ""
                _wait_for_sleep(process.pid)
                process.send_signal(send)
            out, err = process.communicate(stdin, timeout=seconds)
        finally:
            process.kill()
    if env.get("OBS_RELAY") == "on":
        relay_client.flush(folder_of_buffers.chosen(), _RELAY_SECONDS)
    return Outcome(process.returncode, out, err)


def on_terminal(folder: Path, program: str, **more: str) -> str:
    """Run a program whose stderr is a terminal, and return what it writes there."""
    (folder / "agent.py").write_text(program)
    env = environment("", folder, **more)
    ours, theirs = os.openpty()
    words = [str(SCRIPTS / "obs-run"), sys.executable, "agent.py"]
    with subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        try:
            while data := os.read(ours, 10_000):
                written += data
        except OSError:  # Linux says so when nobody has the other end any more
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return written.decode()


def _wait_for_sleep(pid: int) -> None:
    """Wait until a program that has said that it is ready waits itself, as far as this system tells of others."""
    time.sleep(0.05)
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "R":
        time.sleep(0.01)


def check(case: Case, receiver: Receiver, folder: Path, place: Environment = HERE) -> None:
    """Assert that a program runs with obs-run as it does without, and that its spans arrive."""
    lay_out(case, folder, place.python)
    env = environment(receiver.endpoint, folder, place.scripts, **case.environment)

    plain = run(command(case, launched=False, place=place), folder, env, stdin=case.stdin, send=case.send)
    assert not receiver.spans
    launched = run(command(case, launched=True, place=place), folder, env, stdin=case.stdin, send=case.send)

    assert launched == plain
    receiver.wait_for(lambda got: len(got.spans) >= len(case.spans) + case.runs)
    runs = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    others = [span for span in receiver.spans if span not in runs]
    assert sorted(span.name for span in others) == sorted(case.spans)
    assert len(runs) == case.runs
    if case.one_trace:
        assert len({span.trace_id for span in receiver.spans}) == min(1, len(receiver.spans))
    assert_one_tree(receiver)


def assert_one_tree(receiver: Receiver) -> None:
    """Assert that each parent arrived too: a trace without its root is what this launcher is there to prevent."""
    ids = {span.span_id for span in receiver.spans}
    orphans = [span for span in receiver.spans if span.parent_id and span.parent_id not in ids]
    assert not orphans
