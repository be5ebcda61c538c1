from __future__ import annotations

import asyncio
import concurrent.futures
import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from obs_run.tracing import (
    InMemorySpanRecorder,
    Span,
    SpanContext,
    SpanKind,
    SpanRecorder,
    SpanStatus,
    Tracer,
    get_current_span_id,
    get_current_trace_id,
    get_tracer,
    trace_operation,
)

if TYPE_CHECKING:
    from tests.unit.tracing.conftest import Exported


def recorded(tracer: Tracer) -> list[Span]:
    assert isinstance(tracer.recorder, InMemorySpanRecorder)
    return tracer.recorder.get_spans()


def test_a_span_is_one_of_opentelemetry_and_a_record_of_its_own(exported: Exported) -> None:
    tracer = get_tracer("shop")
    before = time.time()
    with tracer.span("outer", SpanKind.CLIENT, tags={"a": 1}) as outer:
        assert (get_current_trace_id(), get_current_span_id()) == (outer.context.trace_id, outer.context.span_id)
        with tracer.span("inner") as inner:
            inner.log_event("seen", size=3)
            assert tracer.get_active_spans() == [outer, inner]
        open_for = outer.duration
    assert get_current_trace_id() is get_current_span_id() is None

    assert 0 < open_for < outer.duration == pytest.approx((outer.end_time or 0) - outer.start_time, abs=1e-6)
    assert before <= outer.start_time <= time.time()
    assert re.fullmatch(r"[0-9a-f]{32}", outer.context.trace_id)
    assert re.fullmatch(r"[0-9a-f]{16}", outer.context.span_id)
    assert inner.context == SpanContext(
        outer.context.trace_id, inner.context.span_id, outer.context.span_id, outer.context.flags
    )
    assert outer.context.flags & 1
    assert recorded(tracer) == [inner, outer]
    assert recorded(tracer)[1].to_dict() == outer.to_dict()

    told = exported.one("outer")
    assert (told.kind, told.status.status_code) == (trace.SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(told.attributes or {}) == {"service.name": "shop", "a": 1}
    assert told.instrumentation_scope is not None
    assert told.instrumentation_scope.name == "shop"
    assert told.end_time is not None
    assert told.start_time is not None
    assert (told.end_time - told.start_time) / 1e9 == pytest.approx(outer.duration, abs=1e-6)
    (event,) = exported.one("inner").events
    assert (event.name, dict(event.attributes or {})) == ("seen", {"size": 3})


def test_a_span_as_plain_values() -> None:
    with get_tracer("shop").span("work", SpanKind.SERVER) as span:
        span.log_error(KeyError("x"), order=7)
    told = span.to_dict()
    (event,) = told["logs"]
    assert told == {
        "context": {"trace_id": span.context.trace_id, "span_id": span.context.span_id, "parent_span_id": None}
        | {"flags": span.context.flags},
        "operation_name": "work",
        "kind": "server",
        "start_time": span.start_time,
        "end_time": span.end_time,
        "duration": span.duration,
        "status": "error",
        "tags": {"service.name": "shop", "error.type": "KeyError"},
        "logs": [
            {
                "timestamp": event["timestamp"],
                "event": "error",
                "error_type": "KeyError",
                "error_message": "'x'",
                "order": 7,
            }
        ],
        "references": [],
    }
    assert json.loads(span.to_json()) == told


def test_a_logged_error_stays_and_is_recorded_once(exported: Exported) -> None:
    tracer = get_tracer("a")
    problem = ValueError("by hand")
    with suppress(ValueError), tracer.span("raised again") as raised:
        try:
            raise problem
        except ValueError as caught:
            raised.log_error(caught)
            raise
    with tracer.span("handled") as handled:
        handled.log_error(problem)
    by_hand = tracer.start_span("by hand")
    by_hand.log_error(problem)
    tracer.finish_span(by_hand, SpanStatus.OK)
    for span in (raised, handled, by_hand):
        told = exported.one(span.operation_name)
        assert (span.status, len(span.logs)) == (SpanStatus.ERROR, 1)
        assert [event.name for event in told.events] == ["exception"]
        assert (told.status.status_code, told.status.description) == (StatusCode.ERROR, "ValueError: by hand")
        assert "by hand" in str((told.events[0].attributes or {})["exception.message"])
    assert "Traceback" in str((exported.one("raised again").events[0].attributes or {})["exception.stacktrace"])
    metrics = tracer.get_metrics()
    assert (metrics["spans_with_errors"], metrics["error_rate"]) == (3, 1.0)


class Left(BaseException):
    """As trio's and anyio's own."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (asyncio.CancelledError(), SpanStatus.CANCELLED),
        (concurrent.futures.CancelledError(), SpanStatus.CANCELLED),
        (KeyboardInterrupt(), SpanStatus.CANCELLED),
        (Left(), SpanStatus.CANCELLED),
        (SystemExit(0), SpanStatus.OK),
        (SystemExit("bad"), SpanStatus.ERROR),
        (GeneratorExit(), SpanStatus.OK),
        (TimeoutError("late"), SpanStatus.ERROR),
    ],
    ids=repr,
)
def test_what_a_block_is_left_by_decides(error: BaseException, status: SpanStatus, exported: Exported) -> None:
    tracer = get_tracer("a")

    async def work() -> None:
        async with tracer.async_span("async"):
            raise error

    with pytest.raises(type(error)), tracer.span("sync"):
        raise error
    coroutine = work()
    with pytest.raises(type(error)):
        coroutine.send(None)
    assert [span.status for span in recorded(tracer)] == [status] * 2
    assert tracer.get_active_spans() == []
    for told in exported.spans:
        assert (told.attributes or {}).get("obs.span.status") == (
            "cancelled" if status is SpanStatus.CANCELLED else None
        )
        assert told.status.status_code is (StatusCode.ERROR if status is SpanStatus.ERROR else StatusCode.UNSET)


def test_a_cancelled_task_leaves_no_span_open() -> None:
    tracer = get_tracer("a")

    async def main() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            async with tracer.async_span("work"):
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [span.status for span in recorded(tracer)] == [SpanStatus.CANCELLED]
    assert tracer.get_active_spans() == []
    assert get_current_trace_id() is None


def test_spans_by_hand_are_not_current_and_end_at_the_call(exported: Exported) -> None:
    tracer = get_tracer("a")

    async def main() -> None:
        with tracer.span("outer") as outer:
            child = tracer.start_span("child", tags={"a": [1, 2]}, references=[outer.context, "something"])
            assert get_current_span_id() == outer.context.span_id
        later = tracer.start_span("later", parent_context=child.context)
        waiting = tracer.finish_span(child)
        assert child.is_finished
        assert await waiting is None
        await tracer.finish_span(later, SpanStatus.TIMEOUT)
        await later.finish()

    asyncio.run(main())
    outer, child, later = recorded(tracer)
    assert child.context.parent_span_id == outer.context.span_id
    assert later.context.parent_span_id == child.context.span_id
    assert [link.context.span_id for link in exported.one("child").links] == [int(outer.context.span_id, 16)]
    assert (later.status, exported.one("later").status.status_code) == (SpanStatus.TIMEOUT, StatusCode.ERROR)
    assert (exported.one("later").attributes or {})["obs.span.status"] == "timeout"
    assert (exported.one("child").attributes or {})["a"] == (1, 2)


@pytest.mark.parametrize("parent", ["span", "context", "otel", "headers", "context of otel", "old ids", "nonsense"])
def test_a_parent_may_be_given_in_many_forms(parent: str, said: list[str]) -> None:
    tracer = get_tracer("a")
    outer = tracer.start_span("outer")
    outer.finish()
    trace_id, span_id = outer.context.trace_id, outer.context.span_id
    given: Any = {
        "span": outer,
        "context": outer.context,
        "otel": outer.otel_context,
        "headers": {"Traceparent": f"00-{trace_id}-{span_id}-01"},
        "context of otel": outer.context_inside(),
        "old ids": SpanContext("12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
        "nonsense": 7,
    }[parent]
    child = tracer.start_span("child", parent_context=given)
    child.finish()
    if parent == "nonsense":
        assert child.context.parent_span_id is None
        said.append(
            "parent_context of type int is not allowed; allowed: a span, its context, what extract() "
            "returned, headers; the current span is the parent"
        )
    elif parent == "old ids":
        assert child.context.trace_id == "12345678123456781234567812345678"
        assert child.context.parent_span_id == "1234567812345678"
    else:
        assert (child.context.trace_id, child.context.parent_span_id) == (trace_id, span_id)


def test_tracers_are_one_for_each_name() -> None:
    first = get_tracer("first")
    assert get_tracer("first") is first
    assert get_tracer("second").service_name == "second"
    with get_tracer("second").span("work") as span:
        pass
    assert span.tags["service.name"] == "second"
    # Who names none gets the first that was named.
    assert get_tracer() is first
    assert first.get_metrics()["spans_created"] == 0


def test_an_operation_may_be_awaited_or_not() -> None:
    async def main() -> None:
        async with await trace_operation("awaited", tags={"a": 1}) as awaited:
            assert get_current_span_id() == awaited.context.span_id
        async with trace_operation("not") as not_awaited:
            assert get_current_span_id() == not_awaited.context.span_id
        with await trace_operation("plain"):
            pass

    asyncio.run(main())
    assert [span.operation_name for span in recorded(get_tracer())] == ["awaited", "not", "plain"]
    assert recorded(get_tracer())[0].tags == {"service.name": "ai_system", "a": 1}


def test_metrics_of_a_tracer() -> None:
    tracer = Tracer("own", InMemorySpanRecorder())
    assert tracer.get_metrics()["avg_duration"] == tracer.get_metrics()["error_rate"] == 0.0
    with tracer.span("a") as a, tracer.span("b") as b:
        metrics = tracer.get_metrics()
        assert (metrics["spans_created"], metrics["active_spans"], metrics["spans_finished"]) == (2, 2, 0)
    total = a.duration + b.duration
    assert tracer.get_metrics() == {
        "spans_created": 2,
        "spans_finished": 2,
        "spans_with_errors": 0,
        "total_duration": pytest.approx(total),
        "active_spans": 0,
        "avg_duration": pytest.approx(total / 2),
        "error_rate": 0.0,
    }


def test_recorders_of_the_agents_own_may_be_coroutines() -> None:
    async def main() -> list[str]:
        taken: list[str] = []
        all_taken = asyncio.Event()

        class Own(SpanRecorder):
            async def record_span(self, span: Span) -> None:
                await asyncio.sleep(0)
                taken.append(span.operation_name)
                if len(taken) == 3:
                    all_taken.set()

        tracer = Tracer("own", Own())
        async with tracer.async_span("awaited"):
            pass
        assert taken == ["awaited"]
        await tracer.finish_span(tracer.start_span("by hand"))
        assert taken == ["awaited", "by hand"]
        with tracer.span("in a loop"):
            pass
        await all_taken.wait()
        return taken

    assert asyncio.run(main()) == ["awaited", "by hand", "in a loop"]


def test_a_recorder_that_fails_is_said_once(said: list[str]) -> None:
    class Broken(SpanRecorder):
        def record_span(self, span: Span) -> None:
            raise LookupError(span.operation_name)

    tracer = Tracer("own", Broken())
    for _ in range(2):
        with tracer.span("work"):
            pass
    said.append("span recorder failed and was skipped: LookupError: work")
