"""Our writer of spans gives the bytes of the official encoder, and leaves alone what it does not know."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from obs_run.pipeline import otlp_values, span_bytes
from obs_run.pipeline.encode import encode

SCALARS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.text("a", min_size=50, max_size=300)
ATTRIBUTES = st.dictionaries(st.text("abc.", min_size=1), VALUES, max_size=5)
RESOURCES = st.builds(Resource, ATTRIBUTES, st.sampled_from(["", "https://example.org/schema"]))
SCOPES = st.none() | st.builds(
    InstrumentationScope, st.text(max_size=5), st.sampled_from([None, "1.0"]), st.sampled_from([None, "https://a"])
)


def context(number: int, *, remote: bool = False, state: TraceState | None = None) -> SpanContext:
    return SpanContext(number + 2**100, number, is_remote=remote, trace_flags=TraceFlags(1), trace_state=state)


IDS = st.integers(1, 2**64 - 1)
STATUSES = st.sampled_from(
    [Status(StatusCode.UNSET), Status(StatusCode.OK), Status(StatusCode.ERROR), Status(StatusCode.ERROR, "why ä")]
)
SPANS = st.builds(
    ReadableSpan,
    name=st.text(max_size=200).filter(str.isprintable),
    context=st.builds(context, IDS),
    parent=st.none() | st.builds(context, IDS, remote=st.booleans()),
    resource=RESOURCES,
    attributes=ATTRIBUTES,
    kind=st.sampled_from(list(SpanKind)),
    status=STATUSES,
    start_time=st.integers(1, 2**63),
    end_time=st.integers(1, 2**63),
    instrumentation_scope=SCOPES,
)


@settings(deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=4))
def test_ordinary_spans_are_the_same_bytes(spans: list[ReadableSpan]) -> None:
    assert span_bytes.request([*spans, spans[0]]) == encode_spans([*spans, spans[0]]).SerializeToString()


def unusual(**fields: Any) -> ReadableSpan:
    parts = {"name": "a", "context": context(1), "resource": Resource({}), "start_time": 1, "end_time": 2}
    return ReadableSpan(**{**parts, **fields})


UNUSUAL = {
    "event": unusual(events=[Event("it happened", {"a": 1}, 5)]),
    "link": unusual(links=[Link(context(2))]),
    "trace state": unusual(context=context(1, state=TraceState([("vendor", "x")]))),
    "mapping": unusual(attributes={"a": {"b": 1}}),
    "bytes": unusual(attributes={"a": b"b"}),
    "no value": unusual(attributes={"a": None}),
    "half a surrogate pair": unusual(attributes={"a": "\ud800"}),
    "long integer": unusual(attributes={"a": 2**70}),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_what_is_not_ordinary_is_left_to_the_official_encoder(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    span = UNUSUAL[kind]
    with pytest.raises((span_bytes.UnusualError, UnicodeEncodeError)):
        span_bytes.request([span])
    said = otlp_values.spans([span])
    assert encode("traces", [unusual(), span]) == encode_spans([unusual(), *said]).SerializeToString()
    caplog.clear()


def test_the_texts_it_remembers_are_bounded() -> None:
    for number in range(2 * span_bytes._MOST_CACHED):
        span_bytes.request([unusual(attributes={"key": f"value {number}"})])
    assert 0 < len(span_bytes._cache) <= span_bytes._MOST_CACHED
