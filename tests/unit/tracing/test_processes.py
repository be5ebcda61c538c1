"""Traces across processes: requests over HTTP, forks, sampling, ends of all kinds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run

SERVICE = """
import http.server, json
from obs_run.context.log_context import correlation_id
from obs_run.tracing import SpanKind, get_tracer, inject

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with get_tracer("service_b").span("answer", kind=SpanKind.SERVER, headers=self.headers) as span:
            told = {"trace": span.context.trace_id, "parent": span.context.parent_span_id, "id": correlation_id()}
            body = json.dumps({**told, "onwards": inject()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""
AGENT = """
    import json, os, subprocess, sys, urllib.request
    from obs_run.context.log_context import attached
    from obs_run.tracing import SpanKind, get_current_trace_id, get_tracer, inject

    def ask(headers):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    running = subprocess.Popen([sys.executable, "service.py"], stdout=subprocess.PIPE)
    port = int(running.stdout.readline())
    tracer = get_tracer("service_a")
    try:
        with tracer.span("external_api", kind=SpanKind.CLIENT) as span, attached(correlation_id="req_123"):
            trace = get_current_trace_id()
            whole = ask(inject())
            by_hand = ask({"X-Trace-ID": trace, "X-Correlation-ID": "req_456"})
        alone = ask({})
    finally:
        running.terminate()
        running.communicate()
    assert (whole["trace"], whole["parent"], whole["id"]) == (trace, span.context.span_id, "req_123"), whole
    assert (by_hand["trace"], by_hand["id"]) == (trace, "req_456"), by_hand
    assert by_hand["onwards"]["X-Trace-ID"] == trace
    assert by_hand["onwards"]["X-Correlation-ID"] == "req_456"
    assert by_hand["onwards"]["baggage"] == "correlation_id=req_456"
    assert (alone["trace"] != trace, alone["parent"], alone["id"]) == (True, None, None), alone
"""


@pytest.mark.parametrize("launched", [True, False])
def test_the_trace_and_the_correlation_id_go_on_in_another_service(
    agent: Run, receiver: Receiver, tmp_path: Path, *, launched: bool
) -> None:
    (tmp_path / "service.py").write_text(SERVICE)
    ran = agent(AGENT, start=launched, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OBS_FLUSH_SECONDS="20")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert receiver.wait_for(lambda got: len(got.named("answer")) == 3 and len(got.named("external_api")) == 1)
    (asked,) = receiver.named("external_api")
    assert sum(answer.trace_id == asked.trace_id for answer in receiver.named("answer")) == 2
    assert {answer.resource["service.name"] for answer in receiver.named("answer")} == {"service_b"}


def test_in_a_fork_the_open_spans_are_the_parents(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
    import os
    from obs_run.tracing import get_tracer
    tracer = get_tracer("a")
    with tracer.span("before"):
        pass
    with tracer.span("open") as span:
        child = os.fork()
        if not child:
            assert tracer.get_active_spans() == []
            with tracer.span("in child") as inner:
                assert inner.context.parent_span_id == span.context.span_id
            assert [each.operation_name for each in tracer.recorder.get_spans()] == ["in child"]
            span.finish()
            assert len(tracer.recorder.get_spans()) == 1
            raise SystemExit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [each.operation_name for each in tracer.recorder.get_spans()] == ["before", "open"]
    """,
        start=False,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_FLUSH_SECONDS="20",
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    assert sorted(span.name for span in receiver.spans) == ["before", "in child", "open"]
    assert len({span.trace_id for span in receiver.spans if span.name != "before"}) == 1


@pytest.mark.parametrize("launched", [True, False])
def test_what_is_not_sampled_goes_nowhere_and_works_all_the_same(
    agent: Run, receiver: Receiver, *, launched: bool
) -> None:
    ran = agent(
        """
    from obs_run.tracing import get_current_trace_id, get_tracer, inject
    tracer = get_tracer("a")
    with tracer.span("outer") as outer:
        with tracer.span("inner", tags={"a": 1}) as inner:
            inner.set_tag("b", 2)
            assert inner.context.trace_id == outer.context.trace_id == get_current_trace_id()
            assert inject()["traceparent"].endswith("-00") or inject()["traceparent"].endswith("-02")
    assert inner.tags == {"service.name": "a", "a": 1, "b": 2} and inner.duration > 0
    assert tracer.recorder.get_spans() == []
    assert tracer.get_metrics()["spans_finished"] == 2
    """,
        start=launched,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_FLUSH_SECONDS="20",
        OTEL_TRACES_SAMPLER="always_off",
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert receiver.spans == []


@pytest.mark.parametrize("launched", [True, False])
def test_an_interrupted_program_has_its_spans(agent: Run, receiver: Receiver, *, launched: bool) -> None:
    ran = agent(
        """
    import asyncio, os, signal
    from obs_run.tracing import get_tracer
    tracer = get_tracer("a")
    async def main():
        async with tracer.async_span("waits"):
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
            await asyncio.sleep(30)
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
    with tracer.span("interrupted"):
        raise KeyboardInterrupt
    """,
        start=launched,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_FLUSH_SECONDS="20",
    )
    assert ran.code == -2
    assert receiver.wait_for(lambda got: len(got.named("waits")) == len(got.named("interrupted")) == 1)
    for span in receiver.spans:
        if span.name != "agent":
            assert span.attributes["obs.span.status"] == "cancelled"


@pytest.mark.parametrize("way", one_in(2, ["os.kill(os.getpid(), signal.SIGTERM)", "os._exit(0)", "pass"]))
def test_a_file_has_what_was_open_when_the_process_left(agent: Run, tmp_path: Path, way: str) -> None:
    agent(
        f"""
    import os, signal
    from obs_run.tracing import setup_tracing
    tracer = setup_tracing("a", "file", file_path={str(tmp_path / "spans.jsonl")!r})
    span = tracer.start_span("open")
    with tracer.span("block"):
        {way}
    """,
        start=False,
    )
    lines = (tmp_path / "spans.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["operation_name"] for line in lines) == ["block", "open"]


def test_a_recorder_of_coroutines_works_without_a_loop(agent: Run) -> None:
    ran = agent(
        """
    import time, telemetry_probe
    from obs_run.tracing import SpanRecorder, Tracer
    taken = []
    class Own(SpanRecorder):
        async def record_span(self, span):
            taken.append(span.operation_name)
    with Tracer("own", Own()).span("work"):
        pass
    telemetry_probe.show(taken=taken)
    """,
        start=False,
    )
    assert (ran.seen["taken"], set(ran.spans()), ran.err) == (["work"], {"work"}, "")


def test_obs_run_may_start_after_the_api_was_used(agent: Run) -> None:
    ran = agent(
        """
    from obs_run.tracing import get_tracer
    with get_tracer("a").span("early"):
        pass
    import obs_run.auto
    import telemetry_probe
    with get_tracer("a").span("late"):
        pass
    telemetry_probe.show()
    """,
        start=False,
    )
    spans = ran.spans()
    assert spans["early"]["parent"] is None
    assert spans["late"]["parent"]
    assert (set(spans), ran.err) == ({"early", "late"}, "")
