from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed
from tests.launch.cases import PRELUDE
from tests.launch.running import SCRIPTS, Outcome, environment, run

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
        while process.poll() is None and not receiver.requests:
            time.sleep(0.01)
        process.send_signal(second)
        assert process.wait(60) == -signal.SIGTERM
    # The silent collector would keep it for a minute.
    assert 1.5 < time.monotonic() - start < 40


# A signal that comes in the midst of an import is held back for a moment: an export may need what is half imported.
ENDS = {
    "end": "",
    "sys.exit": "sys.exit(3)",
    "os._exit": "os._exit(3)",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', ''])",
}


@pytest.mark.sampled
@pytest.mark.parametrize(("number", "end"), crossed([signal.SIGTERM, signal.SIGHUP], ENDS))
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


def test_the_first_of_two_signals_amid_an_import_is_what_kills(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "victim.py").write_text(
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGHUP)\n"
    )
    (tmp_path / "agent.py").write_text(PRELUDE + "span('work'); import victim; time.sleep(30)\n")
    env = environment(receiver.endpoint, tmp_path)
    ended = run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], tmp_path, env)
    assert ended == Outcome(-signal.SIGTERM, "", "")
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


_MOST_TRIES = 20
# Each is killed at a moment at which the main thread holds what the export thread needs.
_AMID_A_WAIT_FOR_AN_IMPORT = """\
import _frozen_importlib, importlib, logging, os, signal, sys, threading, time
logging.getLogger("agent").warning("a line")


def kill(frame, event, argument):
    if frame.f_code.co_name.lstrip("_").startswith("has_deadlock"):
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGTERM)


def imported_elsewhere():
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        for name, reference in list(_frozen_importlib._module_locks.items()):
            lock = reference()
            if lock is not None and lock.owner not in (None, threading.get_ident()):
                return name
    os._exit(3)


name = imported_elsewhere()
sys.settrace(kill)
importlib.import_module(name)
sys.settrace(None)
# The other thread was faster: this was no such moment.
os._exit(3)
"""
_MISSED = 3
_AMID_A_MEASUREMENT = """\
import logging, os, signal, sys, time
from opentelemetry import metrics
logging.getLogger("agent").warning("a line")
counter = metrics.get_meter("agent").create_counter("things")
counter.add(1)


def kill(frame, event, argument):
    instrument = frame.f_locals.get("self")
    if frame.f_code.co_name == "aggregate" and event == "line" and instrument._lock.locked():
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGTERM)
    return kill


sys.settrace(kill)
counter.add(1)
time.sleep(60)
print("not killed")
"""


@pytest.mark.parametrize("program", [_AMID_A_WAIT_FOR_AN_IMPORT, _AMID_A_MEASUREMENT], ids=["import", "measurement"])
def test_a_signal_while_the_main_thread_holds_what_the_export_needs(
    program: str, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(program)
    env = {**environment(receiver.endpoint, tmp_path), "OTEL_BSP_SCHEDULE_DELAY": "1"}
    ended = Outcome(_MISSED, "", "")
    for _ in range(_MOST_TRIES):
        if ended.code != _MISSED:
            break
        receiver.logs.clear()
        ended = run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], tmp_path, env)
    assert ended == Outcome(-signal.SIGTERM, "", "a line\n")
    assert [log.body for log in receiver.logs] == ["a line"]
    assert ("things" in {metric.name for metric in receiver.metrics}) == (program is _AMID_A_MEASUREMENT)


# The export thread has looked for something and found nothing: what an export needs is still to be imported.
_BEFORE_THE_FIRST_EXPORT = """\
import os, signal, sys, time
from opentelemetry import trace
work = trace.get_tracer("case").start_span("work")
give_up = time.monotonic() + 60
while "obs_run.pipeline.export_pipeline" not in sys.modules and time.monotonic() < give_up:
    time.sleep(0.01)
time.sleep(1)


class Killing:
    def find_spec(self, name, path=None, target=None):
        if name == "opentelemetry.proto":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGTERM)


sys.meta_path.insert(0, Killing())
import opentelemetry.exporter.otlp.proto.common.trace_encoder
time.sleep(60)
"""


def test_a_signal_amid_an_import_before_the_first_export_waits_for_the_import(
    receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(_BEFORE_THE_FIRST_EXPORT)
    env = environment(receiver.endpoint, tmp_path, OTEL_BSP_SCHEDULE_DELAY="1", OBS_FLUSH_SECONDS="15")
    ended = run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], tmp_path, env)
    assert ended == Outcome(-signal.SIGTERM, "", "")
    assert "work" in {span.name for span in receiver.spans}


# The signal comes again at a moment at which the main thread is about to wait, and is handled after the wait.
_LOST_BEFORE_A_WAIT = """\
import os, signal, threading, time
from opentelemetry import trace
with trace.get_tracer("case").start_as_current_span("work"):
    pass
from obs_run.process import exit_sequence
kill = exit_sequence.kill
sent = []


def kill_late(process, number):
    sent.append(number)
    if len(sent) > 1:
        kill(process, number)


exit_sequence.kill = kill_late
import victim
time.sleep(30)
print("not killed")
"""


def test_a_signal_that_is_sent_again_is_sent_until_it_is_handled(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "victim.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM)\n")
    (tmp_path / "agent.py").write_text(_LOST_BEFORE_A_WAIT)
    env = environment(receiver.endpoint, tmp_path)
    ended = run([str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py"], tmp_path, env)
    assert ended == Outcome(-signal.SIGTERM, "", "")
    assert "work" in {span.name for span in receiver.spans}
