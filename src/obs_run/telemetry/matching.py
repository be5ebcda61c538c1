"""Whether what was recorded is what is searched for; the local store asks the same questions in SQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obs_run.telemetry.reader import LogSearch, PointSearch, Search
    from obs_run.telemetry.records import LogLine, Point, Span, Trace

FIELDS = ("agent", "model", "conversation", "operation", "tool")
"""What is searched for in a column of its own."""


def has_status(trace: Trace, search: Search) -> bool:
    """Tell whether errors and unfinished spans are as the search demands."""
    if search.get("errors") and not trace.errors:
        return False
    status = search.get("status")
    if status == "error":
        return trace.errors > 0
    if status == "unfinished":
        return trace.unfinished > 0
    return status is None or not (trace.errors or trace.unfinished)


def matches_trace(trace: Trace, spans: Sequence[Span], logs: Sequence[LogLine], search: Search) -> bool:
    """Tell whether a trace is searched for."""
    service = search.get("service")
    return (
        (bool(spans) or bool(search.get("without_spans")))
        and (service is None or service in trace.services)
        and _is_within(trace.start_ns, search.get("since_ns"), search.get("until_ns"))
        and has_status(trace, search)
        and _has_fields(spans, search)
        and _has_attributes(spans, search.get("attributes"))
        and _has_text(spans, logs, search.get("text"))
    )


def matches_log(line: LogLine, search: LogSearch) -> bool:
    """Tell whether a log line is searched for."""
    service, text = search.get("service"), search.get("text")
    return (
        (service is None or line.service == service)
        and (line.severity or 0) >= (search.get("severity") or 0)
        and _is_within(line.time_ns, search.get("since_ns"), search.get("until_ns"))
        and not (search.get("is_outside_traces") and line.trace_id)
        and _holds_all(search.get("attributes"), line.attributes, line.resource)
        and (not text or any(spelling in _text_of_log(line) for spelling in spellings(text.lower())))
    )


def matches_point(point: Point, search: PointSearch) -> bool:
    """Tell whether a metric point is searched for."""
    name, service = search.get("name"), search.get("service")
    return (
        (name is None or point.name == name)
        and (service is None or point.service == service)
        and _is_within(point.time_ns, search.get("since_ns"), search.get("until_ns"))
    )


def as_text(value: Any) -> str:
    """Return an attribute's value as people write it on a command line: true, 12, 0.5, text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else encode(value)


def spellings(text: str) -> list[str]:
    """Return how a text is written as it is, inside JSON, and inside JSON that is a text of JSON, as messages are.

    JSON of other programs may have characters beyond ASCII by their numbers.
    """
    inside, inside_ascii = encode(text)[1:-1], json.dumps(text)[1:-1]
    again = (encode(one)[1:-1] for one in (inside, inside_ascii))
    return list(dict.fromkeys((text, inside, inside_ascii, *again)))


def is_value(value: Any, text: str) -> bool:
    """Tell whether an attribute has the value that was written: the same text, or the same number."""
    if as_text(value) == text:
        return True
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(text) == value
        except ValueError:
            return False
    return isinstance(value, list) and any(is_value(item, text) for item in value)


def _is_within(moment: int, since_ns: int | None, until_ns: int | None) -> bool:
    return (since_ns is None or moment >= since_ns) and (until_ns is None or moment < until_ns)


def _has_fields(spans: Sequence[Span], search: Mapping[str, Any]) -> bool:
    wanted = [(name, search[name]) for name in FIELDS if search.get(name) is not None]
    return all(any(getattr(span, name) == value for span in spans) for name, value in wanted)


def _has_attributes(spans: Sequence[Span], attributes: Mapping[str, str] | None) -> bool:
    return not attributes or any(_holds_all(attributes, span.attributes, span.resource) for span in spans)


def _holds_all(wanted: Mapping[str, str] | None, *attributes: Mapping[str, Any]) -> bool:
    return all(
        any(key in one and is_value(one[key], text) for one in attributes) for key, text in (wanted or {}).items()
    )


def _has_text(spans: Sequence[Span], logs: Sequence[LogLine], text: str | None) -> bool:
    if not text:
        return True
    wanted = spellings(text.lower())
    recorded = (*map(_text_of_span, spans), *map(_text_of_log, logs))
    return any(spelling in one for one in recorded for spelling in wanted)


def _text_of_span(span: Span) -> str:
    events = [[event.name, event.attributes] for event in span.events]
    return "\n".join([span.name, span.status_text or "", encode(span.attributes), encode(events)]).lower()


def _text_of_log(line: LogLine) -> str:
    return "\n".join([line.event_name or "", encode(line.body), encode(line.attributes)]).lower()
