"""Where the Prometheus endpoint is, in one process and in several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run.base import guard
from obs_run.prometheus import access
from obs_run.prometheus import endpoint as prometheus_endpoint
from tests.ports import free_port
from tests.unit.access.serving import is_served, serving
from tests.unit.agents import run

if TYPE_CHECKING:
    from pathlib import Path

STARTED_BY_HAND = """
    import urllib.request
    from opentelemetry import metrics
    from obs_run.runtime.process_runtime import runtime
    counter = metrics.get_meter("agent").create_counter("jobs")
    counter.add(1)
    host, port = runtime().serve_metrics("127.0.0.1", 0)
    assert runtime().serve_metrics(host, port) == (host, port)
    counter.add(3)
    page = urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=60).read().decode()
    print([line for line in page.splitlines() if line.startswith("jobs_total")])
    print(runtime().serve_metrics("256.1.1.1", 0), runtime().serve_metrics("127.0.0.1", 70000))
"""


@pytest.mark.sampled
@pytest.mark.parametrize("exporter", ["memory", "none", "prometheus"])
def test_an_endpoint_begun_by_hand_serves_from_then_on(tmp_path: Path, exporter: str) -> None:
    port = free_port()
    ran = run(
        tmp_path,
        STARTED_BY_HAND,
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRICS_EXPORTER=exporter,
        OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
    )
    assert ran.code == 0, ran.err
    page, refused = ran.out.splitlines()
    assert page.count("jobs_total") == 1
    # What was counted before there was a reader is not known to it.
    assert page.endswith(f" {4.0 if exporter == 'prometheus' else 3.0}']")
    assert refused == "None None"
    first, second = ran.err.splitlines()
    assert first.startswith("start_prometheus_exporter: cannot serve metrics on 256.1.1.1:0 (")
    assert second.startswith("start_prometheus_exporter: cannot serve metrics on 127.0.0.1:70000 (")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", []),
        ("::1", []),
        ("127.9.9.9", []),
        ("localhost", []),
        ("192.0.2.7", ["metrics on 192.0.2.7:9464 are open to everybody who can reach it"]),
        ("agent.example", ["metrics on agent.example:9464 are open to everybody who can reach it"]),
    ],
)
def test_an_address_beyond_this_machine_is_said(
    host: str, said: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "_said", set())
    made = prometheus_endpoint.Endpoint(host, 9464, access.Access(), None)
    prometheus_endpoint._say_if_exposed(made)
    assert [message.partition(";")[0] for message in caplog.messages] == said


def test_passwords_without_tls_beyond_this_machine_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("token")
    tokens.chmod(0o600)
    monkeypatch.setenv("OBS_PROMETHEUS_TOKENS_FILE", str(tokens))
    monkeypatch.setattr(guard, "_said", set())
    made = prometheus_endpoint.Endpoint("192.0.2.7", 9464, access.Access(), None)
    prometheus_endpoint._say_if_exposed(made)
    assert [message.partition(";")[0] for message in caplog.messages] == [
        "metrics on 192.0.2.7:9464: passwords and tokens cross the network unencrypted"
    ]


DAEMON = """
    import os, socket, sys, time, urllib.request
    from opentelemetry import metrics, trace
    counter = metrics.get_meter("agent").create_counter("jobs")
    counter.add(5)
    place = ("127.0.0.1", int(os.environ["OTEL_EXPORTER_PROMETHEUS_PORT"]))
    if os.fork():
        os._exit(0)  # as those who become daemons do
    counter.add(2)
    deadline = time.monotonic() + 20

    def kept():
        with socket.socket() as asking:
            return asking.connect_ex(place) == 0

    while kept() and time.monotonic() < deadline:
        time.sleep(0.01)
    print("kept", kept())
    page = ""
    while time.monotonic() < deadline and "jobs_total" not in page:
        with trace.get_tracer("agent").start_as_current_span("work"):
            time.sleep(0.02)
        try:
            page = urllib.request.urlopen("http://%s:%s/metrics" % place, timeout=60).read().decode()
        except OSError:
            pass
    print([line.rpartition(" ")[2] for line in page.splitlines() if line.startswith("jobs_total")], flush=True)
"""


def test_a_child_lets_the_port_go_and_takes_it_up_when_its_parent_has_ended(tmp_path: Path) -> None:
    port = free_port()
    ran = run(
        tmp_path,
        DAEMON,
        OTEL_TRACES_EXPORTER="memory",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
        OTEL_METRIC_EXPORT_INTERVAL="50",
        # Python 3.12 and newer warn of forks beside threads, and a port is served by one.
        PYTHONWARNINGS="default,ignore::DeprecationWarning",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == ["kept False", "['2.0']"]


@pytest.mark.slow
def test_forks_amid_scrapes_all_end(tmp_path: Path) -> None:
    with serving(tmp_path) as agent:
        agent.do("import os, threading, urllib.request")
        agent.do(f"ask = lambda: urllib.request.urlopen('http://127.0.0.1:{agent.port}', timeout=60).read()")
        agent.do("threads = [threading.Thread(target=lambda: [ask() for _ in range(20)]) for _ in range(2)]")
        agent.do("[thread.start() for thread in threads]")
        agent.do("import warnings; warnings.simplefilter('ignore')")  # of forks beside threads: the test's own
        child = "os.fork() or os._exit(0 if __import__('prometheus_client').generate_latest() else 1)"
        agent.do(f"codes = [os.waitpid({child}, 0)[1] for _ in range(20)]")
        agent.do("[thread.join() for thread in threads]")
        agent.do("assert codes == [0] * 20, codes")
        assert is_served(agent.port)
    assert agent.err == ""
