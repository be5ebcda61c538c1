"""Isolated environments for library versions that exclude each other, made by uv and kept under .cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.file_lock import locked
from tests.launch.environments import ROOT, assert_may_be_made, interpreter, make

if TYPE_CHECKING:
    from pathlib import Path

_CACHE = ROOT / ".cache" / "environments"
_OURS = (
    "opentelemetry-api<1.46",
    "opentelemetry-sdk<1.46",
    "wrapt<3",
    "pytest",
    "jsonschema",
)


def python_with(*requirements: str, python: str | None = None) -> Path:
    """Return the interpreter of an environment with the requirements; the name of its folder is their hash."""
    assert_may_be_made()
    wanted = (*_OURS, *requirements)
    base = interpreter(python) if python else sys.executable
    assert base is not None, f"Python {python} is not installed"
    key = hashlib.sha256("\n".join((python or sys.version, *wanted)).encode()).hexdigest()[:16]
    folder = _CACHE / key
    ready = folder / "ready"
    with locked(_CACHE / f"{key}.lock"):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, base, *wanted)
            ready.touch()
    return folder / "bin" / "python"


def run_tests(python: Path, *files: Path, **variables: str) -> str:
    """Run test files in an environment; return pytest's output, and fail with it where one does not pass."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_", "PYTEST_"))}
    environ |= {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"), str(ROOT / "instrumentors"))), **variables}
    options = ("-q", "-c", os.devnull, "--rootdir", str(ROOT), "--import-mode=importlib", "-p", "no:cacheprovider")
    done = subprocess.run(
        [str(python), "-m", "pytest", *options, *map(str, files)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=3000,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
