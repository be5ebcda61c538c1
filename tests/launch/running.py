"""Runs a case in a folder of its own, with or without obs-run, and says what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipapp
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cases import Case

SCRIPTS = Path(sysconfig.get_path("scripts"))


class Outcome(NamedTuple):
    """What a program left behind."""

    code: int
    out: str
    err: str


def environment(endpoint: str, home: Path, **more: str) -> dict[str, str]:
    """Return an environment with nothing in it but what a program needs."""
    keep = {name: os.environ[name] for name in ("LANG", "PYTHONDONTWRITEBYTECODE", "TMPDIR") if name in os.environ}
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    here = {"PATH": path, "HOME": str(home), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    return {**keep, **here, "OTEL_BSP_SCHEDULE_DELAY": "60000", **more}


def lay_out(case: Case, folder: Path) -> None:
    """Write the case's files."""
    source = case.source()
    for name, text in {"agent.py": source, "sub/agent.py": source, "package/__main__.py": source, **case.files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    script = folder / "agent"
    script.write_text(f"#!{sys.executable}\n{source}")
    script.chmod(0o755)
    zipapp.create_archive(folder / "package", folder / "agent.pyz")


def command(case: Case, *, launched: bool) -> list[str]:
    """Return the case's command line, or the one that does the same without obs-run."""
    words = list(case.command)
    if not launched:
        words = [word for word in words if word != "{obs-run}"]
        if words[0].startswith("-") or words[0].endswith(".py"):
            words.insert(0, "{python}")
        if words[1:3] == ["-m", "obs_run"]:
            words = words[3:]
        words = [word.replace("import obs_run.auto\n", "") for word in words]
    names = {"{obs-run}": str(SCRIPTS / "obs-run"), "{python}": sys.executable}
    for placeholder, value in names.items():
        words = [word.replace(placeholder, value) for word in words]
    return words


def run(
    words: list[str], folder: Path, env: dict[str, str], *, stdin: str = "", send: int = 0, seconds: float = 25
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
                process.send_signal(send)
            out, err = process.communicate(stdin, timeout=seconds)
        finally:
            process.kill()
    return Outcome(process.returncode, out, err)
