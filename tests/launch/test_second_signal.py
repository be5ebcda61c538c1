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


# A signal that comes in the midst of an import is held back for a moment: an export may need what is half imported.
ENDS = {
    "end": "",
    "sys.exit": "sys.exit(3)",
    "os._exit": "os._exit(3)",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', ''])",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_amid_an_import_kills_however_the_program_ends(
    end: str, number: int, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "victim.py").write_text(f"import os; os.kill(os.getpid(), {int(number)})\n")
    (tmp_path / "agent.py").write_text(PRELUDE + f"import os, sys; span('work'); import victim; {ENDS[end]}\n")
    done = subprocess.run(
        [str(SCRIPTS / "obs-run"), sys.executable, "agent.py"],
        cwd=tmp_path, env=environment(receiver.endpoint, tmp_path), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -number
    assert "work" in {span.name for span in receiver.spans}


FIRST = {
    "SIGINT": "signal.raise_signal(signal.SIGINT)",
    "SIGTERM": "signal.raise_signal(signal.SIGTERM)",
    "SIGTERM handled": "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4)); signal.raise_signal(signal.SIGTERM)",
    "end": "",
    "exception": "1 / 0",
    "os._exit": "os._exit(3)",
    "thread": "threading.Thread(target=lambda: (time.sleep(0.1), print(flush=True))).start(); sys.exit(5)",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_what_comes_while_we_flush_changes_neither_exit_status_nor_output(
    name: str, second: int, receiver: Receiver, tmp_path: Path
) -> None:
    # The silent collector holds the flush, in the midst of which the second signal comes.
    receiver.mood = "silent"
    program = f"{PRELUDE}signal.signal(signal.SIGALRM, lambda *_: 1 / 0)\nspan('work')\n{FIRST[name]}\n"
    (tmp_path / "agent.py").write_text(program)
    env = environment(receiver.endpoint, tmp_path, OBS_FLUSH_SECONDS="3")
    plain = subprocess.run(
        [sys.executable, "agent.py"], cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False
    )
    words = [str(SCRIPTS / "obs-run"), sys.executable, "agent.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe) as process:
        while process.poll() is None and not receiver.requests:
            time.sleep(0.01)
        assert process.stdout is not None
        if name == "thread":
            # While the agent's own thread works, the signal is the agent's.
            assert process.stdout.readline() == b"\n"
            time.sleep(0.3)
        if process.poll() is None:
            process.send_signal(second)
        out, err = process.communicate(timeout=60)
    lines = [line for line in err.decode().splitlines(keepends=True) if not line.startswith("obs-run: ")]
    assert (process.returncode, out, "".join(lines)) == (plain.returncode, plain.stdout.strip(), plain.stderr.decode())
