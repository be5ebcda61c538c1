"""Long output on a terminal goes through the pager of the user; all else goes straight out."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import sysconfig
import termios
from pathlib import Path

import pytest

OBSCTL = Path(sysconfig.get_path("scripts")) / "obsctl"
PAGER = """\
import os, sys
text = sys.stdin.read()
print(f"PAGED {text.count(chr(10))} lines, LESS={os.environ.get('LESS')}, colours={chr(27) in text}")
"""


@pytest.fixture
def pager(tmp_path: Path) -> str:
    script = tmp_path / "pager.py"
    script.write_text(PAGER)
    return f"{sys.executable} {script}"


def on_terminal(*words: str, lines: int = 20, **variables: str) -> str:
    """Run obsctl on a terminal of so many lines, and return what is shown there."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
    dropped = ("PAGER", "LESS", "NO_COLOR", "LINES", "COLUMNS")
    environ = {name: value for name, value in os.environ.items() if name not in dropped}
    environ |= {"TERM": "xterm-256color", **variables}
    with subprocess.Popen([OBSCTL, *words], env=environ, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 10_000):
                shown += data
        except OSError:  # Linux says so when nobody has the other end any more
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return shown.decode()


def test_long_output_goes_through_the_pager(pager: str) -> None:
    shown = on_terminal("settings", PAGER=pager)
    assert shown.startswith("PAGED ")
    assert "LESS=FRX" in shown
    assert shown.count("\n") == 1
    assert "LESS=-S" in on_terminal("settings", PAGER=pager, LESS="-S")


def test_what_fits_is_printed(pager: str) -> None:
    assert "PAGED" not in on_terminal("settings", PAGER=pager, lines=5000)
    assert "OBS_PRIVACY" in on_terminal("settings", "OBS_PRIVACY", PAGER=pager)


@pytest.mark.parametrize("wanted", ["", "cat", "no-such-pager", "'"])
def test_without_a_pager_all_is_printed(wanted: str) -> None:
    assert "OBS_PRIVACY" in on_terminal("settings", PAGER=wanted)


def test_a_pager_that_is_left_early_ends_the_command(tmp_path: Path) -> None:
    script = tmp_path / "left.py"
    script.write_text("import sys; sys.stdin.readline(); print('enough')")
    assert on_terminal("settings", PAGER=f"{sys.executable} {script}").strip() == "enough"


def test_where_nobody_looks_there_is_no_pager(pager: str) -> None:
    environ = {**os.environ, "PAGER": pager, "TERM": "xterm"}
    done = subprocess.run([OBSCTL, "settings"], env=environ, capture_output=True, text=True, check=True)
    assert "PAGED" not in done.stdout
    assert "PAGED" not in on_terminal("settings", PAGER=pager, TERM="dumb")
