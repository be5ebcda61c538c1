"""Ports for tests: each is one run's alone, also before anybody listens on it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

from tests import ports
from tests.launch.environments import ROOT

if TYPE_CHECKING:
    import pytest

_TAKE = """
from tests import ports

ports._CHOICE = ({first}, {second})
print(ports.free_port(), flush=True)
input()
"""


def test_runs_beside_each_other_have_different_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ports.free_ports(2)
    fcntl.lockf(ports._reservations(), fcntl.LOCK_UN, 1, second)
    command = [sys.executable, "-c", _TAKE.format(first=first, second=second)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert int(other.stdout.readline()) == second
        ports._reserved.difference_update((first, second))
        monkeypatch.setattr(ports, "_CHOICE", (first, second))
        assert ports.free_port() == first
        other.communicate("\n")
