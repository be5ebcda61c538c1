from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from obs_run.base import guard
from obs_run.pipeline.redact import Redaction
from obs_run.pipeline.redact_items import ItemRedaction
from tests.unit.scrubbers import Failing, Small


@pytest.fixture
def redaction() -> ItemRedaction:
    return ItemRedaction(Redaction(Small()))


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_said", set())


def _context(word: str) -> SpanContext:
    state = TraceState([("vendor", word), ("other", "1")])
    return SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(1), trace_state=state)


def _span(word: str = "fine") -> ReadableSpan:
    return ReadableSpan(
        name=f"call {word}",
        context=_context(word),
        parent=SpanContext(7, 9, is_remote=True),
        resource=Resource({"service.name": "agent", "team": word}),
        attributes={"city": word, "gen_ai.usage.input_tokens": 12, "own": 5},
        events=[Event("exception", {"exception.message": word, "exception.stacktrace": f"at {word}"}, 3)],
        links=[Link(_context(word), {"why": word})],
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, f"no {word}"),
        start_time=1,
        end_time=5,
        instrumentation_scope=InstrumentationScope("agent", "1", "https://schema", {"scope": word}),
    )


def _record(word: str = "fine", body: Any = None) -> ReadableLogRecord:
    log = LogRecord(
        timestamp=3,
        observed_timestamp=4,
        severity_text="WARN",
        severity_number=SeverityNumber.WARN,
        body=f"a {word}" if body is None else body,
        attributes={"city": word, "gen_ai.usage.input_tokens": 12},
        event_name=f"event.{word}",
    )
    log.trace_id, log.span_id = 7, 8
    return ReadableLogRecord(log, Resource({"team": word}), InstrumentationScope(word))


def _shown(span: ReadableSpan) -> dict[str, Any]:
    return {
        "name": span.name,
        "state": dict(span.context.trace_state) if span.context else None,
        "attributes": dict(span.attributes or {}),
        "events": [(event.name, dict(event.attributes or {}), event.timestamp) for event in span.events],
        "links": [(dict(link.context.trace_state), dict(link.attributes or {})) for link in span.links],
        "status": (span.status.status_code, span.status.description),
        "resource": dict(span.resource.attributes),
        "scope": (span.instrumentation_scope.name, dict(span.instrumentation_scope.attributes or {}))
        if span.instrumentation_scope
        else None,
        "skeleton": (
            span.context and (span.context.trace_id, span.context.span_id),
            span.parent and span.parent.span_id,
        ),
        "times": (span.start_time, span.end_time, span.kind),
    }


def test_what_has_nothing_to_hide_passes_as_the_same_object(redaction: ItemRedaction) -> None:
    span, record = _span(), _record()
    assert redaction.span(span) is span
    assert redaction.record(record) is record


def test_each_part_of_a_span_is_scrubbed(redaction: ItemRedaction) -> None:
    span = _span("SECRET1")
    assert _shown(redaction.span(span)) == {
        "name": "call [secret]",
        "state": {"other": "1"},
        "attributes": {"city": "[secret]", "gen_ai.usage.input_tokens": 12, "own": 5},
        "events": [("exception", {"exception.message": "[secret]", "exception.stacktrace": "at [secret]"}, 3)],
        "links": [({"other": "1"}, {"why": "[secret]"})],
        "status": (StatusCode.ERROR, "no [secret]"),
        "resource": {"service.name": "agent", "team": "[secret]"},
        "scope": ("agent", {"scope": "[secret]"}),
        "skeleton": ((7, 8), 9),
        "times": (1, 5, SpanKind.CLIENT),
    }
    assert span.name == "call SECRET1"


def test_what_is_done_already_is_not_looked_at(redaction: ItemRedaction) -> None:
    span = ReadableSpan("chat", attributes={"a": "SECRET1", "b": "SECRET1"})
    assert dict(redaction.span(span, {"a"}).attributes or {}) == {"a": "SECRET1", "b": "[secret]"}


def test_a_resource_is_scrubbed_once(redaction: ItemRedaction) -> None:
    resource = Resource({"team": "SECRET1"}, "https://schema")
    told = redaction.resource(resource)
    assert (dict(told.attributes), told.schema_url) == ({"team": "[secret]"}, "https://schema")
    assert redaction.resource(resource) is told


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a SECRET1", "a [secret]"),
        (
            {"messages": [{"password": 1, "text": "SECRET1"}]},
            {"messages": [{"password": "[password]", "text": "[secret]"}]},
        ),
        (["SECRET1", 5], ["[secret]", 5]),
        (b"SECRET1", b"[secret]"),
        (7, 7),
    ],
)
def test_a_records_body_is_scrubbed_whatever_it_is(redaction: ItemRedaction, body: Any, expected: Any) -> None:
    record = _record("SECRET1", body)
    told = redaction.record(record)
    log = told.log_record
    assert log.body == expected
    assert dict(log.attributes or {}) == {"city": "[secret]", "gen_ai.usage.input_tokens": 12}
    assert (log.event_name, log.severity_text, log.timestamp, log.trace_id) == ("event.[secret]", "WARN", 3, 7)
    assert dict(told.resource.attributes) == {"team": "[secret]"}
    assert told.instrumentation_scope is not None
    assert told.instrumentation_scope.name == "[secret]"
    assert record.log_record.body == body, "the record is the agent's own"


def test_a_span_that_cannot_be_scrubbed_leaves_without_its_texts(caplog: pytest.LogCaptureFixture) -> None:
    redaction = ItemRedaction(Redaction(Failing()))
    with caplog.at_level(logging.WARNING, "obs_run"):
        told = [redaction.span(_span(word)) for word in ("unlucky SECRET1", "unlucky SECRET2")]
    assert _shown(told[0]) == {
        "name": "[withheld]",
        "state": {},
        "attributes": {"gen_ai.usage.input_tokens": 12, "obs.privacy.withheld": True},
        "events": [("[withheld]", {}, 3)],
        "links": [({}, {})],
        "status": (StatusCode.ERROR, None),
        "resource": {"obs.privacy.withheld": True},
        "scope": ("[withheld]", {}),
        "skeleton": ((7, 8), 9),
        "times": (1, 5, SpanKind.CLIENT),
    }
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if line.startswith("OBS_PRIVACY: scrubbing a span failed (ValueError)")] == [
        "OBS_PRIVACY: scrubbing a span failed (ValueError): it leaves without its texts, marked obs.privacy.withheld"
    ]
    assert not any("SECRET" in line for line in said)


def test_a_span_keeps_its_name_where_that_can_be_scrubbed() -> None:
    span = ReadableSpan("call SECRET1", attributes={"city": "unlucky"})
    told = ItemRedaction(Redaction(Failing())).span(span)
    assert (told.name, dict(told.attributes or {})) == ("call [secret]", {"obs.privacy.withheld": True})


def test_a_record_that_cannot_be_scrubbed_leaves_without_its_texts() -> None:
    told = ItemRedaction(Redaction(Failing())).record(_record("unlucky")).log_record
    assert (told.body, told.event_name, told.severity_text) == ("[withheld]", "[withheld]", None)
    assert dict(told.attributes or {}) == {"gen_ai.usage.input_tokens": 12, "obs.privacy.withheld": True}
    assert (told.timestamp, told.trace_id, told.severity_number) == (3, 7, SeverityNumber.WARN)
