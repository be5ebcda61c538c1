from __future__ import annotations

import dataclasses
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.environments import Environment
from tests.launch.hooked import HOOKED, UNCHANGED
from tests.launch.running import check, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.launch.cases import Case
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the first time environments are made


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("scratch") / "venv"
    environments.make(folder, environments.HERE.python, *environments.OURSELVES)
    return Environment(str(folder / "bin" / "python"), folder / "bin")


def obsctl(place: Environment, *words: str) -> list[str]:
    done = subprocess.run([place.command("obsctl"), *words], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.splitlines()


@pytest.fixture
def hooked(scratch: Environment) -> Iterator[Environment]:
    obsctl(scratch, "install-hook")
    yield scratch
    obsctl(scratch, "uninstall-hook")


@pytest.mark.parametrize("case", [*HOOKED, *UNCHANGED], ids=lambda case: case.name)
def test_with_the_hook(case: Case, hooked: Environment, receiver: Receiver, tmp_path: Path) -> None:
    check(case, receiver, tmp_path, hooked)


@pytest.mark.parametrize("case", HOOKED, ids=lambda case: case.name)
def test_without_the_hook(case: Case, scratch: Environment, receiver: Receiver, tmp_path: Path) -> None:
    # A parent is traced as ever; what only the hook reaches is not.
    parent = case.runs == 2
    untraced = dataclasses.replace(case, spans=("work",) if parent else (), runs=1 if parent else 0)
    check(untraced, receiver, tmp_path, scratch)


def test_install_and_uninstall(scratch: Environment) -> None:
    installed = [line.removeprefix("installed ") for line in obsctl(scratch, "install-hook")]
    endings = [path.rpartition("/")[2] for path in installed]
    assert endings == ["_obs_run_hook.py", "obs_run_hook.pth", "obs_run_hook.start"]
    assert all(str(scratch.scripts.parent) in path for path in installed)
    assert any(line.startswith("ok   hook: installed") for line in obsctl(scratch, "doctor"))
    assert obsctl(scratch, "install-hook") == [f"installed {path}" for path in installed]
    assert obsctl(scratch, "uninstall-hook") == [f"removed {path}" for path in installed]
    assert obsctl(scratch, "uninstall-hook") == ["the hook is not installed"]


def test_a_hook_left_behind_is_silent(receiver: Receiver, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    environments.make(folder, environments.HERE.python)
    python = str(folder / "bin" / "python")
    packages = run([python, "-c", "import site; print(site.getsitepackages()[0])"], tmp_path, environment("", tmp_path))
    write = "import sys; from obs_run.launch import hook; hook._folder = lambda: sys.argv[1]; hook.install()"
    subprocess.run([environments.HERE.python, "-c", write, packages.out.strip()], check=True, timeout=30)
    for under in ({}, {"OBS_RUN": str(tmp_path)}):
        env = environment(receiver.endpoint, tmp_path, **under)
        assert run([python, "-c", "print(1)"], tmp_path, env) == (0, "1\n", "")
