"""The lines that users write, from the contract of the old API, run as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run

EXAMPLES = """
    import asyncio, contextlib
    from obs_run.tracing import get_tracer, trace_function, get_current_trace_id, SpanKind

    tracer = get_tracer("user_service")
    pool = contextlib.nullcontext

    @trace_function(operation_name="user_authentication", kind=SpanKind.SERVER)
    async def authenticate_user(credentials):
        return await get_connection()

    @trace_function("connection_pool_get")
    async def get_connection():
        with pool():
            return get_current_trace_id()

    async def main():
        inside = await authenticate_user({"name": "a"})
        async with tracer.async_span("complex_operation", kind=SpanKind.INTERNAL) as span:
            span.set_tags({"batch.size": 3}); span.set_tag("success", True)
            async with tracer.async_span("process_item") as item:
                item.log_event("item_processed", result_size=12)
            span.log_error(ValueError("x"))
            elapsed = span.duration
            trace_id = get_current_trace_id()
        assert 0 < elapsed < span.duration
        async with tracer.async_span("external_api"):
            headers = {"X-Trace-ID": get_current_trace_id(), "X-Correlation-ID": "req_123"}
        assert len(headers["X-Trace-ID"]) == len(trace_id) == len(inside) == 32
        assert set(trace_id) <= set("0123456789abcdef")
        return trace_id, inside
    trace_id, inside = asyncio.run(main())
"""


@pytest.mark.parametrize("launched", [True, False])
def test_the_examples_run_as_written(agent: Run, *, launched: bool) -> None:
    ran = agent(
        f"""{EXAMPLES}
    import telemetry_probe
    telemetry_probe.show(trace=trace_id, inside=inside, current=get_current_trace_id())
    """,
        start=launched,
    )
    spans = ran.spans()

    assert ran.err == ""
    assert set(spans) == {
        "user_authentication",
        "connection_pool_get",
        "complex_operation",
        "process_item",
        "external_api",
    }
    whole, item, login = spans["complex_operation"], spans["process_item"], spans["user_authentication"]
    assert item["parent"] == whole["span"]
    assert item["trace"] == whole["trace"] == ran.seen["trace"]
    assert spans["connection_pool_get"]["parent"] == login["span"]
    assert login["trace"] == ran.seen["inside"] != whole["trace"]
    assert (login["kind"], whole["kind"]) == ("SERVER", "INTERNAL")
    assert whole["attributes"] == {
        "batch.size": 3,
        "success": True,
        "error.type": "ValueError",
    }
    assert (whole["status"], whole["description"], whole["events"]) == ("ERROR", "ValueError: x", ["exception"])
    assert (item["status"], item["events"], item["scope"]) == ("UNSET", ["item_processed"], "user_service")
    assert login["attributes"] == {
        "function.name": "authenticate_user",
        "function.module": "__main__",
        "function.args_count": 1,
        "function.kwargs_count": 0,
        "function.result_type": "str",
    }
    if launched:
        assert whole["parent"]
        assert ran.seen["current"] == whole["trace"]
    else:
        assert whole["parent"] is None
        assert ran.seen["current"] is None


def test_switched_off_nothing_happens_and_nothing_fails(agent: Run) -> None:
    ran = agent(
        f"""{EXAMPLES.partition("trace_id, inside = asyncio")[0]}
    from obs_run.tracing import TraceAnalyzer, continued, extract, get_current_span_id, inject, setup_tracing
    import sys
    with tracer.span("x", tags={{"a": 1}}) as span:
        span.set_tag("b", 2)
        assert get_current_trace_id() is get_current_span_id() is None
        assert inject() == {{}}
        span.log_event("e")
        span.log_error(ValueError("x"))
        with continued({{"X-Trace-ID": "a" * 32}}):
            with tracer.span("y") as inner:
                assert get_current_trace_id() == "a" * 32
    assert span.tags["b"] == 2 and span.duration > 0 and span.is_finished
    assert span.context.trace_id == "0" * 32
    assert asyncio.run(tracer.finish_span(tracer.start_span("y"))) is None
    assert tracer.recorder.get_spans() == []
    assert TraceAnalyzer(tracer.recorder).get_performance_summary()["total_spans"] == 0
    assert asyncio.run(authenticate_user(1)) is None
    assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
    """,
        start=False,
        OTEL_SDK_DISABLED="true",
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_what_is_recorded_in_plain_python_leaves_with_the_process(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
    import os, signal, sys
    from obs_run.tracing import get_tracer
    with get_tracer("a").span("done"):
        pass
    open = get_tracer("a").start_span("open")
    os.kill(os.getpid(), signal.SIGTERM)
    """,
        start=False,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert (ran.code, ran.err) == (-15, "")
    assert receiver.wait_for(lambda got: len(got.spans) == 2)
    (done,), (left,) = receiver.named("done"), receiver.named("open")
    assert done.parent_id == left.parent_id == ""
    assert left.attributes["obs.span.unfinished"] is True


def test_a_provider_of_the_agent_wins_whenever_it_comes(agent: Run) -> None:
    ran = agent(
        """
    from obs_run.tracing import get_tracer
    tracer = get_tracer("a")
    with tracer.span("early"):
        pass
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    theirs = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)
    assert trace.get_tracer_provider() is provider
    with tracer.span("late"):
        with trace.get_tracer("plain").start_as_current_span("inner"):
            pass
    import telemetry_probe
    telemetry_probe.show(theirs=[span.name for span in theirs.get_finished_spans()])
    """,
        start=False,
    )
    assert ran.seen["theirs"] == ["inner", "late"]
    assert set(ran.spans()) == {"early", "inner", "late"}
    assert ran.spans()["inner"]["parent"] == ran.spans()["late"]["span"]
    assert ran.err == ""


def test_importing_loads_the_api_and_not_the_sdk(agent: Run) -> None:
    ran = agent(
        """
    import sys
    import obs_run.tracing as tracing
    tracer = tracing.get_tracer("a")
    @tracing.trace_function
    def work(): pass
    heavy = ("opentelemetry.sdk", "google.protobuf", "http.client", "obs_run.privacy", "asyncio")
    loaded = [name for name in sys.modules if name.startswith(heavy)]
    assert not loaded, loaded
    assert sorted(tracing.__all__) == tracing.__all__
    assert all(hasattr(tracing, name) for name in tracing.__all__)
    """,
        start=False,
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")
