"""Destinations side by side: one that is silent holds up no other, and a fork waits for it once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from obs_run.pipeline.delivery_threads import DeliveryThreads
from obs_run.pipeline.losses import NOT_DELIVERED, Losses
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.pipeline.request_buffer import Delivered, Request, RetryLater
from obs_run.pipeline.spool import Spool
from obs_run.pipeline.spool_folder import OtlpEndpoint, files
from tests import outages
from tests.examples import one_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obs_run.pipeline.request_buffer import Outcome
    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run


class Silent:
    """A transport whose server takes until it is woken."""

    address = key = "http://silent"
    protocol = "http/protobuf"
    is_gzip = False

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.wake = threading.Event()
        self.sent = 0

    def prepare(self, body: bytes) -> bytes:
        return body

    def send(self, request: Request, until: float) -> Outcome:
        del request
        self.is_asked.set()
        if not self.wake.wait(max(0.0, until - time.monotonic())):
            return RetryLater("no answer")
        self.sent += 1
        return Delivered()

    def close(self) -> None:
        pass

    def after_fork(self) -> None:
        pass


@pytest.fixture
def threads() -> Iterator[DeliveryThreads]:
    made = DeliveryThreads()
    yield made
    made.stop(60)


def _span() -> ReadableSpan:
    context = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1))
    return ReadableSpan("a", context=context, start_time=1, end_time=2)


def test_who_exports_waits_for_no_server(threads: DeliveryThreads) -> None:
    silent, quick = Silent(), Silent()
    quick.wake.set()
    losses = Losses()
    first, second = (OtlpDestination("traces", each, losses, None, threads) for each in (silent, quick))
    for _ in range(3):
        first.export([_span()], None)
        second.export([_span()], None)
    assert silent.is_asked.wait(60)
    second.wait(time.monotonic() + 60)
    assert (quick.sent, silent.sent) == (3, 0)
    silent.wake.set()
    first.wait(time.monotonic() + 60)
    assert (silent.sent, len(first.buffer)) == (3, 0)


@pytest.mark.slow
def test_all_have_the_same_time_as_the_process_leaves(threads: DeliveryThreads) -> None:
    losses = Losses()
    silent = [Silent() for _ in range(5)]
    made = [OtlpDestination("traces", each, losses, None, threads) for each in silent]
    deadline = time.monotonic() + 3
    for each in made:
        each.export([_span()], deadline)
    for each in made:
        each.close(deadline)
    assert all(each.is_asked.is_set() for each in silent)
    assert time.monotonic() < deadline + 30
    assert {loss.reason: number for loss, number in losses.take_counts().items()} == {NOT_DELIVERED: 5}


def test_what_is_on_the_disk_is_settled(threads: DeliveryThreads, tmp_path: Path) -> None:
    silent, losses = Silent(), Losses()
    spool = Spool(tmp_path / "spool", 1 << 20, 0, losses).of(OtlpEndpoint("traces", "grpc", silent.address, silent.key))
    made = OtlpDestination("traces", silent, losses, spool, threads)
    made.export([_span()], None)
    assert silent.is_asked.wait(60)
    assert not made.is_settled()
    assert made.buffer.spool_all()
    assert made.is_settled()
    silent.wake.set()
    made.wait(time.monotonic() + 60)
    assert (made.is_settled(), silent.sent, files(tmp_path / "spool")) == (True, 1, [])


def test_without_threads_each_leaves_time_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = DeliveryThreads()
    monkeypatch.setattr(threads, "run", lambda _: False)
    silent, quick = Silent(), Silent()
    quick.wake.set()
    losses = Losses()
    first, second = (OtlpDestination("traces", each, losses, None, threads) for each in (silent, quick))
    deadline = time.monotonic() + 2
    first.export([_span()], deadline)
    assert time.monotonic() < deadline
    second.export([_span()], deadline)
    assert (silent.sent, quick.sent) == (0, 1)


def test_a_fork_waits_for_a_silent_server_once(threads: DeliveryThreads) -> None:
    silent = Silent()
    made = OtlpDestination("traces", silent, Losses(), None, threads)
    made.export([_span()], None)
    assert silent.is_asked.wait(60)
    begun = time.monotonic()
    threads.stop(0.2)
    assert time.monotonic() - begun >= 0.2
    begun = time.monotonic()
    threads.stop(30)
    assert time.monotonic() - begun < 20
    silent.wake.set()
    made.wait(time.monotonic() + 60)
    assert silent.sent == 1


@pytest.mark.slow
@pytest.mark.parametrize("bad", one_in(2, ["hanging", "refused", "dripping", "name unknown"]))
def test_one_bad_destination_beside_good_ones(agent: Run, receiver: Receiver, bad: str, tmp_path: Path) -> None:
    with outages.backend(bad, "http/protobuf") as backend:
        ran = agent(
            """
            import logging, os
            from opentelemetry import metrics, trace
            logger = logging.getLogger("agent")
            logger.propagate = False
            logger.addHandler(logging.NullHandler())
            for number in range(50):
                trace.get_tracer("agent").start_span("work").end()
                logger.warning("line")
            metrics.get_meter("agent").create_counter("done").add(1)
            """,
            OTEL_TRACES_EXPORTER="otlp,store",
            OTEL_LOGS_EXPORTER="otlp",
            OTEL_METRICS_EXPORTER="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{backend.endpoint}/v1/traces",
            OTEL_BSP_SCHEDULE_DELAY="1000",
            OBS_FLUSH_SECONDS="4",
            NO_PROXY="*",
        )
    assert ran.code == 0
    assert ran.err.count("\n") == 1
    assert "51 spans, log records or metric exports wait in the spool" in ran.err
    assert len(receiver.logs) == 50
    assert [metric.values for metric in receiver.metrics if metric.name == "done"] == [[1]]
    assert (tmp_path / ".local" / "share" / "obs-run" / "store.db").exists()
