from __future__ import annotations

import json
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.tracing import (
    FileSpanRecorder,
    InMemorySpanRecorder,
    RemoteSpanRecorder,
    Span,
    SpanContext,
    SpanKind,
    SpanStatus,
    TraceAnalyzer,
    Tracer,
    get_tracer,
    setup_tracing,
)
from obs_run.tracing.span import PackedSpan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run


def some(recorder: Any, count: int = 3, **tags: Any) -> list[Span]:
    tracer = Tracer("shop", recorder)
    spans = []
    for number in range(count):
        with tracer.span(f"work {number}", tags=tags) as span:
            span.log_event("seen", number=number)
        spans.append(span)
    return spans


def test_memory_keeps_the_newest() -> None:
    recorder = InMemorySpanRecorder(max_spans=2)
    spans = some(recorder)
    assert recorder.get_spans() == spans[1:]
    assert [span.to_dict() for span in recorder.get_spans()] == [span.to_dict() for span in spans[1:]]
    assert recorder.get_spans(spans[2].context.trace_id) == [spans[2]]
    assert recorder.get_spans("0" * 32) == []
    recorder.clear()
    assert recorder.get_spans() == []


def test_memory_is_bounded_by_bytes_too() -> None:
    recorder = InMemorySpanRecorder()
    some(recorder, 700, text="x" * 60_000)
    assert 400 < len(recorder.get_spans()) < 600
    assert recorder.get_spans()[-1].operation_name == "work 699"


def test_what_is_kept_is_not_what_goes_on() -> None:
    recorder = InMemorySpanRecorder()
    tracer = Tracer("shop", recorder)
    span = tracer.start_span("work", tags={"list": [1]})
    assert recorder.get_spans() == []
    span.finish()
    (kept,) = recorder.get_spans()
    assert kept.is_finished
    assert kept.duration == span.duration


@pytest.mark.parametrize("kind", ["file", "files put aside"])
def test_files_hold_one_line_for_each_span_and_are_readable(kind: str, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "new" / "spans.jsonl"
    recorder = FileSpanRecorder(path) if kind == "file" else FileSpanRecorder(str(path), max_size=1500, backup_count=20)
    spans = some(recorder, 9, answer=42, wild=float("nan"))
    assert recorder.get_spans() == spans
    assert [span.to_dict() for span in recorder.get_spans()] == [span.to_dict() for span in spans]
    assert recorder.get_spans(spans[4].context.trace_id) == [spans[4]]
    assert TraceAnalyzer(recorder).get_performance_summary()["total_spans"] == 9
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = [each for each in path.parent.iterdir() if not each.name.startswith(".")]
    assert len(files) == 1 if kind == "file" else len(files) > 2
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert {json.loads(line)["context"]["span_id"] for line in lines} == {span.context.span_id for span in spans}
    with path.open("a") as file:
        file.write('{"half": \n[]\n{"context": {}}\n')
    assert len(recorder.get_spans()) == 9
    said.append(f"{path}: lines that are no spans are left out")


def test_files_hold_no_secrets(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    recorder = FileSpanRecorder(tmp_path / "spans.jsonl")
    tracer = Tracer("shop", recorder)
    with tracer.span(f"call with {secret}", tags={"password": "hunter2", "header": f"Bearer {secret}"}) as span:
        span.log_event("asked", told={"deep": [secret]})
    (told,) = recorder.get_spans()
    text = (tmp_path / "spans.jsonl").read_text()
    assert secret not in text
    assert "hunter2" not in text
    assert told.context == span.context


def test_a_file_that_cannot_be_written_is_said_once(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").write_text("")
    recorder = FileSpanRecorder(tmp_path / "file" / "spans.jsonl")
    some(recorder)
    assert recorder.get_spans() == []
    said.append(f"{tmp_path}/file/spans.jsonl cannot be written, lines are lost: File exists")


@pytest.mark.slow
def test_several_threads_and_processes_write_to_one_file(agent: Run, tmp_path: Path) -> None:
    ran = agent(
        f"""
    import os, threading
    from obs_run.tracing import setup_tracing
    path = {str(tmp_path / "spans.jsonl")!r}
    tracer = setup_tracing("shop", "file", file_path=path, max_size=20_000, backup_count=100)
    def work():
        for number in range(50):
            with tracer.span("work", tags={{"number": number}}):
                pass
    outer = tracer.start_span("outer")
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            workers = [threading.Thread(target=work) for _ in range(2)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
            outer.finish()
            os._exit(0)
        children.append(child)
    work()
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    outer.finish()
    spans = tracer.recorder.get_spans()
    names = [span.operation_name for span in spans]
    assert (names.count("work"), names.count("outer")) == (350, 1), len(names)
    assert len({{span.context.span_id for span in spans}}) == 351
    """,
        start=False,
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "/v1/traces", "/else/where"])
def test_a_remote_recorder_sends_otlp_to_its_endpoint(agent: Run, receiver: Receiver, path: str) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    ran = agent(
        f"""
    from obs_run.tracing import TraceAnalyzer, setup_tracing
    tracer = setup_tracing("shop", "remote", endpoint={receiver.endpoint + path!r}, batch_size=2, flush_interval=0.1)
    with tracer.span("outer") as outer:
        for number in range(4):
            with tracer.span("inner", tags={{"header": "Bearer {secret}"}}) as span:
                span.log_event("seen", number=number)
    assert TraceAnalyzer(tracer.recorder).analyze_trace(outer.context.trace_id)["total_spans"] == 5
    """,
        start=False,
        OBS_FLUSH_SECONDS="20",
    )
    assert (ran.code, ran.err) == (0, "")
    if path.startswith("/else"):
        # Batches of two, of five spans.
        assert receiver.requests == [path] * 3
        return
    assert receiver.wait_for(lambda got: len(got.spans) == 5)
    (outer,) = receiver.named("outer")
    for inner in receiver.named("inner"):
        assert (inner.trace_id, inner.parent_id, inner.events) == (outer.trace_id, outer.span_id, ["seen"])
        assert secret not in str(inner.attributes)
        assert inner.resource["service.name"] == "agent"


def test_an_endpoint_that_is_none_is_said(said: list[str]) -> None:
    recorder = RemoteSpanRecorder("not an address")
    assert recorder.get_spans() == []
    assert some(recorder) == recorder.get_spans()
    said.append(
        "RemoteSpanRecorder: endpoint 'not an address' is not allowed; allowed: http://host:port or https://host:port"
    )


def test_set_up_chooses_for_all_tracers(tmp_path: Path) -> None:
    before = get_tracer("before")
    tracer = setup_tracing("shop", recorder_type="file", file_path=tmp_path / "spans.jsonl")
    assert tracer is get_tracer("shop") is get_tracer()
    assert before.recorder is tracer.recorder
    assert isinstance(tracer.recorder, FileSpanRecorder)
    assert tracer.recorder.file_path == tmp_path / "spans.jsonl"
    own = InMemorySpanRecorder()
    before.recorder = own
    assert before.recorder is own
    memory = setup_tracing("shop", max_spans=5).recorder
    assert isinstance(memory, InMemorySpanRecorder)
    assert memory.max_spans == 5
    with pytest.raises(ValueError, match=r"recorder_type 'tape' is not allowed; allowed: memory, file, remote"):
        setup_tracing("shop", "tape")


def spans_of_a_trace() -> list[Span]:
    def span(name: str, own: int, parent: int | None, start: float, seconds: float, service: str, *more: Any) -> Span:
        context = SpanContext("a" * 32, f"{own:016x}", None if parent is None else f"{parent:016x}")
        status = SpanStatus.ERROR if more else SpanStatus.OK
        return Span(context, name, SpanKind.INTERNAL, start, start + seconds, status, {"service.name": service})

    return [
        span("query", 4, 3, 2.0, 1.5, "db", "failed"),
        span("render", 2, 1, 1.0, 1.0, "web"),
        span("call", 3, 1, 2.0, 3.0, "web"),
        span("request", 1, 99, 1.0, 5.0, "web"),
    ]


class Kept:
    def get_spans(self, trace_id: str | None = None) -> list[Span]:
        return [span for span in spans_of_a_trace() if trace_id in (None, span.context.trace_id)]


def test_the_analysis_of_a_trace() -> None:
    told = TraceAnalyzer(Kept()).analyze_trace("a" * 32)
    assert told == {
        "trace_id": "a" * 32,
        "total_spans": 4,
        "total_duration": 5.0,
        "error_count": 1,
        "error_rate": 0.25,
        "slowest_operation": {"name": "request", "duration": 5.0, "service": "web"},
        "services": {
            "db": {"spans": 1, "duration": 1.5, "errors": 1},
            "web": {"spans": 3, "duration": 9.0, "errors": 0},
        },
        "critical_path": [
            {"operation": "request", "duration": 5.0, "service": "web"},
            {"operation": "call", "duration": 3.0, "service": "web"},
            {"operation": "query", "duration": 1.5, "service": "db"},
        ],
    }
    assert "error" in TraceAnalyzer(Kept()).analyze_trace("b" * 32)
    assert "error" in TraceAnalyzer(object()).analyze_trace("b" * 32)
    assert "error" in TraceAnalyzer(object()).get_performance_summary()


def test_the_summary_of_all_that_ended_lately() -> None:
    tracer = get_tracer("shop")
    spans = some(None, 5) + some(None, 1)
    old = Span(SpanContext(), "old", SpanKind.INTERNAL, 1.0, 2.0)
    tracer.recorder.record_span(old)
    summary = TraceAnalyzer(tracer.recorder).get_performance_summary(time_window=60)
    durations = sorted(span.duration for span in spans)
    assert (summary["time_window"], summary["total_spans"], summary["error_rate"]) == (60, 6, 0.0)
    assert summary["avg_duration"] == pytest.approx(sum(durations) / 6)
    assert summary["p95_duration"] == durations[-1]
    assert set(summary["operations"]) == {f"work {number}" for number in range(5)}
    assert summary["operations"]["work 0"]["count"] == 2
    assert [each["duration"] for each in summary["slowest_operations"]] == durations[::-1]
    everything = TraceAnalyzer(tracer.recorder).get_performance_summary(time_window=1e12)
    assert everything["total_spans"] == 7


@pytest.mark.slow
def test_a_recorder_may_be_read_while_spans_end() -> None:
    recorder = InMemorySpanRecorder(500)
    ended = threading.Event()

    def work() -> None:
        some(recorder, 3000)
        ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not ended.is_set():
        assert len(recorder.get_spans()) <= 500
    worker.join()
    assert len(recorder.get_spans()) == 500


def test_the_values_of_a_packed_span_stand_under_their_names() -> None:
    span = Span(None, "work", SpanKind.CLIENT, 100.0, 101.5, SpanStatus.TIMEOUT, {"a": 1}, [{"event": "e"}], ["r"])
    span.weight = 7
    packed = PackedSpan._make(span.packed())
    assert packed == PackedSpan(
        weight=7,
        context=span.context,
        trace_id=None,
        span_id=None,
        parent_id=0,
        flags=None,
        operation_name="work",
        kind="client",
        start_time=100.0,
        end_time=101.5,
        duration=1.5,
        status="timeout",
        tags={"a": 1},
        logs=[{"event": "e"}],
        references=["r"],
    )
