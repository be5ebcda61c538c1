"""Read by agents under test: what the memory exporters hold, as JSON on the last line of stdout."""

from __future__ import annotations

import json
import time
from typing import Any


def collected() -> dict[str, Any]:
    """Flush, and return what was exported to memory."""
    from obs_run.pipeline import memory
    from obs_run.runtime.process_runtime import runtime

    assert runtime().queue().flush(time.monotonic() + 60)
    return {
        "spans": [_span(span) for span in memory.exporter("traces").items],
        "logs": [_log(log) for log in memory.exporter("logs").items],
        "metrics": _metrics(memory.exporter("metrics").items[-1:]),
    }


def show(**more: Any) -> None:
    """Print what was exported to memory, and ``more``."""
    print("\n" + json.dumps({**collected(), **more}, default=list), flush=True)


def _span(span: Any) -> dict[str, Any]:
    return {
        "name": span.name,
        "trace": f"{span.context.trace_id:032x}",
        "span": f"{span.context.span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "kind": span.kind.name,
        "attributes": dict(span.attributes),
        "status": span.status.status_code.name,
        "description": span.status.description,
        "links": [f"{link.context.trace_id:032x}" for link in span.links],
        "events": [event.name for event in span.events],
        "event_attributes": [dict(event.attributes or {}) for event in span.events],
        "resource": dict(span.resource.attributes),
        "scope": span.instrumentation_scope.name,
        "seconds": (span.end_time - span.start_time) / 1e9,
    }


def _log(log: Any) -> dict[str, Any]:
    record = log.log_record
    return {
        "body": record.body,
        "severity": record.severity_text,
        "number": record.severity_number.value if record.severity_number else None,
        "attributes": dict(record.attributes or {}),
        "trace": f"{record.trace_id or 0:032x}",
        "span": f"{record.span_id or 0:016x}",
        "event": record.event_name,
        "scope": log.instrumentation_scope.name,
        "resource": dict(log.resource.attributes),
    }


def _metrics(exports: list[Any]) -> dict[str, Any]:
    return {
        metric.name: {
            "unit": metric.unit,
            "description": metric.description,
            "points": [
                {
                    "attributes": dict(point.attributes),
                    "value": getattr(point, "value", None),
                    "count": getattr(point, "count", None),
                    "sum": getattr(point, "sum", None),
                    "bounds": getattr(point, "explicit_bounds", None),
                }
                for point in metric.data.data_points
            ],
        }
        for export in exports
        for resource in export.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
