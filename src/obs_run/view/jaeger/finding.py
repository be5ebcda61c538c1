"""Search as Jaeger means it: a trace is found by one span that has all that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.view.jaeger.values import as_string

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obs_run.telemetry.reader import TraceReader
    from obs_run.telemetry.records import Span, Trace
    from obs_run.view.source import Recorded, Source

_SCANNED = 5000  # traces that one search looks at
_OPERATIONS_OF = 200  # newest traces whose spans tell a service's operations
_DAY_NS = 86_400 * 10**9
_ERROR = "error"


class Query(NamedTuple):
    """What is asked for; 0 and empty stand for anything, as in Jaeger."""

    service: str = ""
    operation: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    start_min_ns: int = 0
    start_max_ns: int = 0
    duration_min_ns: int = 0
    duration_max_ns: int = 0
    limit: int = 100


def find(source: Source, reader: TraceReader, query: Query) -> Iterator[Recorded]:
    """Yield the newest traces first, until there are as many as wanted."""
    found = 0
    for trace in reader.traces(_SCANNED, service=query.service or None, without_usage=True):
        if not _can_match(trace, query):
            continue
        recorded = source.recorded(reader, trace)
        if any(_matches(span, query) for span in recorded.spans):
            yield recorded
            found += 1
            if found >= query.limit:
                return


def one(source: Source, reader: TraceReader, trace_id: str) -> Recorded | None:
    """Return the trace of which there is at least one span."""
    for trace in reader.find(trace_id):
        if trace.trace_id == trace_id and trace.spans:
            return source.recorded(reader, trace)
    return None


def services(reader: TraceReader) -> list[str]:
    """Return the services that took part in traces."""
    return sorted({service for trace in reader.traces(_SCANNED, without_usage=True) for service in trace.services})


def operations(source: Source, reader: TraceReader, service: str) -> list[tuple[str, str]]:
    """Return names and kinds of the spans of ``service``."""

    def read() -> list[tuple[str, str]]:
        traces = reader.traces(_OPERATIONS_OF, service=service, without_usage=True)
        spans = (span for trace in traces for span in reader.spans(trace.trace_id))
        return sorted({(span.name, kind_name(span)) for span in spans if span.service == service})

    return source.keep(("operations", service, source.version()), read)


def calls(source: Source, reader: TraceReader, end_ns: int, lookback_ns: int) -> dict[tuple[str, str], int]:
    """Return how often a span of one service was the parent of one of another or its own."""
    counts: dict[tuple[str, str], int] = {}
    for trace in reader.traces(_SCANNED, without_usage=True):
        if trace.start_ns < end_ns - lookback_ns or trace.end_ns > end_ns:
            continue
        spans = source.recorded(reader, trace).spans
        service_of = {span.span_id: span.service for span in spans}
        for span in spans:
            parent = service_of.get(span.parent_id or "")
            if parent is not None:
                counts[parent, span.service] = counts.get((parent, span.service), 0) + 1
    return counts


def kind_name(span: Span) -> str:
    """Return a span's kind as Jaeger names it."""
    return "" if span.kind == "unspecified" else span.kind


def _can_match(trace: Trace, query: Query) -> bool:
    """Tell from the summary whether a span of the trace may match."""
    after_start = not query.start_min_ns or trace.end_ns >= query.start_min_ns
    before_end = not query.start_max_ns or trace.start_ns <= query.start_max_ns
    return after_start and before_end


def _matches(span: Span, query: Query) -> bool:
    if query.service and span.service != query.service:
        return False
    if query.operation and span.name != query.operation:
        return False
    if span.start_ns < query.start_min_ns or 0 < query.start_max_ns < span.start_ns:
        return False
    took = (span.end_ns or span.start_ns) - span.start_ns
    if took < query.duration_min_ns or 0 < query.duration_max_ns < took:
        return False
    return all(_has(span, key, value) for key, value in query.attributes)


def _has(span: Span, key: str, value: str) -> bool:
    if key == _ERROR:
        # As its other stores mean it; that in memory takes the text for false, and finds those whose status is ok.
        return (span.status == "error") == (value == "true")
    places: list[Mapping[str, Any]] = [span.attributes, span.resource, *(event.attributes for event in span.events)]
    if span.scope is not None:
        places.append(span.scope.attributes)
    return any(key in place and as_string(place[key]) == value for place in places)
