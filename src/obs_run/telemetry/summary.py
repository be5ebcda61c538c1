"""The summary of a trace from its spans and log lines, and what model calls used."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from obs_run.process.unpatched import time
from obs_run.telemetry.records import Trace, Usage
from obs_run.telemetry.totals import CONTAINERS, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from obs_run.telemetry.reader import GroupedBy
    from obs_run.telemetry.records import LogLine, Span

_Number = TypeVar("_Number", int, float)

ERROR_RECORD = 17
"""The severity from which a log record counts as an error of its trace (OpenTelemetry's ERROR)."""


def summary(trace_id: str, spans: Sequence[Span], logs: Sequence[LogLine]) -> Trace:
    """Return the summary of a trace of which there is a span or a log line."""
    services = tuple(dict.fromkeys([*(span.service for span in spans), *(line.service for line in logs)]))
    starts = [span.start_ns for span in spans] + [line.time_ns for line in logs]
    ends = [span.start_ns if span.end_ns is None else span.end_ns for span in spans]
    ends += [line.time_ns for line in logs]
    root = min(spans, key=lambda span: (span.parent_id is not None, span.start_ns), default=None)
    used = total(spans)
    now_ns = time.time_ns()
    return Trace(
        trace_id=trace_id,
        name=None if root is None else root.name,
        service=services[0] if root is None else root.service,
        services=services,
        start_ns=min(starts),
        end_ns=max(ends),
        spans=len(spans),
        errors=sum(span.status == "error" for span in spans) + sum(map(is_error, logs)),
        unfinished=sum(span.unfinished for span in spans),
        logs=len(logs),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost=used.cost,
        running=sum(span.is_running(now_ns) for span in spans),
    )


def is_error(line: LogLine) -> bool:
    """Tell whether a log line counts as an error; an event tells of a span, whose own error counts."""
    return (line.severity or 0) >= ERROR_RECORD and not line.event_name


def is_model_call(span: Span) -> bool:
    """Tell whether a span's usage is its own, and a model's."""
    return span.model is not None and span.operation not in CONTAINERS


def usage(spans: Iterable[Span], by: GroupedBy) -> list[Usage]:
    """Return what model calls used, by a field of theirs, the most expensive group first."""
    groups: dict[str, list[Span]] = {}
    for span in spans:
        if is_model_call(span):
            groups.setdefault(getattr(span, by) or "", []).append(span)
    added = [
        Usage(
            group=group,
            calls=len(calls),
            errors=sum(call.status == "error" for call in calls),
            input_tokens=_sum(call.input_tokens for call in calls),
            output_tokens=_sum(call.output_tokens for call in calls),
            cost=_sum(call.cost for call in calls),
        )
        for group, calls in groups.items()
    ]
    return sorted(added, key=lambda one: (-(one.cost or 0), -one.calls, one.group))


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    present = [value for value in values if value is not None]
    return sum(present[1:], present[0]) if present else None
