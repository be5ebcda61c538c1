"""What ``make demo`` shows."""

from __future__ import annotations

import subprocess
import sys

from tests.launch.environments import ROOT


def test_the_demo_shows_the_tools_of_its_agent() -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    _, _, shown = done.stdout.partition("$ obsctl show")
    lines = [line.strip() for line in shown.splitlines()]
    begins = [line.split("  ")[0] for line in lines if not line.startswith("+")]
    chat = "chat gpt-5-mini"
    assert begins[begins.index(chat) :][:4] == [chat, "execute_tool weather", "execute_tool hotel", chat]
