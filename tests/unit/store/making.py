"""Finished spans and log records of the real SDK, with ids and clock of the test's choice."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

AT = 1_790_000_000_000_000_000
MS = 1_000_000
AGENT = Resource({"service.name": "agent", "process.pid": 100})
SCOPE = InstrumentationScope("obs_run", "0.1.0")


def context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(1))


def span(
    name: str,
    at: float = 0,
    took: float | None = 10,
    *,
    trace: int = 1,
    id: int = 1,  # noqa: A002 (reads best)
    parent: int | None = None,
    attributes: Any = None,
    resource: Resource = AGENT,
    error: str | None = None,
    events: tuple[Event, ...] = (),
    links: tuple[Link, ...] = (),
    kind: SpanKind = SpanKind.INTERNAL,
) -> ReadableSpan:
    """Return a span that began ``at`` ms after the test's moment and took ``took`` ms."""
    start = AT + int(at * MS)
    return ReadableSpan(
        name,
        context(trace, id),
        context(trace, parent) if parent else None,
        resource,
        attributes or {},
        events,
        links,
        kind,
        status=Status(StatusCode.ERROR, error) if error is not None else Status(),
        start_time=start,
        end_time=None if took is None else start + int(took * MS),
        instrumentation_scope=SCOPE,
    )


def log(
    body: Any,
    at: float = 0,
    *,
    trace: int = 1,
    span: int = 1,
    severity: SeverityNumber = SeverityNumber.INFO,
    logger: str = "agent.tools",
    attributes: Any = None,
) -> ReadableLogRecord:
    """Return a log record of ``at`` ms after the test's moment."""
    record = LogRecord(
        timestamp=AT + int(at * MS),
        observed_timestamp=AT + int(at * MS),
        context=None,
        severity_text=severity.name,
        severity_number=severity,
        body=body,
        attributes=attributes,
    )
    record.trace_id, record.span_id = trace, span
    return ReadableLogRecord(record, AGENT, InstrumentationScope(logger))
