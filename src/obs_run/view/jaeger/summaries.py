"""The summaries of traces that Jaeger's interface lists, as Jaeger 2.20 computes them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.telemetry.records import Span


def summary_json(spans: Sequence[Span]) -> dict[str, Any]:
    """Return the summary of one trace; what is 0 or empty is left out, as in JSON of protocol buffers."""
    ids = {span.span_id for span in spans}
    root = min((span for span in spans if not span.parent_id), key=lambda span: span.start_ns, default=None)
    counts = Counter(span.service for span in spans)
    errors = Counter(span.service for span in spans if span.status == "error")
    fields: dict[str, Any] = {
        "traceId": spans[0].trace_id,
        "rootServiceName": root.service if root else "",
        "rootOperationName": root.name if root else "",
        "minStartTimeUnixNano": str(min(span.start_ns for span in spans)),
        "maxEndTimeUnixNano": str(max(span.end_ns or span.start_ns for span in spans)),
        "spanCount": len(spans),
        "errorSpanCount": sum(errors.values()),
        "orphanSpanCount": sum(bool(span.parent_id) and span.parent_id not in ids for span in spans),
        "services": [
            _without_empty({"name": name, "spanCount": counts[name], "errorSpanCount": errors[name]})
            for name in sorted(counts)
        ],
    }
    return _without_empty(fields)


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
