from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from obs_run.context import log_context
from obs_run.context.trace_headers import TraceHeaders
from obs_run.tracing import SpanKind, continued, extract, get_current_trace_id, get_tracer, inject
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture(autouse=True)
def formats() -> Iterator[None]:
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))
    yield
    propagate.set_global_textmap(before)


def ids(context: Context) -> tuple[str, str] | None:
    found = trace.get_current_span(context).get_span_context()
    return (trace.format_trace_id(found.trace_id), trace.format_span_id(found.span_id)) if found.is_valid else None


def test_what_is_injected_is_extracted() -> None:
    with get_tracer("a").span("outer") as span, log_context.attached(correlation_id="req 123/ü"):
        headers: dict[str, str] = inject({"Accept": "*/*"})
        assert inject() == {name: value for name, value in headers.items() if name != "Accept"}
    flags = f"{span.context.flags:02x}"
    assert headers == {
        "Accept": "*/*",
        "traceparent": f"00-{span.context.trace_id}-{span.context.span_id}-{flags}",
        "baggage": headers["baggage"],
        "X-Trace-ID": span.context.trace_id,
        "X-Correlation-ID": "req 123/%C3%BC",
    }
    context = extract(headers)
    assert ids(context) == (span.context.trace_id, span.context.span_id)
    assert baggage.get_baggage("correlation_id", context) == "req 123/ü"


def test_outside_of_any_trace_nothing_is_written() -> None:
    assert inject() == {}


def test_what_the_agent_wrote_itself_stays() -> None:
    with get_tracer("a").span("outer") as span, log_context.attached(correlation_id="ours"):
        headers = inject({"x-trace-id": "own", "X-CORRELATION-ID": "own", "TraceParent": "old"})
    assert headers["x-trace-id"] == headers["X-CORRELATION-ID"] == "own"
    assert "TraceParent" not in headers
    assert span.context.span_id in headers["traceparent"]


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT, "X-Trace-ID": "f" * 32},
        {"TraceParent": PARENT},
        [("traceparent", PARENT)],
        [(b"traceparent", PARENT.encode())],
        {"HTTP_TRACEPARENT": PARENT, "wsgi.input": object()},
        {"traceparent": [PARENT, "second"]},
    ],
    ids=["w3c wins", "letters", "pairs", "asgi", "wsgi", "lists"],
)
def test_headers_come_in_many_forms(headers: Any) -> None:
    assert ids(extract(headers)) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [TRACE, TRACE.upper(), f" {TRACE} ", f"{TRACE[:8]}-{TRACE[8:12]}-{TRACE[12:16]}-{TRACE[16:20]}-{TRACE[20:]}"],
)
def test_the_trace_id_alone_goes_on_in_its_trace(text: str) -> None:
    tracer = get_tracer("a")
    with tracer.span(
        "request", kind=SpanKind.SERVER, headers={"x-trace-id": text, "x-correlation-id": "req_1"}
    ) as span:
        assert span.context.trace_id == get_current_trace_id() == TRACE
        assert log_context.correlation_id() == "req_1"
        headers = inject()
    assert headers["X-Trace-ID"] == TRACE
    assert headers["X-Correlation-ID"] == "req_1"
    assert log_context.correlation_id() is None


def test_a_trace_id_alone_is_sampled_as_its_root_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    low, high = "0" * 31 + "1", "f" * 32
    flags = [
        trace.get_current_span(extract({"X-Trace-ID": each})).get_span_context().trace_flags for each in (low, high)
    ]
    assert flags == [1, 0]


@pytest.mark.parametrize(
    "headers",
    [
        None, {}, {"traceparent": "nonsense"}, {"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, {"X-Trace-ID": "short"},
        {"X-Trace-ID": "0" * 32}, {"X-Trace-ID": "g" * 32}, {"X-Trace-ID": None}, {"X-Trace-ID": 7}, "text", 7,
        [("one",)], {"X-Trace-ID": f"{TRACE}{TRACE}"}, {"x-trace-id": TRACE[:-1] + "-"},
        pytest.param(object(), id="an object"),
    ],
    ids=repr,
)  # fmt: skip
def test_malformed_headers_begin_a_trace(headers: Any, said: list[str]) -> None:
    tracer = get_tracer("a")
    assert ids(extract(headers)) is None
    with tracer.span("outside") as outside, continued(headers or {}), tracer.span("request") as span:
        assert span.context.parent_span_id is None
        assert span.context.trace_id != outside.context.trace_id
    if isinstance(headers, (str, int)) or type(headers) is object:
        kind = type(headers).__name__
        said.append(f"headers of type {kind} are not allowed; allowed: a mapping, or pairs")


@given(
    st.dictionaries(
        st.sampled_from(["traceparent", "tracestate", "baggage", "X-Trace-ID", "X-Correlation-ID"]), st.text()
    )
)
@settings(max_examples=examples(80), deadline=None)
def test_no_header_raises(headers: dict[str, str]) -> None:
    context = extract(headers)
    with continued(headers):
        told = inject()
    assert all(value.isascii() and value.isprintable() for value in told.values())
    assert ids(context) is None or "X-Trace-ID" in headers or "traceparent" in headers


def test_what_continues_keeps_the_log_context_and_nothing_of_the_trace_outside() -> None:
    tracer = get_tracer("a")
    with log_context.attached(service="shop"), tracer.span("outside"), continued({"traceparent": PARENT}):
        assert log_context.fields() == {"service": "shop"}
        with tracer.span("request") as span:
            pass
    assert (span.context.trace_id, span.context.parent_span_id) == (TRACE, SPAN)


def test_as_a_propagator_the_two_headers_are_enough() -> None:
    propagate.set_global_textmap(CompositePropagator([TraceHeaders()]))
    with get_tracer("a").span("outer") as span, log_context.attached(correlation_id="req_1"):
        headers: dict[str, str] = {}
        propagate.inject(headers)
    assert headers == {"X-Trace-ID": span.context.trace_id, "X-Correlation-ID": "req_1"}
    context = propagate.extract({name.lower(): value for name, value in headers.items()})
    assert trace.get_current_span(context).get_span_context().trace_id == int(span.context.trace_id, 16)
    assert baggage.get_baggage("correlation_id", context) == "req_1"
    assert TraceHeaders().fields == {"X-Trace-ID", "X-Correlation-ID"}


def test_headers_that_cannot_be_written_are_said(said: list[str]) -> None:
    pairs = [("a", "b")]
    with get_tracer("a").span("outer"):
        assert inject(pairs) is pairs
    said.append("inject: headers of type list are not allowed; allowed: a mapping")


@pytest.mark.parametrize("headers", [count(), range(10**12), repeat(("a", "b"))])
def test_what_has_no_end_is_not_read_to_its_end(headers: Any) -> None:
    with continued(headers):
        assert get_current_trace_id() is None
