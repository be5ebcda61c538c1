"""The example of a fleet's agent, as ``make demo-fleet`` shows it and docs/log-bridge.md has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.launch.environments import ROOT, assert_may_be_made

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [
    pytest.mark.environments,
    pytest.mark.timeout(900),  # the environment has to be made first
    pytest.mark.xdist_group("demo of the fleet"),  # and by one at a time
]
_PAGE = (ROOT / "docs" / "log-bridge.md").read_text(encoding="utf-8")
_SHOWN = re.findall(r"```text\n(process .*?)```", _PAGE, re.DOTALL)
BY_RULES, BY_PAIRS = _SHOWN[:2], _SHOWN[2:]
# Times, tokens and what is cut off are another's each time.
_VARYING = re.compile(r"\d+(?:\.\d+)?(?: ?(?:ms|s)\b)?| \.\.\.$")


def shown(bridge: str) -> list[list[str]]:
    """Return the lines of each trace that the demo shows."""
    assert_may_be_made()
    done = subprocess.run(
        [sys.executable, "examples/demo.py", "fleet"],
        cwd=ROOT,
        env={**os.environ, "OBS_BRIDGE": bridge},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, *traces = done.stdout.split("$ obsctl show ")
    return [[line[2:] for line in trace.splitlines()[2:] if line.strip()] for trace in traces]


def stable(lines: Sequence[str], longest: int = 60) -> list[str]:
    """Return the lines without what differs from run to run, each to a length that the page has of all."""
    return [_VARYING.sub("#", line)[:longest].rstrip() for line in lines]


@pytest.mark.parametrize(("bridge", "requests"), [("rules", BY_RULES), ("automatic", BY_PAIRS)])
def test_each_request_is_a_trace_with_its_work_inside(bridge: str, requests: list[str]) -> None:
    traces = [stable(trace) for trace in shown(bridge)]
    assert len(requests) == 2
    for request in requests:
        assert stable(request.splitlines()) in traces
