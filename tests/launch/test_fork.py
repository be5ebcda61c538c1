"""Forks while other threads record at full speed: every child's telemetry arrives, and none hangs."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch.running import SCRIPTS, environment, run
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PYTHON = str(SCRIPTS / "python")

LOAD = """
    import logging, os, sys, threading, time
    from opentelemetry import metrics, trace

    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(logging.NullHandler())
    tracer = trace.get_tracer("case")
    counter = metrics.get_meter("case").create_counter("counted")
    stop = False

    def record(name):
        with tracer.start_as_current_span(name, attributes={"pid": os.getpid()}):
            logging.info("%s", name)
        counter.add(1, {"name": name})

    def load():
        while not stop:
            record("parent")

    threading.Thread(target=load).start()
    took = []
    children = []
    for number in range(int(sys.argv[1])):
        begin = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            record("child")
            if number % 2:
                os._exit(0)
            stop = True
            sys.exit(0)
        took.append(time.perf_counter() - begin)
        children.append(pid)
        if number % 10 == 9:
            for pid in children:
                assert os.waitpid(pid, 0)[1] == 0
            children.clear()
    stop = True
    if "--times" in sys.argv:
        took.sort()
        print("fork ms: median %.1f, 90 %% %.1f, most %.1f" % tuple(
            1000 * took[int(len(took) * part)] for part in (0.5, 0.9, 0.999)))
    """


@pytest.fixture
def secure_receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Yield a receiver behind TLS, with its CA's certificate in ``ca.pem``."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    with Receiver(tls=context) as running:
        yield running


def fork_under_load(receiver: Receiver, folder: Path, children: int, **more: str) -> None:
    (folder / "agent.py").write_text(dedent(LOAD))
    env = environment(receiver.endpoint, folder, **{"OTEL_BSP_SCHEDULE_DELAY": "20", **more})
    outcome = run([str(SCRIPTS / "obs-run"), PYTHON, "-Wignore", "agent.py", str(children)], folder, env, seconds=300)
    assert outcome == (0, "", "")
    receiver.wait_for(lambda got: len(got.named("child")) >= children)
    spans = receiver.named("child")
    assert len({span.attributes["pid"] for span in spans}) == len(spans) == children
    logs = [log for log in receiver.logs if log.body == "child"]
    assert len({log.resource["process.pid"] for log in logs}) == len(logs) == children
    (trace,) = {span.trace_id for span in receiver.spans}
    assert {log.trace_id for log in logs} == {trace}
    assert_metrics_begin_at_zero(receiver, {span.attributes["pid"] for span in spans})
    assert_no_connection_is_shared(receiver)


def assert_metrics_begin_at_zero(receiver: Receiver, children: set[int]) -> None:
    """Assert that each child counted its one, and nothing that its parent counted."""
    counted: dict[int, dict[str, float]] = {}
    for metric in receiver.metrics:
        if metric.name == "counted" and metric.resource["process.pid"] in children:
            for point, value in zip(metric.points, metric.values, strict=True):
                counted.setdefault(metric.resource["process.pid"], {})[point["name"]] = value
    assert counted == {child: {"child": 1} for child in children}


def assert_no_connection_is_shared(receiver: Receiver) -> None:
    users: dict[int, set[int]] = {}
    for connection, pid in receiver.users:
        users.setdefault(connection, set()).add(pid)
    assert users
    assert [pids for pids in users.values() if len(pids) > 1] == []


def test_forks_under_load(receiver: Receiver, tmp_path: Path) -> None:
    fork_under_load(receiver, tmp_path, 100)


def test_forks_under_load_with_tls(secure_receiver: Receiver, tmp_path: Path) -> None:
    fork_under_load(secure_receiver, tmp_path, 100, OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "ca.pem"))


def test_no_warning_of_threads_that_are_ours(receiver: Receiver, tmp_path: Path) -> None:
    program = """
        import os
        from opentelemetry import trace
        for number in range(20):
            with trace.get_tracer("case").start_as_current_span("parent"):
                pass
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        """
    (tmp_path / "agent.py").write_text(dedent(program))
    words = [str(SCRIPTS / "obs-run"), PYTHON, "-Walways", "agent.py"]
    env = environment(receiver.endpoint, tmp_path, OTEL_BSP_SCHEDULE_DELAY="5")
    assert run(words, tmp_path, env) == (0, "", "")
    assert len(receiver.named("parent")) == 20


MIDST = """
    import os, ssl, sys, threading, time
    from opentelemetry import trace

    tracer = trace.get_tracer("case")
    inside, may_end = threading.Event(), threading.Event()
    ended = []

    class Slow:
        # What stands for a call into OpenSSL that takes long on a busy machine.
        def __call__(self, original):
            def call(*arguments, **named):
                inside.set()
                may_end.wait(20)
                ended.append(True)
                return original(*arguments, **named)
            return call

    from obs_run.process import private_modules
    own = private_modules.load("ssl")
    if sys.argv[1] == "context":
        own.create_default_context = Slow()(own.create_default_context)
    else:
        own.SSLSocket.do_handshake = Slow()(own.SSLSocket.do_handshake)
    tracer.start_span("parent").end()
    assert inside.wait(20)
    threading.Timer(4, may_end.set).start()
    pid = os.fork()
    if pid == 0:
        may_end.set()
        tracer.start_span("child").end()
        sys.exit(0 if ended else 3)
    assert os.waitpid(pid, 0)[1] == 0
    """


@pytest.mark.parametrize("where", ["context", "handshake"])
def test_no_fork_in_the_midst_of_openssl(secure_receiver: Receiver, tmp_path: Path, where: str) -> None:
    (tmp_path / "agent.py").write_text(dedent(MIDST))
    more = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "ca.pem")}
    env = environment(secure_receiver.endpoint, tmp_path, **more)
    outcome = run([str(SCRIPTS / "obs-run"), PYTHON, "-Wignore", "agent.py", where], tmp_path, env, seconds=120)
    assert outcome == (0, "", "")
    assert secure_receiver.wait_for(lambda got: len(got.named("child")) == len(got.named("parent")) == 1)


def test_a_silent_server_holds_no_fork_up(tmp_path: Path) -> None:
    program = """
        import os, socket, time
        from opentelemetry import trace

        listener = socket.create_server(("127.0.0.1", 0))
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://127.0.0.1:%d" % listener.getsockname()[1]
        trace.get_tracer("case").start_span("parent").end()
        connection, _ = listener.accept()
        connection.recv(1)  # the handshake has begun, and is never answered
        # The first fork may wait for the thread to come home, no other one does.
        took = []
        for _ in range(3):
            begin = time.monotonic()
            if os.fork() == 0:
                os.kill(os.getpid(), 9)
            took.append(time.monotonic() - begin)
            os.wait()
        print(min(took) < 5)
        os.kill(os.getpid(), 9)
        """
    (tmp_path / "agent.py").write_text(dedent(program))
    env = environment("http://127.0.0.1:1", tmp_path, OTEL_BSP_SCHEDULE_DELAY="20")
    outcome = run([str(SCRIPTS / "obs-run"), PYTHON, "-uWignore", "agent.py"], tmp_path, env, seconds=120)
    assert outcome == (-9, "True\n", "")


CHILD_OF_A_THREAD = """
    import os, sys, threading
    from opentelemetry import trace

    def fork():
        trace.get_tracer("case").start_span("parent").end()
        child = os.fork()
        if child == 0:
            trace.get_tracer("case").start_span("child").end()
            ends()
            return
        print(os.waitpid(child, 0)[1])

    def ends():
        {ends}

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    """


@pytest.mark.parametrize(
    "ends",
    [
        "pass",
        "sys.exit(3)",
        "threading.Thread(target=trace.get_tracer('case').start_span('later').end).start()",
    ],
)
def test_the_child_of_a_thread_ends_with_the_thread(ends: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(dedent(CHILD_OF_A_THREAD).format(ends=ends))
    env = environment(receiver.endpoint, tmp_path)
    plain = run([PYTHON, "agent.py"], tmp_path, env)
    launched = run([str(SCRIPTS / "obs-run"), PYTHON, "agent.py"], tmp_path, env, seconds=40)
    assert launched == plain == (0, "0\n", "")
    assert receiver.wait_for(lambda got: bool(got.named("child") and got.named("parent")))
