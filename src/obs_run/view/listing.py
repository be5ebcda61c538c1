"""The list of traces, and what it can be searched by."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

    from obs_run.telemetry.reader import Search, TraceReader
    from obs_run.telemetry.records import Trace
    from obs_run.view.source import Source

Json = dict[str, Any]

_LIMIT, _LARGEST = 100, 1000
_CHOICES_OF = 100  # newest traces that tell which services, agents and models there are
_CHOICES_SECONDS = 10
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FIELDS = ("service", "agent", "model", "conversation", "text")


def version(source: Source, request: Request) -> Json:
    """Return what changes when something was recorded."""
    del request
    return {"version": source.version()}


def traces(source: Source, request: Request) -> Json:
    """Return the traces that fit, the newest first."""
    limit = _limit(request)
    version_read = source.version()
    with source.open() as reader:
        # One more tells whether there are more.
        found = reader.traces(limit + 1, **search(request))
        # Not with every batch that is written: all spans of these traces are read.
        choices = source.keep(("choices", int(time.monotonic() / _CHOICES_SECONDS)), lambda: _choices(reader))
    return {
        "version": version_read,
        "traces": [summary_json(trace) for trace in found[:limit]],
        "more": len(found) > limit,
        "choices": choices,
    }


def search(request: Request) -> Search:
    """Return what the request asks for."""
    query = request.query_params
    asked: Search = {"without_spans": True}
    for name in _FIELDS:
        if query.get(name):
            asked[name] = query[name]  # type: ignore[literal-required]
    status = query.get("status")
    if status in ("error", "ok", "unfinished"):
        asked["status"] = status  # type: ignore[typeddict-item]
    elif status:
        raise HTTPException(400, f"status {status!r} is none of error, ok, unfinished")
    if query.get("since"):
        asked["since_ns"] = _since_ns(query["since"])
    attributes = dict(_attribute(text) for text in query.getlist("attribute") if text)
    if attributes:
        asked["attributes"] = attributes
    return asked


def summary_json(trace: Trace) -> Json:
    """Return a trace's summary; JavaScript's numbers hold milliseconds since 1970, nanoseconds not."""
    return {
        "id": trace.trace_id,
        "name": trace.name,
        "service": trace.service,
        "services": trace.services,
        "start_ms": trace.start_ns / 1e6,
        "took_ns": trace.end_ns - trace.start_ns,
        "spans": trace.spans,
        "errors": trace.errors,
        "unfinished": trace.unfinished - trace.running,
        "running": trace.running,
        "logs": trace.logs,
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "cost": trace.cost,
    }


def _choices(reader: TraceReader) -> Json:
    newest = reader.traces(_CHOICES_OF, without_usage=True)
    spans = [span for trace in newest for span in reader.spans(trace.trace_id)]
    return {
        "service": sorted({service for trace in newest for service in trace.services}),
        "agent": sorted({span.agent for span in spans if span.agent}),
        "model": sorted({span.model for span in spans if span.model}),
    }


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "")
    return min(int(text), _LARGEST) if re.fullmatch(r"[1-9][0-9]{0,3}", text) else _LIMIT


def _since_ns(text: str) -> int:
    ago = _AGO.fullmatch(text)
    if ago is None:
        raise HTTPException(400, f"since {text!r} is not like 90s, 30m, 1h, 2d")
    return max(0, time.time_ns() - int(ago[1]) * _SECONDS[ago[2]] * 10**9)


def _attribute(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise HTTPException(400, f"attribute {text!r} is not like key=value")
    return key.strip(), value.strip()
