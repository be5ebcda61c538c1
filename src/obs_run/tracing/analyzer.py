"""What the spans of a recorder say: of one trace, and of all that ended lately."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.tracing.vocabulary import SpanStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_run.tracing.span import Span

_FAILED = (SpanStatus.ERROR, SpanStatus.TIMEOUT)
_SLOWEST = 10
_UNKNOWN = "unknown"


class TraceAnalyzer:
    """Reads the spans of ``recorder``, which needs a method ``get_spans``; all durations are seconds."""

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder

    def analyze_trace(self, trace_id: str) -> dict[str, Any]:
        """Return what one trace did: its spans, its errors, its services, and the chain of its longest children.

        Where there is no such trace the dict has one key, ``error``.
        """
        spans = self._spans(trace_id)
        if not spans:
            return {"error": f"no spans of trace {trace_id} in the recorder"}
        root = _root(spans)
        slowest = max(spans, key=lambda span: span.duration)
        errors = _errors(spans)
        return {
            "trace_id": trace_id,
            "total_spans": len(spans),
            "total_duration": root.duration,
            "error_count": errors,
            "error_rate": errors / len(spans),
            "slowest_operation": _described(slowest, "name"),
            "services": _services(spans),
            "critical_path": [_described(span, "operation") for span in _longest_children(root, spans)],
        }

    def get_performance_summary(self, time_window: float = 3600) -> dict[str, Any]:
        """Return figures of all spans that ended within the last ``time_window`` seconds, in all and by operation."""
        since = time.time() - time_window
        recorded = self._spans(None)
        if recorded is None:
            return {"error": "the recorder cannot be read"}
        spans = [span for span in recorded if span.end_time is not None and span.end_time >= since]
        by_operation: defaultdict[str, list[Span]] = defaultdict(list)
        for span in spans:
            by_operation[span.operation_name].append(span)
        slowest = sorted(spans, key=lambda span: span.duration, reverse=True)[:_SLOWEST]
        return {
            "time_window": time_window,
            "total_spans": len(spans),
            **_figures(spans),
            "operations": {name: {"count": len(own), **_figures(own)} for name, own in by_operation.items()},
            "slowest_operations": [
                {**_described(span, "name"), "trace_id": span.context.trace_id, "span_id": span.context.span_id}
                for span in slowest
            ],
        }

    def _spans(self, trace_id: str | None) -> list[Span] | None:
        read = getattr(self.recorder, "get_spans", None)
        if read is None:
            return None
        spans: list[Span] | None = guard.call("trace analyzer", lambda: list(read(trace_id)))
        return spans


def _figures(spans: list[Span]) -> dict[str, float]:
    durations = sorted(span.duration for span in spans)
    count = len(durations)
    return {
        "error_rate": _errors(spans) / count if count else 0.0,
        "avg_duration": sum(durations) / count if count else 0.0,
        # The nearest rank: the least duration that 95 % of the spans do not exceed.
        "p95_duration": durations[-(-count * 95 // 100) - 1] if count else 0.0,
    }


def _errors(spans: Iterable[Span]) -> int:
    return sum(span.status in _FAILED for span in spans)


def _services(spans: Iterable[Span]) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = {}
    for span in spans:
        service = services.setdefault(_service(span), {"spans": 0, "duration": 0.0, "errors": 0})
        service["spans"] += 1
        service["duration"] += span.duration
        service["errors"] += span.status in _FAILED
    return services


def _service(span: Span) -> str:
    return str(span.tags.get("service.name", _UNKNOWN))


def _described(span: Span, name: str) -> dict[str, Any]:
    return {name: span.operation_name, "duration": span.duration, "service": _service(span)}


def _root(spans: list[Span]) -> Span:
    """Return the span that has no parent among the others, of several the one that began first."""
    span_ids = {span.context.span_id for span in spans}
    roots = [span for span in spans if span.context.parent_span_id not in span_ids]
    return min(roots or spans, key=lambda span: span.start_time)


def _longest_children(root: Span, spans: list[Span]) -> Iterable[Span]:
    children: Mapping[str | None, list[Span]] = _by_parent(spans)
    seen: set[str] = set()
    span: Span | None = root
    while span is not None and span.context.span_id not in seen:
        seen.add(span.context.span_id)
        yield span
        span = max(children.get(span.context.span_id, ()), key=lambda child: child.duration, default=None)


def _by_parent(spans: list[Span]) -> Mapping[str | None, list[Span]]:
    children: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in spans:
        children[span.context.parent_span_id].append(span)
    return children
