"""Traces, spans and log lines as plain typed records, free of SDK and database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_run.core import semconv

FRESH_NS = 60 * 10**9
"""How long the word of an open span holds, of which its process tells three times as often."""
Attributes = dict[str, Any]
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""The kinds of spans, at their numbers in OTLP."""
STATUSES = ("unset", "ok", "error")
"""The statuses of spans, at their numbers in OTLP."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened inside a span."""

    name: str
    time_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A span's reference to a span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation that made a span or log record."""

    name: str
    version: str = ""
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One span; ids are lower-case hex, times nanoseconds since the epoch, cost in USD."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_ns: int
    end_ns: int | None
    status: str
    status_text: str | None
    unfinished: bool
    service: str
    operation: str | None = None
    agent: str | None = None
    conversation: str | None = None
    model: str | None = None
    tool: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    trace_state: str | None = None
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: Attributes = field(default_factory=dict)
    scope: Scope | None = None

    @property
    def is_open(self) -> bool:
        """Whether the span went on at its ``end_ns``, and nothing later of it was recorded."""
        return bool(self.attributes.get(semconv.OBS_SPAN_OPEN))

    def is_running(self, now_ns: int) -> bool:
        """Whether the span goes on: it did a moment ago."""
        return self.is_open and (self.end_ns or 0) > now_ns - FRESH_NS

    @property
    def seconds(self) -> float | None:
        """How long the span took; None while it has no end."""
        return None if self.end_ns is None else (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log record."""

    time_ns: int
    severity: int | None
    severity_text: str | None
    body: Any
    event_name: str | None
    trace_id: str | None
    span_id: str | None
    service: str
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One metric point."""

    name: str
    kind: str
    """Sum, Gauge, Histogram, ExponentialHistogram or Summary."""
    unit: str | None
    start_ns: int | None
    time_ns: int
    value: float | None
    """That of a histogram is the sum."""
    count: int | None
    service: str
    attributes: Attributes = field(default_factory=dict)
    data: Attributes = field(default_factory=dict)
    """What kinds differ in, under the names of OpenTelemetry's SDK: temporality, monotonic, bucket_counts ..."""
    resource: Attributes = field(default_factory=dict)
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the model calls of one group used; None for what none of them told."""

    group: str
    calls: int
    errors: int
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The summary of one trace.

    Tokens and cost are those of the model calls; of the agent spans, which may repeat them, only if no model call says.
    """

    trace_id: str
    name: str | None
    service: str
    services: tuple[str, ...]
    start_ns: int
    end_ns: int
    spans: int
    errors: int
    unfinished: int
    logs: int
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None
    running: int = 0
    """How many spans go on."""

    @property
    def seconds(self) -> float:
        """From the first start to the last end."""
        return (self.end_ns - self.start_ns) / 1e9
