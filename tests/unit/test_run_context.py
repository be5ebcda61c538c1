from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in

if TYPE_CHECKING:
    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_spans_of_threads_and_callbacks_are_under_the_run(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
        import asyncio
        import threading
        from opentelemetry import trace

        tracer = trace.get_tracer("t")
        thread = threading.Thread(target=lambda: tracer.start_span("thread").end())
        thread.start()
        thread.join()
        asyncio.run(asyncio.sleep(0))
        tracer.start_span("main").end()
        raise SystemExit(3)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert ran.code == 3
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    (run,) = receiver.named("agent")
    assert run.parent_id == ""
    assert run.attributes["obs.run.kind"] == "script"
    assert "process.command_args" not in run.attributes
    for span in receiver.named("thread") + receiver.named("main"):
        assert (span.trace_id, span.parent_id) == (run.trace_id, run.span_id)


def test_an_error_that_ends_the_run_is_on_its_span(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
        from opentelemetry import trace

        class Broken(Exception):
            def __str__(self):
                raise LookupError("no text")

        trace.get_tracer("t").start_span("work").end()
        raise Broken
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_RUN_SPAN_ARGV="true",
    )
    assert ran.code == 1
    assert receiver.wait_for(lambda got: len(got.named("agent")) == 1)
    (run,) = receiver.named("agent")
    assert run.attributes["error.type"].endswith("Broken")
    assert run.events == ["exception"]
    assert run.attributes["obs.run.exit_code"] == 1
    assert "process.command_args" in run.attributes


def test_a_run_that_lasts_is_cut_into_linked_traces(agent: Run, receiver: Receiver) -> None:
    agent(
        """
        import threading
        from obs_run.process.unpatched import time
        from opentelemetry import trace

        tracer = trace.get_tracer("t")
        def work(name):
            tracer.start_span(name).end()
        work("first")
        # The run is long past its length at once: how fast it came here is the machine's affair.
        now = time.monotonic
        time.monotonic = lambda: now() + 1001
        threads = [threading.Thread(target=work, args=("second",)) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        work("second")
        time.monotonic = now
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_RUN_SPAN_SECONDS="1000",
    )
    assert receiver.wait_for(lambda got: len(got.named("agent")) == 2)
    parts = sorted(receiver.named("agent"), key=lambda span: bool(span.links))
    (first,) = receiver.named("first")

    assert parts[0].attributes["obs.run.continued"] is True
    assert parts[1].links == [parts[0].trace_id]
    assert parts[0].trace_id != parts[1].trace_id
    assert (first.trace_id, first.parent_id) == (parts[0].trace_id, parts[0].span_id)
    # A thread that asked while another was cutting belongs to the part before.
    known = {(part.trace_id, part.span_id) for part in parts}
    assert {(span.trace_id, span.parent_id) for span in receiver.named("second")} <= known
    assert (receiver.named("second")[-1].trace_id) == parts[1].trace_id
    assert len(receiver.named("second")) == 9


def test_requests_from_outside_begin_traces_of_their_own(agent: Run) -> None:
    ran = agent("""
    import telemetry_probe
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind

    tracer = trace.get_tracer("t")
    for kind in (SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.PRODUCER):
        with tracer.start_as_current_span(kind.name, kind=kind):
            tracer.start_span(f"in {kind.name}").end()
    with tracer.start_as_current_span("job"):
        tracer.start_span("inner server", kind=SpanKind.SERVER).end()
    telemetry_probe.show()
    """)
    spans = ran.spans()

    assert spans["SERVER"]["parent"] is None
    assert spans["CONSUMER"]["parent"] is None
    assert spans["PRODUCER"]["parent"]
    assert spans["in SERVER"]["trace"] == spans["SERVER"]["trace"] != spans["CONSUMER"]["trace"]
    assert spans["inner server"]["parent"] == spans["job"]["span"]


@pytest.mark.parametrize("sampler", ["parentbased_always_on", "always_on"])
def test_the_trace_of_the_environment_is_continued(agent: Run, receiver: Receiver, sampler: str) -> None:
    agent(
        """
        import os
        from opentelemetry import trace
        from obs_run.context.propagation import child_environment

        before = child_environment()["TRACEPARENT"]
        with trace.get_tracer("t").start_as_current_span("work"):
            inside = child_environment()["TRACEPARENT"]
        print(before, inside)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        TRACEPARENT=PARENT,
        OTEL_TRACES_SAMPLER=sampler,
    )
    assert receiver.wait_for(lambda got: len(got.spans) == 2)
    (run,), (work,) = receiver.named("agent"), receiver.named("work")
    assert (run.trace_id, run.parent_id) == tuple(PARENT.split("-")[1:3])
    assert (work.trace_id, work.parent_id) == (run.trace_id, run.span_id)


def test_without_a_run_span_there_is_none(agent: Run, receiver: Receiver) -> None:
    agent(
        """
        from opentelemetry import trace
        from obs_run.context.propagation import child_environment

        assert child_environment() == {}
        trace.get_tracer("t").start_span("work").end()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_RUN_SPAN="off",
    )
    assert receiver.wait_for(lambda got: len(got.spans) == 1)
    assert receiver.spans[0].parent_id == ""


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("sampler", "ratio", "parent"),
    one_in(
        2,
        [
            ("always_off", "", ""),
            ("parentbased_always_off", "", ""),
            ("traceidratio", "0", PARENT),
            ("always_off", "", PARENT),
            ("parentbased_always_on", "", PARENT[:-2] + "00"),
        ],
    ),
)
def test_the_run_span_is_sampled_as_the_spans_in_it(
    agent: Run, receiver: Receiver, sampler: str, ratio: str, parent: str
) -> None:
    ran = agent(
        """
        from opentelemetry import trace
        from obs_run.context.propagation import child_environment

        print(child_environment()["TRACEPARENT"][-2:])
        trace.get_tracer("t").start_span("work").end()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_TRACES_SAMPLER=sampler,
        OTEL_TRACES_SAMPLER_ARG=ratio,
        TRACEPARENT=parent,
    )
    assert (ran.code, ran.out, ran.err) == (0, "00\n", "")
    assert not receiver.spans


def test_a_ratio_decides_on_the_run_as_the_sdk_would(agent: Run) -> None:
    ran = agent(
        """
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
        from obs_run.process import run

        sampler = TraceIdRatioBased(0.3)
        kept = 0
        for _ in range(500):
            run.begin_next_trace()
            made = run.identity()
            assert sampler.should_sample(None, made.trace_id, "n").decision.is_sampled() == made.sampled
            kept += made.sampled
        assert 0 < kept < 500
        """,
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG="0.3",
    )
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("ratio", one_in(2, ["7", "-1", "half", ""]))
def test_a_wrong_ratio_keeps_everything(agent: Run, ratio: str) -> None:
    ran = agent(
        """
        import telemetry_probe
        from opentelemetry import trace
        from obs_run.process import run

        assert run.identity().sampled
        trace.get_tracer("t").start_span("work").end()
        telemetry_probe.show()
        """,
        OTEL_TRACES_SAMPLER="traceidratio",
        OTEL_TRACES_SAMPLER_ARG=ratio,
    )
    assert set(ran.spans()) == {"work"}
    assert ran.err.count("OTEL_TRACES_SAMPLER_ARG") == bool(ratio)


def test_two_threads_get_the_same_identity(agent: Run) -> None:
    ran = agent("""
    import threading
    from obs_run.process import run

    identities = set()
    barrier = threading.Barrier(8)
    def ask():
        barrier.wait()
        identities.add(run.identity())
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert len(identities) == 1
    """)
    assert (ran.code, ran.err) == (0, "")
