"""SIGTERM and SIGHUP end a process and its children when they would end them without obs-run."""

from __future__ import annotations

import signal
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch.running import SCRIPTS, Outcome, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PYTHON = str(SCRIPTS / "python")
LAUNCHED = [str(SCRIPTS / "obs-run"), PYTHON]
PRELUDE = """\
import ctypes, os, signal, sys, threading, time

def span(name):
    from opentelemetry import trace
    trace.get_tracer("case").start_span(name).end()

def never_return_from_c(say, to):
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    os.write(to, say.encode())
    libc.pthread_mutex_lock(mutex)

def status_of(pid):
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.001)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "it goes on"

"""


def both(body: str, receiver: Receiver, folder: Path, **more: str) -> tuple[Outcome, Outcome]:
    """Run a script without obs-run and with it."""
    (folder / "agent.py").write_text(PRELUDE + dedent(body))
    env = environment(receiver.endpoint, folder, **more)
    return run([PYTHON, "agent.py"], folder, env), run([*LAUNCHED, "agent.py"], folder, env)


def killed_when_ready(words: list[str], number: int, folder: Path, env: dict[str, str]) -> Outcome:
    """Run a command, send it a signal when it is ready, and wait for its end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=folder, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return Outcome(process.returncode, out, err)


# Python makes a child forget the signals that it gets before it has begun.
def test_a_child_that_is_killed_as_it_begins_dies(receiver: Receiver, tmp_path: Path) -> None:
    body = """
    statuses = []
    for number in (signal.SIGTERM, signal.SIGHUP) * 100:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(3)
        os.kill(pid, number)
        statuses.append(status_of(pid) == number)
        if not statuses[-1]:
            break
    print(len(statuses), all(statuses), signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain == (0, "200 True set()\n", "")


PLACES = {
    "in a lock": "lock = threading.Lock(); lock.acquire(); print('ready', flush=True); lock.acquire()",
    "waiting for a thread": "threading.Thread(target=time.sleep, args=(70,)).start(); print('ready', flush=True)",
    "without os.kill": "os.kill = None; print('ready', flush=True); time.sleep(70)",
}


@pytest.mark.sampled
@pytest.mark.parametrize("recorded", ["", "span('work')\n"], ids=["nothing recorded", "recorded"])
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_kills_wherever_the_main_thread_is(
    place: str, recorded: str, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "agent.py").write_text(f"{PRELUDE}{recorded}{PLACES[place]}\n")
    env = environment(receiver.endpoint, tmp_path)
    number = signal.SIGHUP if recorded else signal.SIGTERM
    assert killed_when_ready([*LAUNCHED, "agent.py"], number, tmp_path, env) == (-number, "", "")
    (own,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    assert own.attributes["obs.run.signal"] == number.name
    assert len(receiver.named("work")) == bool(recorded)


# What a child does that records or starts a thread.
BEGINNINGS = {
    "span": "span('child')",
    "open span": ("from opentelemetry import trace; kept = trace.get_tracer('case').start_span('child')"),
    "log record": "import logging; logging.getLogger('case').warning('child')",
    "measurement": "counter.add(1)",
    "span in a thread": "thread = threading.Thread(target=span, args=('child',)); thread.start(); thread.join()",
}


@pytest.mark.sampled
@pytest.mark.parametrize("parent", ["", "span('parent')"], ids=["nothing recorded before", "recorded before"])
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_what_a_child_recorded_is_there_when_a_signal_kills_it(
    beginning: str, parent: str, receiver: Receiver, tmp_path: Path
) -> None:
    body = f"""
    from opentelemetry import metrics
    counter = metrics.get_meter("case").create_counter("counted")
    {parent}
    begun, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        {BEGINNINGS[beginning]}
        os.write(write, b"1")
        time.sleep(60)
    os.read(begun, 1)
    os.kill(pid, signal.SIGTERM)
    print(status_of(pid))
    """
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain
    assert plain.out == "15\n"
    spans = {span.name for span in receiver.spans}
    bodies = {log.body for log in receiver.logs}
    counted = {metric.name for metric in receiver.metrics}
    assert ("counted" in counted) if beginning == "measurement" else ("child" in spans | bodies)


def test_a_child_with_nothing_to_lose_is_as_without_us(receiver: Receiver, tmp_path: Path) -> None:
    body = """
    span("parent")
    for number in (signal.SIGTERM, signal.SIGHUP):
        begun, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            threads = os.listdir("/proc/self/task")
            say = f"{signal.getsignal(signal.SIGTERM)} {len(threads)}"
            never_return_from_c(say, write)
        print(os.read(begun, 99))
        os.kill(pid, number)
        print(status_of(pid))
    """
    plain, launched = both(body, receiver, tmp_path)
    assert launched == plain
    assert plain.code == 0
