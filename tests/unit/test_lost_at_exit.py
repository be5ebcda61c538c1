"""Whoever loses telemetry as the process leaves reads one line; whoever loses none reads nothing."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed, one_in
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.agents import Run

AGENT = """
    import logging, os
    from opentelemetry import trace
    for number in range(20):
        trace.get_tracer("agent").start_span("work").end()
"""
LEAVE = {"end": "", "os._exit": "    os._exit(0)\n", "SIGTERM": "    os.kill(os.getpid(), 15)\n"}
LINE = re.compile(r"obs-run: 20 spans, log records or metric exports were dropped: 20 (.*), traces to (http://\S+)\n")


ENDPOINTS = ("closed", "silent", "unavailable")


@pytest.fixture
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    with Receiver(mood="up" if request.param == "closed" else request.param) as collector:
        if request.param == "closed":
            collector.close()
        yield collector.endpoint


def _settings(endpoint: str, **more: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OBS_RUN_SPAN": "false",
        "OBS_SPOOL": "false",
        "OBS_FLUSH_SECONDS": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
        **more,
    }


@pytest.mark.sampled
@pytest.mark.parametrize(("endpoint", "way"), crossed(ENDPOINTS, LEAVE), indirect=["endpoint"])
def test_what_is_not_delivered_is_one_line(agent: Run, endpoint: str, way: str) -> None:
    ran = agent(AGENT + LEAVE[way], **_settings(endpoint))
    assert ran.code == (-15 if way == "SIGTERM" else 0)
    said = LINE.fullmatch(ran.err)
    assert said is not None, ran.err
    assert said.groups() == ("not delivered before exit", f"{endpoint}/v1/traces")


def test_it_is_said_by_the_thread_that_ends_the_process(agent: Run) -> None:
    """A daemon thread that holds the lock of stderr as the interpreter goes down has Python abort it."""
    with Receiver() as closed:
        closed.close()
    ran = agent(
        """
    import logging, threading
    class Telling(logging.Handler):
        def emit(self, record):
            print(threading.get_ident() == threading.main_thread().ident, "were dropped" in record.getMessage())
    logging.getLogger("obs_run").addHandler(Telling())
    """
        + AGENT,
        **_settings(closed.endpoint),
    )
    assert (ran.code, ran.out) == (0, "True True\n")


@pytest.mark.sampled
@pytest.mark.parametrize("way", LEAVE)
def test_what_was_lost_before_the_export_path_was_loaded_is_one_line(agent: Run, way: str) -> None:
    with Receiver() as closed:
        closed.close()
    ran = agent(AGENT + LEAVE[way], **_settings(closed.endpoint, OBS_FLUSH_SECONDS="0.001"))
    assert ran.code == (-15 if way == "SIGTERM" else 0)
    said = "obs-run: 20 spans, log records or metric exports were dropped: 20 not delivered before exit"
    assert re.sub(r", traces to http://\S+", "", ran.err) == f"{said}\n"


def test_by_grpc_it_is_the_same_line(agent: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    ran = agent(AGENT, **_settings(endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"))
    said = LINE.fullmatch(ran.err)
    assert said is not None, ran.err
    assert said.groups() == ("not delivered before exit", endpoint)


def test_the_store_says_it_too(agent: Run) -> None:
    ran = agent(AGENT, OTEL_TRACES_EXPORTER="store", OTEL_LOGS_EXPORTER="none", OTEL_METRICS_EXPORTER="none",
                OBS_RUN_SPAN="false", OBS_STORE_FILE="/dev/null/store.db")  # fmt: skip
    assert ran.code == 0
    assert "dropped: 20 exporter failed, traces to store\n" in ran.err
    assert ran.err.count("were dropped") == 1


def test_spans_are_counted_whose_delivery_knows_no_deadline(agent: Run) -> None:
    """The look-up of a name holds up who sends."""
    ran = agent(
        """
        import threading, time
        from obs_run.process import private_modules
        from opentelemetry import trace
        socket = private_modules.load("socket")
        def resolve(*_, **__):
            taken.set()
            time.sleep(30)
        taken = threading.Event()
        socket.getaddrinfo = resolve
        def work(number):
            for _ in range(number):
                trace.get_tracer("agent").start_span("work").end()
        work(5)
        taken.wait()
        work(600)
        """,
        **_settings("http://collector.example:4318", OTEL_BSP_SCHEDULE_DELAY="20"),
    )
    assert ran.code == 0
    said = "obs-run: 605 spans, log records or metric exports were dropped: 605 not delivered before exit"
    assert ran.err == f"{said}, traces to http://collector.example:4318/v1/traces\n"


def test_nothing_is_said_when_all_arrives(agent: Run, receiver: Receiver) -> None:
    ran = agent(AGENT, **_settings(receiver.endpoint))
    assert (ran.code, ran.err) == (0, "")
    assert len(receiver.spans) == 20


ALL_SIGNALS = """
    import logging, os
    from opentelemetry import trace
    from obs_run.core import recorder
    from obs_run.core.operations import Inference, Usage
    logger = logging.getLogger("agent")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    for number in range(20):
        trace.get_tracer("agent").start_span("work").end()
        logger.warning("line")
    call = recorder.start(Inference("chat", request_model="m"))
    call.operation.usage = Usage(1, 1)
    call.end()
"""


# By gRPC there is one way to be held up.
HELD_UP = [
    ("http/protobuf", "closed"),
    ("http/protobuf", "silent"),
    ("grpc", "silent"),
    ("http/protobuf", "unavailable"),
]


@pytest.mark.parametrize(("protocol", "endpoint"), one_in(2, HELD_UP), indirect=["endpoint"])
def test_all_signals_are_counted_wherever_the_export_thread_is_held_up(
    agent: Run, protocol: str, endpoint: str
) -> None:
    if protocol == "grpc":
        with socket.create_server(("127.0.0.1", 0)) as silent:
            ran = agent(ALL_SIGNALS, **_of_all(f"http://127.0.0.1:{silent.getsockname()[1]}", protocol))
    else:
        ran = agent(ALL_SIGNALS, **_of_all(endpoint, protocol))
    assert ran.code == 0
    assert "obs-run: 42 spans, log records or metric exports were dropped: " in ran.err


def _of_all(endpoint: str, protocol: str) -> dict[str, str]:
    settings = _settings(endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    del settings["OTEL_METRICS_EXPORTER"], settings["OTEL_LOGS_EXPORTER"]
    return settings
