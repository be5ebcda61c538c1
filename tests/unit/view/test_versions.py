"""The viewer from a wheel, with the oldest and newest releases of what the extra brings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.environments import ROOT
from tests.ports import free_port
from tests.unit.view import serving
from tests.unit.view.recording import trace_id

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = ("starlette==0.40.0", "uvicorn==0.30.0", "jinja2==3.1.0")
PATHS = (
    "/",
    "/static/app.js",
    "/static/style.css",
    "/data/traces",
    f"/data/traces/{trace_id(2)}",
    "/data/conversation?id=trip-1",
    "/data/map",
    "/api/v3/services",
    f"/api/traces/{trace_id(2)}",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what the wheel is made of: a build in the source tree could leave something there."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("src", "instrumentors"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.environments
@pytest.mark.parametrize(("python", "packages"), [("3.10", OLDEST), ("3.13", ())], ids=["oldest", "newest"])
def test_the_extra_is_all_that_the_viewer_needs(
    python: str, packages: tuple[str, ...], sources: Path, store: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "environment"
    environments.make(folder, environments.interpreter_or_skip(python), f"{sources}[view]", *packages)
    port = free_port()
    command = [str(folder / "bin" / "obsctl"), "view", "--port", str(port), "--store", str(store)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as view:
        assert view.stdout is not None
        assert view.stderr is not None
        found = re.search(r"token=(\S+)", view.stdout.readline())
        assert found is not None, view.stderr.read()
        for path in PATHS:
            answer = serving.Viewer(port).ask(path, {"Authorization": f"Bearer {found[1]}"})
            assert (path, answer.status) == (path, 200)
            assert answer.body
        view.terminate()
        assert view.stderr.read() == ""
