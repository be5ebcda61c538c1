"""The scripts of ``obsctl completion``, in the shells that are there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from obs_run import cli

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
read -ra COMP_WORDS <<<"$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]}-1)) COMPREPLY=()
"$2"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "obsctl.bash"
    made = subprocess.run(
        [sys.executable, "-m", "obs_run.cli", "completion", "bash"], capture_output=True, text=True, check=True
    )
    path.write_text(made.stdout + ASK)
    return path


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("obsctl ", {*cli.COMMANDS, "--help", "--version"}),
        ("obsctl sh", {"show"}),
        ("obsctl show --c", {"--content"}),
        ("obsctl show abc --js", {"--json"}),
        ("obsctl audit v", {"verify"}),
        ("obsctl audit show --s", {"--since", "--service"}),
        ("obsctl completion ", {"bash", "fish", "zsh", "--help"}),
        ("obs-run --c", {"--content"}),
        ("obs-run --", {"--service-name", "--endpoint", "--content", "--verbose", "--version", "--help"}),
    ],
)
def test_bash_completes(bash_script: Path, typed: str, completed: set[str]) -> None:
    function = "_obs_run" if typed.startswith("obs-run") else "_obsctl"
    done = subprocess.run(["bash", bash_script, typed, function], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert set(done.stdout.split()) == completed


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_every_command_and_option_is_in_the_other_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in cli.COMMANDS)
    assert "details" in script
    assert "expect" in script
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run(
            [program, "-n", "/dev/stdin"], input=script, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")
