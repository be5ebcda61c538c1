"""Many processes that write one store and read it at once: no lock error reaches anyone, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import store_contention

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_writers_and_readers_at_once(tmp_path: Path) -> None:
    done = store_contention.run(tmp_path / "store.db", writers=6, readers=3, spans=2000)
    assert done.problems == []
    assert done.stored == done.written == 6 * 2000
    assert done.reads >= 3


def test_what_goes_wrong_is_seen(tmp_path: Path) -> None:
    # A folder is no store.
    words = ["--writers", "1", "--readers", "1", "--spans", "100", "--store", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.store_contention", *words]
    failed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert failed.returncode == 1
    assert "is not a file" in failed.stdout
