"""Every place answers the same: the local store, and a file of what it holds."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.readers.places import open_place
from obs_run.store.exporters import StoreSpanExporter
from obs_run.telemetry.otlp_json import signal_json
from obs_run.telemetry.summary import summary
from tests.unit.readers import recorded
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obs_run.telemetry.reader import TraceReader

MINUTE = 60 * 10**9
SEARCHES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [3, 2, 1]),
    ({"without_spans": True}, [4, 3, 2, 1]),
    ({"without_usage": True}, [3, 2, 1]),
    ({"service": "agent"}, [2, 1]),
    ({"service": "other"}, [3, 2]),
    ({"service": "oth"}, []),
    ({"since_ns": making.AT + MINUTE}, [3, 2]),
    ({"until_ns": making.AT + MINUTE}, [1]),
    ({"since_ns": making.AT + 1, "until_ns": making.AT + MINUTE + 1}, [2]),
    ({"errors": True}, [1]),
    ({"status": "error"}, [1]),
    ({"status": "error", "without_spans": True}, [4, 1]),
    ({"status": "unfinished"}, [3]),
    ({"status": "ok"}, [2]),
    ({"agent": "planner"}, [1]),
    ({"agent": None}, [3, 2, 1]),
    ({"model": "gpt-x"}, [2, 1]),
    ({"model": "gpt-y"}, [2]),
    ({"model": "gpt"}, []),
    ({"conversation": "c-1"}, [1]),
    ({"tool": "search", "operation": "execute_tool"}, [1]),
    ({"model": "gpt-x", "service": "other"}, [2]),
    ({"attributes": {"user.id": "u 7"}}, [1]),
    ({"attributes": {"n": "12"}}, [1]),
    ({"attributes": {"n": "12.0"}}, [1]),
    ({"attributes": {"n": "1"}}, []),
    ({"attributes": {"flag": "true"}}, [1]),
    ({"attributes": {"flag": "1"}}, []),
    ({"attributes": {"ratio": "0.5", "flag": "true"}}, [1]),
    ({"attributes": {"ratio": "0.5", "user.id": "u 7"}}, []),  # of two spans
    ({"attributes": {"stops": "max"}}, [1]),
    ({"attributes": {"service.version": "2.0"}}, [3, 2]),
    ({"attributes": {"service.version": "2.0", "gen_ai.request.model": "gpt-x"}}, [2]),
    ({"attributes": {"nested": '{"a":[1,{"b":null}]}'}}, [1]),
    ({"attributes": {"process.pid": "200"}}, [3, 2]),
    ({"attributes": {"a": "1"}}, []),  # inside another one
    ({"text": "TIMEOUTerror"}, [1]),
    ({"text": 'say "HI"\nto'}, [1]),
    ({"text": "took too long"}, [1]),
    ({"text": "lisbon"}, [1]),
    ({"text": "100%"}, [2]),
    ({"text": "1_0"}, []),
    ({"text": "Zoë"}, [1]),
    ({"text": "gpt-x", "since_ns": making.AT + 1}, [2]),
    ({"text": ""}, [3, 2, 1]),
]


@pytest.fixture(params=["store", "lines"])
def reader(request: pytest.FixtureRequest) -> Iterator[TraceReader]:
    with open_place(str(request.getfixturevalue(request.param))) as opened:
        yield opened


@pytest.mark.parametrize(("search", "found"), SEARCHES, ids=str)
def test_a_search_finds_the_same_everywhere(reader: TraceReader, search: Any, found: list[int]) -> None:
    assert [int(trace.trace_id, 16) for trace in reader.traces(**search)] == found
    assert [int(trace.trace_id, 16) for trace in reader.traces(1, **search)] == found[:1]


def test_places_hold_the_same(store: Path, lines: Path) -> None:
    with open_place(str(store)) as of_store, open_place(str(lines)) as of_file:
        traces = of_store.traces(without_spans=True)
        assert len(traces) == 4
        assert of_file.traces(without_spans=True) == traces
        assert of_file.newest() == of_store.newest()
        for trace in traces:
            assert of_file.spans(trace.trace_id) == of_store.spans(trace.trace_id)
            assert of_file.logs(trace.trace_id) == of_store.logs(trace.trace_id)
            assert of_file.find(trace.trace_id) == of_store.find(trace.trace_id) == [trace]
        assert of_file.find("0" * 31) == of_store.find("0" * 31) == traces
        assert of_file.find("f") == of_store.find("f") == []
        assert len(of_store.points()) == 5
        assert of_file.points() == of_store.points()
        assert of_file.log_lines() == of_store.log_lines()
        assert of_file.signals == of_store.signals
        assert of_file.damaged == of_store.damaged == 0


def test_a_model_call_around_another_counts_once(tmp_path: Path) -> None:
    """As where a framework's span of a call is around the client's, with a span between them that tells nothing."""
    path = tmp_path / "store.db"
    outer, inner = recorded.chat("gpt-x", 90, 0.5), recorded.chat("gpt-x", 90, 0.5)
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 4}
    spans = [
        making.span("chat gpt-x", 0, 90, attributes=outer),
        making.span("sequence", 10, 50, id=2, parent=1),
        making.span("chat gpt-x", 20, 20, id=3, parent=2, attributes=inner),
        making.span("first", 0, 9, trace=2, attributes=agent),
        making.span("second", 0, 9, trace=2, id=2, attributes=agent),
    ]
    # The inner one ends first, in a batch of its own.
    assert [StoreSpanExporter(path, 1 << 30).export([span]).name for span in reversed(spans)] == ["SUCCESS"] * 5
    with open_place(str(path)) as reader:
        used = {trace.trace_id[-1]: (trace.input_tokens, trace.output_tokens, trace.cost) for trace in reader.traces()}
        assert used == {"1": (90, 2, 0.5), "2": (8, None, None)}
        for trace in reader.traces():
            assert summary(trace.trace_id, reader.spans(trace.trace_id), ()) == trace


def test_a_run_told_while_it_went_on_is_one_when_it_has_ended(tmp_path: Path) -> None:
    run = {"obs.run.kind": "script"}
    spans = [
        making.span("agent", 0, 10, attributes={**run, "obs.span.open": True}),
        making.span("agent", 0, 50, id=2, parent=1, attributes={**run, "obs.run.exit_code": 3}, error="exit code 3"),
        making.span("agent", 5, 20, id=3, parent=1, attributes=run),
    ]
    path = tmp_path / "store.db"
    StoreSpanExporter(path, 1 << 30).export(spans)
    file = tmp_path / "spans.json"
    with open_place(str(path)) as of_store:
        file.write_text(json.dumps(signal_json("traces", of_store.spans(of_store.traces()[0].trace_id))))
    with open_place(str(file)) as reader:
        (trace,) = reader.traces()
        root, child = reader.spans(trace.trace_id)
        assert (trace.spans, trace.unfinished, trace.errors) == (2, 0, 1)
        assert (root.span_id[-1], root.parent_id, root.seconds) == ("1", None, 0.05)
        assert root.attributes["obs.run.exit_code"] == 3
        assert (child.span_id[-1], child.parent_id) == ("3", root.span_id)


LOG_SEARCHES: list[tuple[dict[str, Any], int]] = [
    ({}, 4),
    ({"limit": 2}, 2),
    ({"severity": 13}, 2),
    ({"is_outside_traces": True}, 1),
    ({"service": "agent"}, 4),
    ({"service": "other"}, 0),
    ({"since_ns": making.AT + MINUTE, "until_ns": making.AT + 2 * MINUTE}, 1),
    ({"attributes": {"user.id": "u 7"}}, 1),
    ({"text": "IT'S 100%"}, 1),
    ({"text": "lisbon"}, 1),
]


@pytest.mark.parametrize(("search", "number"), LOG_SEARCHES, ids=str)
def test_log_lines_outside_traces_are_found_too(reader: TraceReader, search: Any, number: int) -> None:
    lines = reader.log_lines(**search)
    assert len(lines) == number
    assert [line.time_ns for line in lines] == sorted(line.time_ns for line in lines)
    if search == {"limit": 2}:
        assert [line.body for line in lines] == ["alone", "outside"]


def test_metric_points(reader: TraceReader) -> None:
    assert [point.name for point in reader.points(name="calls")] == ["calls"]
    (point,) = reader.points(name="seconds", service="agent")
    assert (point.kind, point.unit, point.value, point.count, point.attributes) == (
        "Histogram", "s", 1.5, 1, {"model": "gpt-x"},
    )  # fmt: skip
    assert point.data["temporality"] == "CUMULATIVE"
    assert sum(point.data["bucket_counts"]) == 1
    assert reader.points(service="other") == []
    assert reader.points(until_ns=making.AT) == []


def test_usage_is_that_of_model_calls(reader: TraceReader) -> None:
    by_model = [(one.group, one.calls, one.errors, one.input_tokens, one.cost) for one in reader.usage()]
    assert by_model == [("gpt-x", 2, 0, 91, 0.6), ("gpt-y", 1, 0, 5, 0.25)]
    assert [(one.group, one.calls) for one in reader.usage("service")] == [("agent", 2), ("other", 1)]
    assert [(one.group, one.calls) for one in reader.usage(since_ns=making.AT + 1)] == [("gpt-y", 1), ("gpt-x", 1)]
    assert [(one.group, one.calls) for one in reader.usage("agent")] == [("", 3)]


def test_a_damaged_row_costs_itself_alone(store: Path) -> None:
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE spans SET attributes = '{', input_tokens = 9223372036854775807 WHERE model = 'gpt-x'")
    connection.execute("UPDATE points SET time_ns = 'x', data = '[' WHERE name = 'calls'")
    connection.execute("UPDATE logs SET body = '{' WHERE trace_id IS NULL")
    connection.close()
    with open_place(store) as reader:
        assert [int(trace.trace_id, 16) for trace in reader.traces(attributes={"flag": "true"})] == [1]
        assert [int(trace.trace_id, 16) for trace in reader.traces(text="gpt-y")] == [2]
        assert [one.group for one in reader.usage()] == ["gpt-x", "gpt-y"]
        assert len(reader.points()) == 5
        assert reader.log_lines()[-1].body is None
        assert reader.damaged == 3
