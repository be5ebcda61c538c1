"""What libraries send to their vendors: as the user has it, off by one setting, and named by the doctor."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

OBS_RUN = str(SCRIPTS / "obs-run")
OBSCTL = str(SCRIPTS / "obsctl")
NAMES = ("CREWAI_DISABLE_TELEMETRY", "OPENAI_AGENTS_DISABLE_TRACING", "HAYSTACK_TELEMETRY_ENABLED")
SHOWN = f"import json, os; print(json.dumps([os.environ.get(name) for name in {NAMES}]))"
IN_A_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SHOWN!r}])"


def seen(code: str, receiver: Receiver, tmp_path: Path, **variables: str) -> list[str | None]:
    outcome = run([OBS_RUN, "-c", code], tmp_path, environment(receiver.endpoint, tmp_path, **variables))
    assert (outcome.code, outcome.err) == (0, "")
    values: list[str | None] = json.loads(outcome.out)
    return values


def test_it_stays_as_the_user_has_it(receiver: Receiver, tmp_path: Path) -> None:
    assert seen(SHOWN, receiver, tmp_path) == [None, None, None]
    assert seen(SHOWN, receiver, tmp_path, HAYSTACK_TELEMETRY_ENABLED="True") == [None, None, "True"]


def test_one_setting_switches_all_off_but_what_the_user_set(receiver: Receiver, tmp_path: Path) -> None:
    off = {"OBS_VENDOR_TELEMETRY": "off", "HAYSTACK_TELEMETRY_ENABLED": "True"}
    for code in (SHOWN, IN_A_CHILD):
        assert seen(code, receiver, tmp_path, **off) == ["true", "1", "True"]


def doctor(tmp_path: Path, **variables: str) -> list[str]:
    site = tmp_path / "site"
    for name in ("crewai", "langsmith"):
        folder = site / f"{name}-1.0.dist-info"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    environ = {"PATH": str(SCRIPTS), "HOME": str(tmp_path), "PYTHONPATH": str(site), **variables}
    done = subprocess.run([sys.executable, OBSCTL, "doctor"], env=environ, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    found = lines[lines.index("# What libraries send to their vendors") + 1 :]
    return [line for line in found if line.split()[1].rstrip(":") in ("crewai", "langsmith")]


@pytest.mark.slow
def test_the_doctor_names_them(tmp_path: Path) -> None:
    assert doctor(tmp_path) == [
        "-    crewai: what it does by itself; OBS_VENDOR_TELEMETRY=off switches that off",
        "ok   langsmith: nothing, unless LANGSMITH_TRACING says so",
    ]
    assert doctor(tmp_path, OBS_VENDOR_TELEMETRY="off")[0] == "ok   crewai: nothing, by OBS_VENDOR_TELEMETRY"
    assert doctor(tmp_path, CREWAI_DISABLE_TELEMETRY="true")[0] == "ok   crewai: as set: CREWAI_DISABLE_TELEMETRY=true"
