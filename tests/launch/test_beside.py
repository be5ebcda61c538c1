"""What runs beside the agent is invisible to it: greenlets, mocks, recorders, frozen clocks, closed descriptors.

Each program is run with and without obs-run; what it prints, returns and leaves is the same, and its telemetry arrives.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from tests.beside import beside
from tests.launch import environments
from tests.launch.interpreters import WITH_US
from tests.launch.running import environment, run
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Beside:
    """A program and what must arrive of it."""

    name: str
    program: str
    spans: tuple[str, ...] = ("work",)
    logs: tuple[str, ...] = ()
    command: tuple[str, ...] = ("python", "agent.py")
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str = ""
    runs: int = 1
    """How many run spans there are; servers have none."""
    packages: str = "beside"


_WORK = """
import logging, random, sys, threading, time
from opentelemetry import metrics, trace

def work(pause=time.sleep):
    with trace.get_tracer("case").start_as_current_span("work"):
        logging.getLogger("case").warning("line")
        pause(0.05)
    metrics.get_meter("case").create_counter("counted").add(1)

def flush():
    getattr(trace.get_tracer_provider(), "force_flush", bool)()

"""
_LINE = ("line",)
_THRICE = ("work",) * 3
_GREENLETS = """
import gevent
gevent.joinall([gevent.spawn(work) for _ in range(3)])
print("done")
"""
_GREEN_THREADS = """
import eventlet
pool = eventlet.GreenPool()
for _ in range(3):
    pool.spawn(work)
pool.waitall()
print("done")
"""

# Three tasks, and the end of the worker with the last of them.
_TASKS = """
from celery import Celery
from celery.signals import worker_ready
from celery.worker import state

app = Celery("agent", broker="memory://")
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
done = []

@app.task
def task(pause):
    work()
    done.append(pause)
    print("done", len(done), flush=True)
    if len(done) == 3:
        state.should_stop = 0

@worker_ready.connect
def begin(**_):
    for pause in range(3):
        task.delay(pause)
"""


_LOAD = """
from locust import User, constant, task

class Agent(User):
    wait_time = constant(1000)

    @task
    def once(self):
        work()
"""

_ASK = """
import logging, sys, threading
free = sys.stdlib_module_names - set(sys.modules) - set(sys.builtin_module_names) - {"this", "antigravity"}
print(*(name for name in free if not name.startswith("_")))
"""


def shadows(python: str) -> dict[str, str]:
    """Return files with the names of all modules that neither Python's start nor ``logging`` imports."""
    asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, check=True)
    return {f"{name}.py": f"print('executed {name}')\nown = True\n" for name in asked.stdout.split()}


_LOGS_ONLY = """
import logging, sys
logging.warning("line")
import typing, json, queue, platform, select, socket
print(typing.own, json.own, queue.own, select.own, socket.own)
"""

HERE = (
    Beside(
        "random numbers of the agent's own provider",
        """
import random
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
random.seed(42)
tracer = trace.get_tracer("case")
for _ in range(2):
    with tracer.start_as_current_span("work"), tracer.start_as_current_span("work") as span:
        print(span.get_span_context().span_id)
    print(random.random())
""",
        spans=("work",) * 4,
    ),
    Beside(
        "logging reloaded, and imported anew",
        """
import importlib, logging, sys
logging.warning("line")
importlib.reload(logging)
logging.warning("line")
del sys.modules["logging"]
import logging
logging.warning("line")
""",
        spans=(),
        logs=("line",) * 3,
    ),
    Beside(
        "threading forgotten",
        """
import logging, sys, time
logging.warning("line")
del sys.modules["threading"]
time.sleep(0.5)
""",
        spans=(),
        logs=_LINE,
        environment={"OTEL_BSP_SCHEDULE_DELAY": "20"},
    ),
    Beside(
        "a stderr that only writes",
        _WORK
        + """
class Stream:
    def write(self, text):
        return sys.stdout.write(text)
    def flush(self):
        sys.stdout.flush()
sys.stderr = Stream()
work()
""",
        logs=_LINE,
    ),
    Beside(
        "a program on stdin that closes it",
        "",
        stdin=_WORK + "sys.stdin.close()\nwork()\n",
        command=("python",),
        logs=_LINE,
    ),
    Beside(
        "walks over threads",
        _WORK
        + """
logging.basicConfig(stream=sys.stdout)
work()
flush()
for thread in threading.enumerate():
    thread is threading.current_thread() or thread.join()
print(threading.active_count(), [thread.name for thread in threading.enumerate()])
""",
        logs=_LINE,
    ),
    Beside(
        "blocked signals",
        """
import signal
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
"""
        + _WORK
        + """
import os
work()
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGUSR1)
time.sleep(0.2)
print(signal.sigpending(), signal.pthread_sigmask(signal.SIG_BLOCK, []))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
print("end")
""",
        logs=_LINE,
    ),
    Beside(
        "small stacks",
        """
import threading
threading.stack_size(32768)
"""
        + _WORK
        + """
work()
print(threading.stack_size())
""",
        logs=_LINE,
    ),
    Beside(
        "seeded random numbers",
        _WORK
        + """
random.seed(42)
for _ in range(3):
    work()
print(random.random())
""",
        spans=_THRICE,
        logs=_LINE * 3,
    ),
)


def with_shadows(python: str) -> tuple[Beside, ...]:
    files = shadows(python)
    return (
        Beside("files named like modules", _LOGS_ONLY, spans=(), files=files, logs=_LINE),
        Beside(
            "a file named like what OpenTelemetry imports",
            "import logging; logging.warning('line'); import typing_extensions; print(typing_extensions.own)",
            spans=(),
            files={"typing_extensions.py": "own = 1"},
            logs=_LINE,
        ),
        Beside(
            "a package named like a module",
            "import logging; logging.warning('line'); import json; print(json.own)",
            spans=(),
            files={"json/__init__.py": "own = 1", "json/decoder.py": "boom"},
            logs=_LINE,
        ),
        Beside(
            "a module named like our package",
            """
import logging, json
from concurrent.futures import ThreadPoolExecutor
import obs_run
def ask(_):
    import obs_run
    return obs_run.own
with ThreadPoolExecutor(2) as pool:
    print(*pool.map(ask, range(3)))
logging.warning("line")
print(obs_run.own, hasattr(obs_run, "__path__"))
""",
            spans=(),
            files={"obs_run.py": "print('executed')\nown = 1"},
            logs=_LINE,
        ),
        Beside(
            "a module named like our package, imported after ours was needed",
            "import logging; logging.warning('line'); import queue, obs_run.tools; print(obs_run.tools.own)",
            spans=(),
            files={"obs_run/__init__.py": "", "obs_run/tools.py": "own = 1"},
            logs=_LINE,
        ),
        Beside(
            "files named like the packages that we need",
            """
import logging
logging.warning("line")
import opentelemetry, google, wrapt, yaml, regex, certifi
print(opentelemetry.own, google.own, wrapt.own, yaml.own, regex.own, certifi.own)
""",
            spans=(),
            files={
                f"{name}.py": "own = 1" for name in ("opentelemetry", "google", "wrapt", "yaml", "regex", "certifi")
            },
            logs=_LINE,
        ),
        Beside(
            "a package named like OpenTelemetry",
            "import logging; import opentelemetry.own; logging.warning('line'); print(opentelemetry.own.own)",
            spans=(),
            files={"opentelemetry/__init__.py": "", "opentelemetry/own.py": "own = 1"},
            logs=_LINE,
        ),
        Beside(
            "a path without site-packages, and with files of the agent's",
            """
import os, sys
sys.path[:] = [os.path.abspath("lib"), *(entry for entry in sys.path if "site-packages" not in entry)]
    """
            + _LOGS_ONLY,
            spans=(),
            files={f"lib/{name}": text for name, text in files.items()},
            logs=_LINE,
        ),
        Beside(
            "an empty path",
            "import sys, logging, threading; sys.path.clear(); logging.warning('line')",
            spans=(),
            logs=_LINE,
        ),
    )


_SERVER = """
import http.client, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
_MOCKED = (
    "threading.Thread", "threading.enumerate", "time.time_ns", "time.monotonic", "time.sleep", "time.perf_counter_ns",
    "socket.socket", "socket.create_connection", "socket.getaddrinfo", "socket.gethostname", "builtins.open", "os.open",
    "os.fstat", "os.close", "random.random", "random.getrandbits",
    "gzip.compress", "ssl.create_default_context", "http.client.HTTPConnection", "sqlite3.connect",
)  # fmt: skip
MOCKS = Beside(
    "mocks",
    _WORK
    + f"""
import gzip, http.client, os, random, socket, sqlite3, ssl, uuid
from unittest import mock
sleep = time.sleep
patches = [mock.patch(name) for name in {_MOCKED!r}]
mocks = [patch.start() for patch in patches]
with trace.get_tracer("case").start_as_current_span("work"):
    pass
sleep(2)
for patch in patches:
    patch.stop()
print([(patch.attribute, mocked.mock_calls) for patch, mocked in zip(patches, mocks) if mocked.mock_calls])
""",
    environment={"OTEL_BSP_SCHEDULE_DELAY": "50"},
)

_FILES = """
import os, socket
files = [open(f"file{number}", "w+") for number in range(20)]
first, second = socket.socketpair()
for _ in range(2):
    for file in files:
        file.write("x")
        file.flush()
    work()
    flush()
    time.sleep(0.3)
for file in files:
    file.close()
second.setblocking(False)
try:
    print(second.recv(100))
except BlockingIOError:
    print("nothing")
"""
CLOSED = tuple(
    Beside(
        name,
        _WORK
        + f"""
print(open(os.devnull).fileno()) if (os := __import__("os")) else None
work()
flush()
print(open(os.devnull).fileno())
{closing}
"""
        + _FILES,
        spans=_THRICE,
        logs=_LINE * 3,
    )
    for name, closing in (
        ("all descriptors closed in a range", "os.closerange(3, 4096)"),
        (
            "all descriptors closed one by one",
            "import contextlib\nfor number in range(3, 4096):\n    with contextlib.suppress(OSError): os.close(number)",
        ),
    )
)

THERE = (
    Beside(
        "random numbers of the agent's own provider",
        """
import random
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
random.seed(42)
tracer = trace.get_tracer("case")
for _ in range(2):
    with tracer.start_as_current_span("work"), tracer.start_as_current_span("work") as span:
        print(span.get_span_context().span_id)
    print(random.random())
""",
        spans=("work",) * 4,
    ),
    Beside(
        "a daemon that stays",
        _WORK
        + """
import daemon
work()
flush()
with daemon.DaemonContext(detach_process=False, stdout=sys.stdout, stderr=sys.stderr, working_directory="."):
"""
        + indent(_FILES, "    "),
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "vcrpy",
        _WORK
        + _SERVER
        + """
import os, requests, vcr
with vcr.use_cassette("cassette.yaml"):
    requests.get(f"http://127.0.0.1:{server.server_port}/")
    work()
    flush()
text = open("cassette.yaml").read()
os.remove("cassette.yaml")
print(text.count("uri:"), "v1/traces" in text)
""",
        # The server is the agent's own.
        spans=("work", "GET"),
        logs=_LINE,
    ),
    Beside(
        "debugging of HTTP",
        _WORK + "import http.client; http.client.HTTPConnection.debuglevel = 1; work(); flush()",
        logs=_LINE,
    ),
    Beside(
        "freezegun",
        _WORK
        + """
import freezegun
with freezegun.freeze_time("2012-01-14"):
    work(lambda _: None)
    flush()
    print(time.time(), time.monotonic())
""",
        logs=_LINE,
    ),
    Beside(
        "time-machine",
        _WORK
        + """
import time_machine
with time_machine.travel(0.0, tick=False):
    work()
    flush()
    print(time.time())
""",
        logs=_LINE,
    ),
    Beside(
        "pyfakefs",
        _WORK
        + """
import os
from pyfakefs.fake_filesystem_unittest import Patcher
with Patcher():
    work()
    flush()
    print(os.listdir("/"), os.listdir("/tmp"))
""",
        logs=_LINE,
    ),
    Beside(
        "pyfakefs as a plugin of pytest, which rewrites it",
        _WORK
        + """
import os
def test_files(fs):
    work()
    flush()
    print(os.listdir("/"))
""",
        command=("python", "-m", "pytest", "-p", "no:terminal", "-p", "no:cacheprovider", "-s", "agent.py"),
        logs=_LINE,
        packages="pytest",
    ),
    Beside(
        "pytest-socket",
        _WORK + "import pytest_socket; pytest_socket.disable_socket(); work(); flush(); print('done')",
        logs=_LINE,
    ),
    Beside(
        "gevent first",
        "from gevent import monkey; monkey.patch_all()\n" + _WORK + _GREENLETS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "gevent after logging",
        "import logging\nfrom gevent import monkey; monkey.patch_all()\n" + _WORK + _GREENLETS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "gevent after OpenTelemetry",
        _WORK + "from gevent import monkey; monkey.patch_all()\n" + _GREENLETS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "gevent unpatched", _WORK + _GREENLETS.replace("(work)", "(work, gevent.sleep)"), spans=_THRICE, logs=_LINE * 3
    ),
    Beside(
        "python -m gevent.monkey",
        _WORK + _GREENLETS,
        command=("python", "-m", "gevent.monkey", "agent.py"),
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "gevent and its threads",
        "from gevent import monkey; monkey.patch_all()\n"
        + _WORK
        + """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda _: work(), range(3)))
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(len(threading.enumerate()))
""",
        spans=("work",) * 4,
        logs=("line",) * 4,
    ),
    Beside(
        "eventlet first",
        "import eventlet; eventlet.monkey_patch()\n" + _WORK + _GREEN_THREADS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "eventlet after logging",
        "import logging\nimport eventlet; eventlet.monkey_patch()\n" + _WORK + _GREEN_THREADS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "eventlet after OpenTelemetry",
        _WORK + "import eventlet; eventlet.monkey_patch()\n" + _GREEN_THREADS,
        spans=_THRICE,
        logs=_LINE * 3,
    ),
    Beside(
        "celery -P gevent",
        _WORK + _TASKS,
        command=(
            *("python", "-m", "celery", "--quiet", "-A", "agent", "worker", "-P", "gevent", "-c", "3"),
            *("--loglevel", "ERROR", "--without-gossip", "--without-mingle"),
        ),
        spans=(*_THRICE, *["publish agent.task", "process agent.task"] * 3),
        runs=0,
    ),
    Beside(
        "locust",
        _WORK + _LOAD,
        command=(
            *("python", "-m", "locust", "-f", "agent.py", "--headless", "--only-summary", "--skip-log-setup"),
            *("-u", "3", "-r", "3", "-t", "3s"),
        ),
        spans=_THRICE,
        logs=_LINE * 3,
        packages="locust",
    ),
)


def check(case: Beside, receiver: Receiver, folder: Path, place: environments.Environment) -> None:
    files = {"agent.py": dedent(case.program), **case.files}
    python = [place.python if word == "python" else word for word in case.command]
    outcomes, left = [], []
    for launched in (False, True):
        home = folder / ("with" if launched else "without")
        home.mkdir()
        for name, text in files.items():
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_text(text)
        env = environment(receiver.endpoint, home, place.scripts, PYTHONDONTWRITEBYTECODE="1", **case.environment)
        words = [place.command("obs-run"), *python] if launched else python
        outcome = run(words, home, env, stdin=case.stdin, seconds=60)
        outcomes.append([str(each).replace(str(home), "HOME") for each in outcome])
        left.append({str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()})
    assert outcomes[1] == outcomes[0]
    assert outcomes[0][0] == "0"
    assert left[1] == left[0]
    spans = len(case.spans) + case.runs
    receiver.wait_for(lambda got: len(got.spans) >= spans and len(got.logs) >= len(case.logs))
    assert sorted(span.name for span in receiver.spans if "obs.run.kind" not in span.attributes) == sorted(case.spans)
    assert sorted(log.body for log in receiver.logs) == sorted(case.logs)
    assert len({span.span_id for span in receiver.spans}) == spans


@pytest.mark.parametrize("case", [*HERE, *with_shadows(sys.executable), *CLOSED, MOCKS], ids=lambda case: case.name)
def test_beside(case: Beside, receiver: Receiver, tmp_path: Path) -> None:
    check(case, receiver, tmp_path, environments.HERE)


@pytest.mark.environments
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", THERE, ids=lambda case: case.name)
def test_beside_packages(case: Beside, receiver: Receiver, tmp_path: Path) -> None:
    check(case, receiver, tmp_path, environments.environment(case.packages))


@pytest.mark.environments
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("begin", "call"),
    [
        ("from greenlet import greenlet", "greenlet(work).switch()"),
        ("from gevent import monkey; monkey.patch_all(); import gevent", "gevent.spawn(work, gevent.sleep).join()"),
        ("import eventlet; eventlet.monkey_patch()", "eventlet.spawn(work, eventlet.sleep).wait()"),
    ],
)
def test_the_exit_code_where_a_greenlet_recorded_first(
    begin: str, call: str, receiver: Receiver, tmp_path: Path
) -> None:
    place = environments.environment("beside")
    (tmp_path / "agent.py").write_text(f"{begin}\n{_WORK}\n{call}\n")
    outcome = run(
        [place.command("obs-run"), place.python, "agent.py"], tmp_path, environment(receiver.endpoint, tmp_path)
    )
    assert outcome.code == 0, outcome.err
    assert receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans))
    (ran,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    assert ran.attributes["obs.run.exit_code"] == 0


def test_a_locked_store_does_not_hold_up_the_exit(tmp_path: Path) -> None:
    env = environment("", tmp_path, OBS_FLUSH_SECONDS="1", OTEL_BSP_SCHEDULE_DELAY="50")
    del env["OTEL_EXPORTER_OTLP_ENDPOINT"]
    store = tmp_path / "store.db"
    env["OBS_STORE_FILE"] = str(store)
    (tmp_path / "agent.py").write_text(_WORK + "work(); time.sleep(float(sys.argv[1])); print('ready', flush=True)")
    words = [environments.HERE.command("obs-run"), sys.executable, "agent.py"]
    assert run([*words, "0"], tmp_path, env).code == 0
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        # The export thread waits for the lock when the agent ends.
        took = beside(
            lambda: run([*words, "3"], tmp_path, env),
            lambda: run([sys.executable, "-c", "import logging"], tmp_path, env),
        )
    finally:
        other.close()
    took.assert_within(3 + 1 + 0.5, 12)


@pytest.mark.parametrize("case", CLOSED, ids=lambda case: case.name)
def test_the_store_after_its_descriptors_were_closed(case: Beside, tmp_path: Path) -> None:
    env = environment("", tmp_path, OBS_STORE_FILE=str(tmp_path / "store.db"))
    del env["OTEL_EXPORTER_OTLP_ENDPOINT"]
    (tmp_path / "agent.py").write_text(case.program)
    plain = run([sys.executable, "agent.py"], tmp_path, env)
    assert run([environments.HERE.command("obs-run"), sys.executable, "agent.py"], tmp_path, env) == plain
    assert {(tmp_path / f"file{number}").read_text() for number in range(20)} == {"xx"}
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        assert connection.execute("SELECT count(*) FROM spans WHERE name = 'work'").fetchone() == (3,)


@pytest.mark.environments
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", WITH_US)
def test_beside_on_other_pythons(version: str, tmp_path: Path) -> None:
    """Modules made anew, private ones and imports of our own stand on insides of the interpreter."""
    python = environments.interpreter_or_skip(version)
    place = environments.environment(python=python)
    for number, case in enumerate((*HERE, *with_shadows(place.python), *CLOSED)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Receiver() as receiver:
            check(case, receiver, folder, place)
