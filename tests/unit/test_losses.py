from __future__ import annotations

import signal
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.pipeline import losses
from obs_run.pipeline.destination import SdkDestination
from obs_run.pipeline.losses import Losses

if TYPE_CHECKING:
    from types import FrameType

SPANS: Any = ["span", "span"]


def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(losses, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_what_was_lost_is_one_line_a_minute_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = _clock(monkeypatch)
    lost = Losses()
    lost.report()
    lost.report(final=True)
    assert caplog.messages == []
    lost.count(3, losses.QUEUE_FULL)
    lost.report()
    lost.count(40, losses.refused("400"), "traces", "http://collector:4318/v1/traces")
    lost.report()
    now[0] += 59
    lost.report()
    assert len(caplog.messages) == 1
    now[0] += 2
    lost.report()
    lost.report()
    lost.count(1, losses.NOT_DELIVERED, "metrics", "store")
    lost.report(final=True)
    lost.report(final=True)

    begin = "spans, log records or metric exports were dropped:"
    refused = "40 refused by destination (status 400), traces to http://collector:4318/v1/traces"
    assert caplog.messages == [
        f"obs-run: 3 {begin} 3 queue full (OBS_QUEUE_BYTES)",
        f"obs-run: 43 {begin} {refused}; 3 queue full (OBS_QUEUE_BYTES)",
        f"obs-run: 44 {begin} {refused}; 3 queue full (OBS_QUEUE_BYTES); 1 not delivered before exit, metrics to store",
    ]


def test_each_loss_is_counted_once_by_reason_signal_and_destination() -> None:
    lost = Losses()
    to_store = lost.counter("traces", "store")
    to_store(2, losses.EXPORTER_FAILED)
    to_store(3, losses.EXPORTER_FAILED)
    to_store(0, losses.NOT_DELIVERED)
    lost.count(1, losses.QUEUE_FULL)

    assert lost.take_counts() == {
        (losses.EXPORTER_FAILED, "traces", "store"): 5,
        (losses.QUEUE_FULL, None, None): 1,
    }
    assert lost.take_counts() == {}


def test_threads_and_signal_handlers_lose_no_count() -> None:
    lost = Losses()
    taken: list[int] = []

    def count() -> None:
        for _ in range(5000):
            lost.count(1, losses.QUEUE_FULL)

    def handle(_number: int, _frame: FrameType | None) -> None:
        lost.count(1, losses.QUEUE_FULL)
        signals.append(1)

    def take() -> None:
        taken.append(sum(lost.take_counts().values()))

    signals: list[int] = []
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(1000):
            signal.raise_signal(signal.SIGUSR1)
            take()
            lost.report()
        for thread in threads:
            thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    take()
    assert sum(taken) == 15000 + len(signals)
    assert len(signals) == 1000


def test_who_interrupts_the_adding_up_is_not_held_up() -> None:
    lost = Losses()
    with lost._lock:
        lost.count(2, losses.QUEUE_FULL)
        for _ in range(1000):
            lost.count(1, losses.QUEUE_FULL)
        assert lost.take_counts() == {}
        lost.report(final=True)
    assert sum(lost.take_counts().values()) == 1002


def test_a_flood_takes_no_memory() -> None:
    lost = Losses()
    for _ in range(100_000):
        lost.count(1, losses.QUEUE_FULL)
    assert len(lost._pending) <= 257
    assert lost.take_counts() == {(losses.QUEUE_FULL, None, None): 100_000}


def test_a_child_says_nothing_of_its_parent(caplog: pytest.LogCaptureFixture) -> None:
    lost = Losses()
    lost.count(2, losses.QUEUE_FULL)
    with lost._lock:
        lost.after_fork()
    lost.report(final=True)
    assert lost.take_counts() == {}
    assert caplog.messages == []
    lost.count(1, losses.QUEUE_FULL)
    assert sum(lost.take_counts().values()) == 1


class _Failure:
    name = "FAILURE"


class _Exporter:
    """An exporter that returns or raises what it is given."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self.calls: list[str] = []

    def export(self, _batch: Any) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def after_fork(self) -> None:
        self.calls.append("after_fork")

    def shutdown(self) -> None:
        self.calls.append("shutdown")
        raise ValueError("already shut down")


@pytest.mark.parametrize("result", [_Failure(), ValueError("disk")])
def test_what_an_exporter_of_the_sdk_fails_to_take_is_counted(result: object) -> None:
    lost = Losses()
    SdkDestination(_Exporter(result), "traces", "store", lost).export(SPANS, None)
    metrics: Any = object()
    SdkDestination(_Exporter(result), "metrics", "store", lost).export(metrics, 1.0)
    assert lost.take_counts() == {
        (losses.EXPORTER_FAILED, "traces", "store"): 2,
        (losses.EXPORTER_FAILED, "metrics", "store"): 1,
    }


def test_an_exporter_of_the_sdk_is_closed_whatever_it_raises() -> None:
    lost = Losses()
    exporter = _Exporter()
    destination = SdkDestination(exporter, "traces", "store", lost)
    destination.export(SPANS, None)
    destination.after_fork()
    destination.close(time.monotonic() + 60)
    destination.close(time.monotonic() + 60)
    assert exporter.calls == ["after_fork", "shutdown", "shutdown"]
    SdkDestination(object(), "traces", "memory", lost).close(time.monotonic() + 60)
    assert lost.take_counts() == {}
