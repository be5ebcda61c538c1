"""Runs a small agent in a process of its own, with obs-run started by ``import obs_run.auto``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., "Ran"]

PROBE = Path(__file__).parent / "probe"
MEMORY = {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}


class Ran(NamedTuple):
    """How a process ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def seen(self) -> dict[str, Any]:
        """What ``telemetry_probe.show`` printed."""
        assert self.code == 0, self.err
        seen: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return seen

    def spans(self) -> dict[str, dict[str, Any]]:
        """The spans by name."""
        return {span["name"]: span for span in self.seen["spans"]}

    def logs(self) -> dict[Any, dict[str, Any]]:
        """The log records by body."""
        return {log["body"]: log for log in self.seen["logs"]}


def run(folder: Path, source: str, *, start: bool = True, **environment: str) -> Ran:
    """Run ``source`` as agent.py; without exporters in ``environment`` telemetry stays in memory."""
    script = folder / "agent.py"
    script.write_text(("import obs_run.auto\n" if start else "\n") + dedent(source))
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE") if name in os.environ
    }
    given = any(name.startswith("OTEL_EXPORTER_OTLP") or name.endswith("_EXPORTER") for name in environment)
    env = {
        **kept,
        "HOME": str(folder),
        "PYTHONPATH": str(PROBE),
        "PYTHONWARNINGS": "default",
        "OTEL_BSP_SCHEDULE_DELAY": "20",
        **({} if given else MEMORY),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)
