from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_run.relay import supervisor
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory that a relay of its own reads."""
    folder = Path(tempfile.mkdtemp(prefix="obs-run-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_relay_stays(memory: Path) -> Iterator[None]:
    """End the relay that a test began."""
    yield
    pid = supervisor.running(str(memory))
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        while supervisor.running(str(memory)) is not None:
            time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
