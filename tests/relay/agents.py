"""Runs agents under obs-run with a relay of their own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.launch.running import SCRIPTS, Outcome, environment

if TYPE_CHECKING:
    from pathlib import Path

OBS_RUN, PYTHON, OBSCTL = (str(SCRIPTS / name) for name in ("obs-run", "python", "obsctl"))
SECONDS = 60.0


def relayed(memory: Path, home: Path, endpoint: str, **more: str) -> dict[str, str]:
    own = {"OBS_RELAY": "on", "OBS_RELAY_FOLDER": str(memory), "OTEL_BSP_SCHEDULE_DELAY": "50", **more}
    return environment(endpoint, home, **own)


def launch(memory: Path, home: Path, endpoint: str, program: str, *words: str, **more: str) -> Outcome:
    """Run a program under obs-run to its end."""
    script = home / "agent.py"
    script.write_text(program)
    ran = subprocess.run(
        [OBS_RUN, PYTHON, str(script), *words],
        cwd=home,
        env=relayed(memory, home, endpoint, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Outcome(ran.returncode, ran.stdout, ran.stderr)
