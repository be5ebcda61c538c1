from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.cases import PRELUDE
from tests.launch.environments import ROOT
from tests.launch.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PIP = "pip==23.2"
MOST_PACKAGES, MOST_BYTES, MOST_SECONDS = 27, 20_000_000, 120
pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def python() -> str:
    # Python 3.12 is the newest that this pip knows.
    found = (environments.interpreter(version) for version in ("3.11", "3.10", "3.12"))
    return next(path for path in found if path)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the wheel is made of: a build in the source tree could leave something there."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("src", "instrumentors"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def old_pip(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with nothing in it but an old pip."""
    folder = tmp_path_factory.mktemp("pip") / "venv"
    environments.make(folder, python, PIP)
    return folder


def done(words: list[str], home: Path, **more: str) -> str:
    env = {**{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}, **more}
    ended = subprocess.run(words, env={**env, "HOME": str(home)}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def assert_works(commands: Path, words: list[str], receiver: Receiver, folder: Path) -> None:
    """Assert that the commands run a program and trace it."""
    (folder / "agent.py").write_text(PRELUDE + "print(sys.argv[1:]); span('work')")
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    outcome = run([str(commands / "obs-run"), *words, "agent.py", "a b"], folder, env)
    assert outcome == (0, "['a b']\n", "")
    assert sorted(span.name for span in receiver.spans) == ["agent", "work"]
    told = run([str(commands / "obsctl"), "--version"], folder, env)
    assert (told.code, told.err) == (0, "")


def test_pip_in_a_fresh_environment(old_pip: Path, sources: Path, receiver: Receiver, tmp_path: Path) -> None:
    python = str(old_pip / "bin" / "python")
    start = time.monotonic()
    done([python, "-m", "pip", "install", "--quiet", "--no-compile", str(sources)], tmp_path)
    assert time.monotonic() - start < MOST_SECONDS

    listed = json.loads(done([python, "-m", "pip", "list", "--format", "json"], tmp_path))
    packages = {each["name"] for each in listed} - {"pip", "setuptools", "wheel"}
    assert len(packages) <= MOST_PACKAGES
    (site,) = old_pip.glob("lib/python*/site-packages")
    files = [path for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    theirs = [path for path in files if not path.relative_to(site).parts[0].startswith(("pip", "setuptools"))]
    assert sum(path.stat().st_size for path in theirs) <= MOST_BYTES
    assert_works(old_pip / "bin", [python], receiver, tmp_path)


def test_pip_for_the_user(python: str, old_pip: Path, sources: Path, receiver: Receiver, tmp_path: Path) -> None:
    (pip,) = old_pip.glob("lib/python*/site-packages/pip")
    alone = shutil.copytree(pip, tmp_path / "alone" / "pip")  # what lies beside it counts as installed
    words = [python, str(alone), "install", "--quiet", "--no-compile", "--no-warn-script-location", "--user"]
    done([*words, str(sources)], tmp_path, PIP_BREAK_SYSTEM_PACKAGES="1")
    assert_works(tmp_path / ".local" / "bin", [python], receiver, tmp_path)


def test_as_a_tool_of_uv(python: str, sources: Path, receiver: Receiver, tmp_path: Path) -> None:
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    words = [environments.uv(), "tool", "install", "--quiet", "--python", python, str(sources)]
    done(words, tmp_path, UV_CACHE_DIR=done([environments.uv(), "cache", "dir"], tmp_path.home()).strip(), **places)
    # A tool lives in an environment of its own: with its Python, scripts are traced.
    assert_works(tmp_path / "bin", [], receiver, tmp_path)
