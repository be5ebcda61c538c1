from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.launch.cases import PRELUDE
from tests.launch.running import SCRIPTS, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_cut_the_flush_short(second: int, receiver: Receiver, tmp_path: Path) -> None:
    receiver.mood = "silent"
    (tmp_path / "agent.py").write_text(PRELUDE + "span('work'); print('ready', flush=True); time.sleep(30)")
    words = [str(SCRIPTS / "obs-run"), sys.executable, "agent.py"]
    env = environment(receiver.endpoint, tmp_path, OBS_FLUSH_SECONDS="2")
    with subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.terminate()
        time.sleep(0.3)
        process.send_signal(second)
        assert process.wait(20) == -signal.SIGTERM
    # The silent collector would keep it for a minute.
    assert 1.5 < time.monotonic() - start < 20
