"""Finding and making the backends: PATH first, then the cache, and a clear word where neither can be."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.backends import cache, install
from tests.e2e.backends.install import ROOT
from tests.e2e.backends.recipes import MissingError


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing: an empty cache, and a PATH of one folder for the test to fill."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("collector", "Go 1.26"),
        ("jaeger", "Go 1.26"),
        ("nats-server", "Go 1.26"),
        ("redis-server", "apt-get"),
        ("prometheus", "apt-get"),
        ("alertmanager", "apt-get"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_where_nothing_is_the_word_is_what_to_install(name: str, needs: str) -> None:
    with pytest.raises(MissingError, match=f"^{name}: needs .*{needs}"):
        install.find(name)


def test_a_program_on_path_is_taken(bare: Path) -> None:
    mine = program(bare / "otelcol-contrib", "exit 0")

    assert install.find("collector") == mine


def test_a_program_on_path_that_refuses_our_configuration_is_not(bare: Path) -> None:
    program(bare / "otelcol", "exit 1")

    with pytest.raises(MissingError):
        install.find("collector")


@pytest.mark.parametrize(("version", "taken"), [("3.1.0", True), ("2.42.0+ds", True), ("2.9.1", False)])
def test_a_program_on_path_must_be_new_enough(bare: Path, version: str, taken: bool) -> None:  # noqa: FBT001
    mine = program(bare / "prometheus", f"echo 'prometheus, version {version} (branch: x)'")

    if taken:
        assert install.find("prometheus") == mine
    else:
        with pytest.raises(MissingError):
            install.find("prometheus")


def test_a_failed_making_says_the_tools_last_words_and_leaves_nothing(bare: Path) -> None:
    program(bare / "go", "echo 'no network' >&2; exit 1")

    with pytest.raises(MissingError, match="no network"):
        install.find("jaeger")

    assert not [path for path in cache.folder().iterdir() if path.is_dir()]


@pytest.mark.parametrize(("demand", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_a_missing_backend_is_skipped_aloud_or_fails_on_demand(bare: Path, demand: str, outcome: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/e2e/test_backends.py", "-k", "kept_with_its_trace"],
        cwd=ROOT,
        env={"PATH": str(bare), "XDG_CACHE_HOME": str(bare.parent / "cache"), install.REQUIRE: demand},
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome in done.stdout, done.stdout
    assert "needs Go 1.26 or newer on PATH" in done.stdout


def test_two_runs_make_it_once(bare: Path) -> None:
    made = bare.parent / "made"
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.e2e.backends import cache\n"
        "def make(target):\n"
        "    time.sleep(0.3)\n"
        "    with Path(sys.argv[1]).open('a') as file: file.write('x')\n"
        "print(cache.provide('thing', 'recipe', make))\n"
    )
    command = [sys.executable, "-c", code, str(made)]
    runs = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {run.communicate()[0] for run in runs}

    assert [run.returncode for run in runs] == [0, 0, 0]
    assert made.read_text() == "x"
    assert len(answers) == 1
