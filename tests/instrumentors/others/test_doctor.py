"""What ``obsctl doctor`` says where instrumentors of others are installed."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tests.instrumentors.environments import python_with
from tests.instrumentors.others.test_botocore import BOTOCORE
from tests.instrumentors.others.test_choice import OFFICIAL, OPENINFERENCE, OPENLLMETRY
from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_SENDING = tuple(f"ok   {name} " for name in ("httpcore", "httpcore2", "httpx", "httpx2", "urllib3"))
DOCTOR = "import sys; from obs_run.cli import main; sys.exit(main(['doctor']))"

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


def doctor(python: Path, home: Path, **variables: str) -> list[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), **variables}
    environ["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), str(ROOT / "instrumentors")))
    done = subprocess.run([str(python), "-c", DOCTOR], env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    libraries = lines[lines.index("# Libraries") + 1 : lines.index("# Where telemetry goes")]
    # What the client sends its calls with is there too, and recorded where the agent itself sends any.
    sending = [line for line in libraries if line.startswith(_SENDING)]
    assert sending
    return [line for line in libraries if line not in sending]


def version(python: Path, distribution: str) -> str:
    folders = [str(each) for each in (python.parent.parent / "lib").glob("python*/site-packages")]
    return next(iter(metadata.distributions(name=distribution, path=folders))).version


def test_who_instruments_a_library_and_why(tmp_path: Path) -> None:
    python = python_with("openai>=3,<4", f"{OFFICIAL}==1.3b0", OPENLLMETRY, OPENINFERENCE)
    openai, official, openllmetry, openinference = (
        version(python, name) for name in ("openai", OFFICIAL, OPENLLMETRY, OPENINFERENCE)
    )
    named = [f"{OFFICIAL} {official}", f"{OPENLLMETRY} {openllmetry}", f"{OPENINFERENCE} {openinference}"]
    why = "(obs-run comes first unless OBS_PREFER says otherwise)"
    assert doctor(python, tmp_path) == [
        f"ok   openai {openai}: instrumented (supported: >=1.26,<4); left alone: "
        + ", ".join(f"{each} {why}" for each in named)
    ]
    assert doctor(python, tmp_path, OBS_PREFER="openai=openllmetry,acme") == [
        f"ok   openai {openai}: instrumented by {named[1]}: OBS_PREFER; left alone: {named[0]}, {named[2]}",
        "!    OBS_PREFER: acme is not installed",
    ]
    disabled = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
    off = f"switched off by {disabled}"
    assert doctor(python, tmp_path, **{disabled: "obs-run:openai"}) == [
        f"ok   openai {openai}: instrumented by {named[0]}: obs-run: {off}; left alone: {named[1]}, {named[2]}"
    ]
    assert doctor(python, tmp_path, **{disabled: "openai"}) == [
        f"-    openai {openai}: not instrumented: {off}; left alone: " + ", ".join(f"{each} ({off})" for each in named),
    ]


def test_what_does_not_fit_and_what_is_not_covered(tmp_path: Path) -> None:
    python = python_with("openai==2.0.0", OPENINFERENCE)
    wanting = f"{OPENINFERENCE} {version(python, OPENINFERENCE)}"
    unfit = "it wants openai >=2.8.0; 2.0.0 is installed"
    assert doctor(python, tmp_path, OBS_PREFER="openinference") == [
        f"ok   openai 2.0.0: instrumented (supported: >=1.26,<4); left alone: {wanting} ({unfit})"
    ]
    python = python_with("boto3", f"{BOTOCORE}==0.66b1")
    assert f"ok   botocore {version(python, 'botocore')}: instrumented by {BOTOCORE} 0.66b1" in doctor(python, tmp_path)
