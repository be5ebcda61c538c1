"""All of one span: attributes, events, links, resource, messages, and its log lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.view.texts import body_text, parsed, shown
from obs_run.view.waterfall import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from obs_run.telemetry.records import LogLine, Span
    from obs_run.view.source import Source

Json = dict[str, Any]

_CONTENT = {
    "system": semconv.SYSTEM_INSTRUCTIONS,
    "input": semconv.INPUT_MESSAGES,
    "output": semconv.OUTPUT_MESSAGES,
    "tools": semconv.TOOL_DEFINITIONS,
    "arguments": semconv.TOOL_CALL_ARGUMENTS,
    "result": semconv.TOOL_CALL_RESULT,
    "query": semconv.RETRIEVAL_QUERY_TEXT,
    "documents": semconv.RETRIEVAL_DOCUMENTS,
}


def span(source: Source, request: Request) -> Json | None:
    """Return one span of a trace."""
    recorded = read(source, request.path_params["id"])
    if recorded is None:
        return None
    found = next((span for span in recorded.spans if span.span_id == request.path_params["span"]), None)
    if found is None:
        return None
    lines = [line for line in recorded.logs if line.span_id == found.span_id]
    begin = recorded.trace.start_ns
    return {
        "id": found.span_id,
        "parent": found.parent_id,
        "name": found.name,
        "service": found.service,
        "kind": found.kind,
        "status": found.status,
        "status_text": found.status_text,
        "unfinished": found.unfinished,
        "running": found.is_running(time.time_ns()),
        "start_ms": found.start_ns / 1e6,
        "took_ns": None if found.end_ns is None else found.end_ns - found.start_ns,
        "scope": None if found.scope is None else f"{found.scope.name} {found.scope.version}".strip(),
        "content": content(found, lines),
        "attributes": attributes(found.attributes),
        "resource": attributes(found.resource),
        "events": [[event.name, event.time_ns - begin, attributes(event.attributes)] for event in found.events],
        "links": [[link.trace_id, link.span_id, attributes(link.attributes)] for link in found.links],
        "logs": [_log(line, begin) for line in lines],
    }


def content(found: Span, lines: list[LogLine]) -> Json:
    """Return messages and tool content of a span, or of the event that tells them."""
    told: Json = {}
    for name, key in _CONTENT.items():
        places = (found.attributes, *(line.attributes for line in lines if line.event_name))
        value = next((place[key] for place in places if key in place), None)
        if value is not None:
            told[name] = parsed(value)
    return told


def attributes(given: Mapping[str, Any]) -> list[list[Any]]:
    """Return attributes as pairs in the order of their names, content left out."""
    return [[key, shown(value)] for key, value in sorted(given.items()) if key not in _CONTENT.values()]


def _log(line: LogLine, begin: int) -> Json:
    return {
        "at": line.time_ns - begin,
        "severity": line.severity or 0,
        "level": line.severity_text or ("EVENT" if line.event_name else ""),
        "logger": line.scope.name if line.scope is not None else "",
        "event": line.event_name,
        "text": body_text(line),
        "attributes": attributes(line.attributes),
    }
