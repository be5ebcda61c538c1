"""Spans that are stored while they are open, and what takes their place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from obs_run import cli
from obs_run.store.exporters import StoreSpanExporter
from obs_run.store.reader import Reader
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

MANY = 1 << 30


class Work:
    """Spans that began 20 seconds ago."""

    def __init__(self) -> None:
        self.at = (time.time_ns() - making.AT) / making.MS - 20_000

    def opened(self, name: str, after_ms: float = 20_000, **more: Any) -> ReadableSpan:
        """Return a span as it was so many milliseconds after it began."""
        return making.span(name, self.at, after_ms, attributes={"obs.span.open": True}, **more)

    def ended(self, name: str, **more: Any) -> ReadableSpan:
        return making.span(name, self.at, 20_100, **more)


def test_what_is_open_is_shown_as_running_until_its_end_takes_its_place(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exporter, work = StoreSpanExporter(store, MANY), Work()
    for after in (10_000, 20_000):
        exporter.export([work.opened("run", after), work.opened("step", after, id=2, parent=1)])
    exporter.export([making.span("part", work.at, 5, id=3, parent=2)])
    with Reader(store) as reader:
        (trace,) = reader.traces()
        assert (trace.name, trace.spans, trace.unfinished, trace.running) == ("run", 3, 2, 2)
        assert trace.seconds == pytest.approx(20)
        assert [span.span_id for span in reader.spans(trace.trace_id) if span.is_open] == [
            "0" * 15 + "1",
            "0" * 15 + "2",
        ]
    assert cli.main(["list", "--store", str(store)]) == 0
    assert "run (running)" in capsys.readouterr().out
    assert cli.main(["show", "--last", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    assert "2 running" in shown
    assert shown.count("RUNNING") == 2
    assert "unfinished" not in shown.lower()

    exporter.export([work.ended("step", id=2, parent=1), work.ended("run")])
    with Reader(store) as reader:
        (trace,) = reader.traces()
        assert (trace.name, trace.spans, trace.unfinished, trace.running) == ("run", 3, 0, 0)
        assert not any(span.unfinished for span in reader.spans(trace.trace_id))


@pytest.mark.parametrize("together", [True, False])
def test_an_end_is_final_in_whatever_order_they_come(store: Path, *, together: bool) -> None:
    exporter, work = StoreSpanExporter(store, MANY), Work()
    spans = [work.opened("run", 9_000), work.ended("run"), work.opened("run", 10_000)]
    for batch in [spans] if together else [[span] for span in spans]:
        exporter.export(batch)
    with Reader(store) as reader:
        (trace,) = reader.traces()
        assert (trace.spans, trace.unfinished, trace.running) == (1, 0, 0)
        assert [span.is_open for span in reader.spans(trace.trace_id)] == [False]


def test_what_was_open_and_is_not_seen_again_is_unfinished(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_long_ago = making.span("run", 0, 1000, attributes={"obs.span.open": True})
    StoreSpanExporter(store, MANY).export([open_long_ago])
    with Reader(store) as reader:
        (trace,) = reader.traces(status="unfinished")
        assert (trace.unfinished, trace.running) == (1, 0)
    assert cli.main(["show", "--last", "--store", str(store)]) == 0
    assert "UNFINISHED" in capsys.readouterr().out
