"""A request that reaches a script which serves is in its caller's trace, however an official instrumentor begins it."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.coexistence import watching
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
# What the instrumentors of ASGI, WSGI, Flask, Django and others call when a request comes.
PROGRAM = """
    import json, sys, threading
    from opentelemetry import context, trace
    from opentelemetry.instrumentation.utils import _start_internal_or_server_span as start
    from opentelemetry.propagators.textmap import default_getter
    from obs_run.context import log_context

    tracer = trace.get_tracer("server")
    answers = []

    def serve(headers):
        before = context.get_current()
        span, token = start(
            tracer=tracer, span_name="request", start_time=None, context_carrier=headers, context_getter=default_getter
        )
        answers.append({"kind": span.kind.name, "correlation": log_context.correlation_id()})
        with trace.use_span(span, end_on_exit=True), tracer.start_as_current_span("inside"):
            pass
        if token is not None:
            context.detach(token)
        answers[-1]["restored"] = context.get_current() == before

    def main(headers):
        serve(headers)
        thread = threading.Thread(target=serve, args=(headers,))
        thread.start()
        thread.join()
        with tracer.start_as_current_span("outer"):
            serve(headers)

    main(json.loads(sys.argv[1]))
    print(json.dumps(answers))
    """


def served(
    headers: dict[str, str], receiver: Receiver, folder: Path, *, program: str = PROGRAM, **more: str
) -> list[dict[str, Any]]:
    (folder / "agent.py").write_text(dedent(program))
    words = [str(SCRIPTS / "obs-run"), str(SCRIPTS / "python"), "agent.py", json.dumps(headers)]
    outcome = run(words, folder, environment(receiver.endpoint, folder, **more))
    assert (outcome.code, outcome.err) == (0, "")
    answers: list[dict[str, Any]] = json.loads(outcome.out)
    assert all(answer["restored"] for answer in answers)
    return answers


def test_a_request_is_in_its_callers_trace(receiver: Receiver, tmp_path: Path) -> None:
    answers = served(TRACEPARENT, receiver, tmp_path)
    assert [answer["kind"] for answer in answers] == ["SERVER", "SERVER", "INTERNAL"]
    first, second, inner = receiver.named("request")
    assert [(span.trace_id, span.parent_id) for span in (first, second)] == [(TRACE, SPAN)] * 2
    (outer,) = receiver.named("outer")
    assert inner.parent_id == outer.span_id


def test_a_request_without_a_trace_begins_one(receiver: Receiver, tmp_path: Path) -> None:
    served({}, receiver, tmp_path)
    (run_span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    first, second, _ = receiver.named("request")
    assert len({first.trace_id, second.trace_id, run_span.trace_id}) == 3
    assert first.parent_id == second.parent_id == ""
    assert first.links == second.links == [run_span.trace_id]


@pytest.mark.parametrize("headers", [{}, TRACEPARENT])
def test_our_own_headers_are_taken_where_a_request_comes_in(
    headers: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    answers = served({**headers, "X-Trace-ID": "1" * 32, "X-Correlation-ID": "order-7"}, receiver, tmp_path)
    assert [answer["correlation"] for answer in answers] == ["order-7", "order-7", None]
    # The standard's header knows more.
    assert receiver.named("request")[0].trace_id == (TRACE if headers else "1" * 32)


def test_the_id_of_a_request_is_the_correlation_id_where_there_is_no_other(receiver: Receiver, tmp_path: Path) -> None:
    answers = served({"X-Request-ID": "request-9"}, receiver, tmp_path)
    assert [answer["correlation"] for answer in answers] == ["request-9", "request-9", None]
    first, second, inner = receiver.named("request")
    kept = [span.attributes.get("http.request.header.x-request-id") for span in (first, second, inner)]
    assert kept == [["request-9"], ["request-9"], None]


def test_no_header_is_taken_where_none_is_wished(receiver: Receiver, tmp_path: Path) -> None:
    headers = {**TRACEPARENT, "X-Trace-ID": "1" * 32, "X-Correlation-ID": "order-7"}
    answers = served(headers, receiver, tmp_path, OTEL_PROPAGATORS="none")
    assert answers[0]["correlation"] is None
    assert receiver.named("request")[0].trace_id not in (TRACE, "1" * 32)


# What the instrumentors of gRPC's servers do, and that of aiohttp's but for making the context current.
EXTRACTING = """
    import json, sys, types
    from opentelemetry import context, propagate, trace
    from obs_run.coexistence import incoming_requests
    from obs_run.context import log_context

    instrumentor = types.SimpleNamespace(extract=propagate.extract)
    incoming_requests.fit_extract(instrumentor)
    tracer = trace.get_tracer("server")
    answers = []

    def serve(headers):
        before = context.get_current()
        token = context.attach(instrumentor.extract(headers))
        with tracer.start_as_current_span("request", kind=trace.SpanKind.SERVER):
            answers.append({"correlation": log_context.correlation_id()})
        context.detach(token)
        answers[-1]["restored"] = context.get_current() == before

    headers = json.loads(sys.argv[1])
    serve(headers)
    serve(headers)
    print(json.dumps(answers))
    """


@pytest.mark.sampled
@pytest.mark.parametrize("headers", [{}, TRACEPARENT, {"x-trace-id": "1" * 32}])
def test_servers_that_only_extract_the_context_are_no_different(
    headers: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    answers = served({**headers, "x-correlation-id": "order-7"}, receiver, tmp_path, program=EXTRACTING)
    assert [answer["correlation"] for answer in answers] == ["order-7", "order-7"]
    first, second = receiver.named("request")
    (run_span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    if not headers:
        assert first.parent_id == second.parent_id == ""
        assert len({first.trace_id, second.trace_id, run_span.trace_id}) == 3
        return
    trace_id = TRACE if headers == TRACEPARENT else "1" * 32
    assert first.trace_id == second.trace_id == trace_id
    assert first.parent_id == second.parent_id != ""


@pytest.mark.parametrize("module", ["aiohttp_server", "grpc._server"])
def test_the_instrumentors_of_such_servers_are_waited_for(module: str) -> None:
    fitted = [function for name, _, function in watching._FITTED if name == f"opentelemetry.instrumentation.{module}"]
    assert "fit_extract" in fitted
