"""An agent whose lines are read prints and ends as it does without us while one function after the other raises."""

from __future__ import annotations

import pkgutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from obs_run import bridge
from tests.bridge import test_rule_faults as rule_faults
from tests.bridge.functions_of_bridge import functions
from tests.unit import agents

MODULES = (
    "clause_readers", "clauses", "durations", "engine", "exit_pairs", "flow", "identifiers", "log_calls", "pairs",
    "phrase", "phrases", "plan", "records", "sites", "source", "source_file", "spans", "start", "templates",
    "unsaid_pairs", "words",
)  # fmt: skip
AGENT = """
import contextlib, logging, sys, threading
logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stdout)
logging.getLogger("obs_run").setLevel(100)
log = logging.getLogger("goals")

class Recorder:
    def say(self, text):
        log.info(f"[recorder] {text}")

    def begin(self, clip_id):
        self.say(f"Recording clip {clip_id}")

    def finish(self, clip_id):
        log.info(f"Clip {clip_id} recorded")

@contextlib.contextmanager
def lamp():
    log.info("beam on")
    yield
    log.info("beam off")

def load(name):
    log.info(f"Loading model {name}")
    try:
        if name == "b":
            raise MemoryError("too large")
    except MemoryError as error:
        log.error("Failed to load model %s: %s", name, error)
        return 1
    finally:
        log.debug(f"Model {name} loaded in {0.2:.1f} seconds")
    return 0

def serve(requests):
    for number, request in enumerate(requests):
        log.info("Received request: {}".format(request))
        log.info(f"Attempt {number} of 2")
        with lamp():
            print(load(request))
        log.info("Sending response")

def lost():
    log.info("Indexing pages")
    raise KeyError("page")

def index(store, pages):
    start_ms = 7
    log.info("Indexing " + str(len(pages)) + " pages of %s", store)
    found = [page for page in pages if page]
    log.info(f"[{store}] indexed {len(found)} pages in 2.5 s")
    log.info("Ready: %s pages, %.1f ms", len(found), start_ms)
    return found

def fetch(url):
    log.info(f"GET {url}")
    status = 200
    log.info(f"{url} -> {status}")
    return status

def check(user):
    log.info(f"Checking the quota of {user}")
    used = len(user)
    if used > 3:
        log.error(f"{user} is above the limit")
        return False
    log.info(f"{user} is below the limit")
    return True

class Worker:
    is_running = True

    def poll(self):
        while self.is_running:
            log.info("Waiting for jobs")
            self.is_running = self.take(4)
            log.info("No more jobs")

    def take(self, job):
        log.info(f"Job {job}: resizing")
        if job > 3:
            log.error(f"Job {job}: no such image")
            return False
        log.info(f"Job {job}: resized")
        return True

recorder = Recorder()
index("shelf", ["p", ""])
fetch("there")
check("ann"); check("david")
Worker().poll()
recorder.begin(1)
serve(["a", "b"])
thread = threading.Thread(target=recorder.finish, args=(1,)); thread.start(); thread.join()
try:
    lost()
except KeyError:
    log.warning("Indexing failed, took 3 ms")
log.info("Warm-up took 3 ms")
print("done")
sys.exit(3)
"""
BREAK = """
import importlib, sys
def broken(*args, **kwargs):
    import os
    os.write(2, b"FIRED")
    raise RuntimeError("a fault of ours")
importlib.import_module("obs_run.bridge.engine")
owner = importlib.import_module({module!r})
for part in {path!r}[:-1]:
    owner = getattr(owner, part)
original = getattr(owner, {path!r}[-1])
setattr(owner, {path!r}[-1], broken)
for name, module in list(sys.modules.items()):
    # Where it was imported by its name.
    for one, value in list(vars(module).items()) if name.startswith("obs_run.") else ():
        if value is original:
            setattr(module, one, broken)
"""


# Called when logging is imported, before there is anything to break; what raises in it is the launcher's to guard. And
# what the interpreter calls itself, which holds nothing but a guarded call.
_ENTRIES = (("install",), ("read_lines",), ("Activation", "__del__"))
FUNCTIONS = [each for each in functions(MODULES) if each[1] not in _ENTRIES]


@cache
def plainly() -> agents.Ran:
    """Return how the agent runs without us."""
    with TemporaryDirectory() as folder:
        return agents.run(Path(folder), AGENT, start=False)


# What ``obsctl bridge`` alone runs, in a process of its own.
_COMMANDS = {"log_lines", "proposals", "replay"}
_WITHOUT_FUNCTIONS = {"evidence"}


def test_every_module_of_the_bridge_is_broken_here_or_with_rules() -> None:
    modules = {each.name for each in pkgutil.iter_modules(bridge.__path__)}
    assert {*MODULES, *rule_faults.MODULES, *_COMMANDS, *_WITHOUT_FUNCTIONS} == modules


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: ".".join((each[0].rpartition(".")[2], *each[1])))
def test_the_agent_is_as_it_is_without_us(tmp_path: Path, function: tuple[str, tuple[str, ...]]) -> None:
    module, path = function
    ran = agents.run(tmp_path, BREAK.format(module=module, path=path) + AGENT, OBS_BRIDGE="automatic")
    assert (ran.code, ran.out) == (plainly().code, plainly().out)
    assert set(ran.err.split("FIRED")) <= {""}, ran.err


@pytest.mark.slow
def test_these_faults_fire(tmp_path: Path) -> None:
    fired = []
    for number, (module, path) in enumerate(FUNCTIONS[::7]):
        folder = tmp_path / str(number)
        folder.mkdir()
        ran = agents.run(folder, BREAK.format(module=module, path=path) + AGENT, OBS_BRIDGE="automatic")
        fired.append("FIRED" in ran.err)
    # Not all are reached by one agent.
    assert sum(fired) >= 0.7 * len(fired), fired
