"""Spans, log records and metric points as rows of the store: the SDK's, and those that were recorded before."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.telemetry.records import KINDS, STATUSES
from obs_run.telemetry.summary import ERROR_RECORD, is_error
from obs_run.telemetry.totals import CONTAINERS
from obs_run.telemetry.values import clean, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from obs_run.telemetry.records import LogLine, Point, Scope, Span

Row = tuple[Any, ...]

OPEN = 2
"""In the column ``unfinished``: what comes of the span later takes its place. 1 is a span that nobody ended."""
_ERROR = 2
_ROW_BYTES = 320  # what a row costs beside its JSON: columns and its places in two indexes, measured
_PAGE_BYTES = 4096
_LARGEST = 2**63


class Origin(NamedTuple):
    """Where a row comes from: keys of its resource and scope, and its service."""

    resource_id: int
    service: str
    scope_id: int | None


class Origins:
    """Keys of resources and scopes, remembered by object; the rows that the file may not have yet are collected."""

    def __init__(self) -> None:
        self._resources: dict[int, tuple[Any, int, str, str]] = {}
        self._scopes: dict[int, tuple[Any, int]] = {}
        self.resources: dict[int, Row] = {}
        self.scopes: dict[int, Row] = {}

    def clear_new(self) -> None:
        """Forget the rows that the file has now."""
        self.resources.clear()
        self.scopes.clear()

    def of(self, resource: Resource | None, scope: InstrumentationScope | None) -> Origin:
        """Return the origin of what ``resource`` and ``scope`` made."""
        _, key, service, text = self._resources.get(id(resource)) or self._resource(resource)
        self.resources[key] = (key, service, text)
        if scope is None:
            return Origin(key, service, None)
        entry = self._scopes.get(id(scope)) or self._scope(scope)
        return Origin(key, service, entry[1])

    def of_recorded(self, record: Span | LogLine | Point) -> Origin:
        """Return the origin of what was recorded before."""
        resource, scope = record.resource, record.scope
        entry = self._resources.get(id(resource))
        if entry is None:
            text = encode(resource)
            entry = (resource, _key(text), clean(record.service), text)
            _remember(self._resources, id(resource), entry)
        _, key, service, text = entry
        self.resources[key] = (key, service, text)
        if scope is None:
            return Origin(key, service, None)
        return Origin(key, service, (self._scopes.get(id(scope)) or self._scope(scope))[1])

    def _resource(self, resource: Resource | None) -> tuple[Any, int, str, str]:
        attributes = dict(resource.attributes) if resource is not None else {}
        text = encode(attributes)
        entry = (resource, _key(text), clean(attributes.get("service.name") or "unknown"), text)
        _remember(self._resources, id(resource), entry)
        return entry

    def _scope(self, scope: InstrumentationScope | Scope) -> tuple[Any, int]:
        name, version = clean(scope.name), clean(scope.version or "")
        attributes = encode(dict(scope.attributes or {}))
        key = _key(f"{name}\n{version}\n{attributes}")
        self.scopes[key] = (key, name, version, attributes)
        entry = (scope, key)
        _remember(self._scopes, id(scope), entry)
        return entry


def _remember(cache: dict[int, Any], key: int, entry: Any) -> None:
    # The entry holds the object, so that its id stays its own; a service has few, a runaway one is forgotten.
    if len(cache) >= 256:  # noqa: PLR2004 (the bound)
        cache.clear()
    cache[key] = entry


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


class Summary:
    """What a batch adds to the row of one trace, for one service."""

    def __init__(self, trace_id: str, service: str) -> None:
        self.trace_id, self.service = trace_id, service
        self.root: tuple[int, int, str] | None = None
        self.start: int | None = None
        self.end: int | None = None
        self.spans = self.errors = self.unfinished = self.logs = self.bytes = 0
        self.usage: list[float | None] = [None, None, None]
        self.agent_usage: list[float | None] = [None, None, None]

    def time(self, start: int | None, end: int | None) -> None:
        """Stretch the trace over ``start`` to ``end``."""
        if start is not None and (self.start is None or start < self.start):
            self.start = start
        end = start if end is None else end
        if end is not None and (self.end is None or end > self.end):
            self.end = end

    def add_span(
        self, rank: tuple[int, int, str], end: int | None, usage: list[float | None], operation: str | None
    ) -> None:
        """Add a span: its rank as a root, which has its start, and what it used."""
        self.time(rank[1] or None, end)
        self.spans += 1
        self.add_root(rank)
        self.add_usage(usage, is_container=operation in CONTAINERS)

    def add_log(self, time: int, size: int, *, is_error: bool) -> None:
        """Add a log record."""
        self.time(time, time)
        self.logs += 1
        self.errors += is_error
        self.bytes += size

    def add_root(self, rank: tuple[int, int, str]) -> None:
        """Note a span by whether it has a parent, its start and its name: the first in this order names the trace."""
        self.root = rank if self.root is None else min(self.root, rank)

    def add_usage(self, usage: list[float | None], *, is_container: bool) -> None:
        """Add tokens and cost: those of a container are the sum of what is inside of it."""
        if is_container:
            self.agent_usage = [_most(*pair) for pair in zip(self.agent_usage, usage, strict=True)]
        else:
            self.usage = [_plus(*pair) for pair in zip(self.usage, usage, strict=True)]

    def row(self, now: int) -> Row:
        """Return the row for the table ``traces``."""
        rank, start, name = self.root or (None, None, None)
        services = f"|{self.service.replace('|', '/')}|"
        return (self.trace_id, rank, start, name, self.service if self.root else None, services, self.start,
                self.end, self.spans, self.errors, self.unfinished, self.logs, *self.usage, *self.agent_usage,
                self.bytes, now)  # fmt: skip


class Batch:
    """Rows of one export, and what they add to their traces."""

    def __init__(self, origins: Origins) -> None:
        self.origins = origins
        self.rows: list[Row] = []
        self.summaries: dict[tuple[str, str], Summary] = {}

    def add_spans(self, spans: Sequence[ReadableSpan]) -> Batch:
        """Add spans; one that cannot be a row is left out and said."""
        for span in spans:
            guard.call("store.span", self._span, span)
        return self

    def add_logs(self, records: Sequence[ReadableLogRecord]) -> Batch:
        """Add log records; one that cannot be a row is left out and said."""
        for record in records:
            guard.call("store.log", self._log, record)
        return self

    def add_metrics(self, data: MetricsData) -> Batch:
        """Add the points of ``data``."""
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                origin = self.origins.of(resource.resource, scope.scope)
                for metric in scope.metrics:
                    self.rows.extend(guard.call("store.metric", list, _points(metric, origin), default=()))
        return self

    def _summary(self, trace_id: str, service: str) -> Summary:
        summary = self.summaries.get((trace_id, service))
        if summary is None:
            summary = self.summaries[trace_id, service] = Summary(trace_id, service)
        return summary

    def _span(self, span: ReadableSpan) -> None:
        context, parent = span.context, span.parent
        if context is None:
            return
        origin = self.origins.of(span.resource, span.instrumentation_scope)
        attributes = span.attributes or {}
        read = attributes.get
        operation = _text(read(semconv.OPERATION_NAME))
        usage = [_whole(read(semconv.USAGE_INPUT_TOKENS)), _whole(read(semconv.USAGE_OUTPUT_TOKENS)),
                 _number(read(semconv.OBS_COST_TOTAL))]  # fmt: skip
        trace_id, name = f"{context.trace_id:032x}", clean(span.name)
        start, end, status = _whole(span.start_time), _whole(span.end_time), span.status.status_code.value
        unfinished = (
            OPEN if read(semconv.OBS_SPAN_OPEN) else int(bool(read(semconv.OBS_SPAN_UNFINISHED)) or end is None)
        )
        kept, events, links = _encoded(attributes, span)
        self.rows.append(
            (trace_id, f"{context.span_id:016x}", f"{parent.span_id:016x}" if parent else None, name,
             span.kind.value + 1, start, end, status, _text(span.status.description), unfinished, origin.service,
             operation, _text(read(semconv.AGENT_NAME)), _text(read(semconv.CONVERSATION_ID)),
             _text(read(semconv.RESPONSE_MODEL) or read(semconv.REQUEST_MODEL)), _text(read(semconv.TOOL_NAME)),
             *usage, origin.resource_id, origin.scope_id, context.trace_state.to_header() or None, kept, events, links)
        )  # fmt: skip
        summary = self._summary(trace_id, origin.service)
        summary.add_span((0 if parent is None else 1, start or 0, name), end, usage, operation)
        summary.errors += status == _ERROR
        summary.unfinished += bool(unfinished)
        summary.bytes += _cost(kept, events, links)

    def _log(self, readable: ReadableLogRecord) -> None:
        record = readable.log_record
        origin = self.origins.of(readable.resource, readable.instrumentation_scope)
        trace_id = f"{record.trace_id:032x}" if record.trace_id else None
        time = _whole(record.timestamp or record.observed_timestamp) or 0
        body = encode(record.body)
        attributes = encode(dict(record.attributes)) if record.attributes else None
        severity = record.severity_number.value if record.severity_number else None
        self.rows.append(
            (trace_id, f"{record.span_id:016x}" if record.span_id else None, time, severity,
             _text(record.severity_text), _text(record.event_name), body, origin.service, origin.resource_id,
             origin.scope_id, attributes)
        )  # fmt: skip
        if trace_id:
            # An event tells of a span, whose own error counts.
            failed = (severity or 0) >= ERROR_RECORD and not record.event_name
            self._summary(trace_id, origin.service).add_log(time, _cost(body, attributes), is_error=failed)

    def add_recorded_spans(self, spans: Iterable[Span]) -> Batch:
        """Add spans that were recorded before."""
        for span in spans:
            origin = self.origins.of_recorded(span)
            kept = encode(span.attributes) if span.attributes else None
            events = encode([(one.name, one.time_ns, one.attributes) for one in span.events]) if span.events else None
            links = encode([(one.trace_id, one.span_id, one.attributes) for one in span.links]) if span.links else None
            name, status = clean(span.name), STATUSES.index(span.status)
            unfinished = OPEN if span.is_open else int(span.unfinished)
            usage = [_whole(span.input_tokens), _whole(span.output_tokens), _number(span.cost)]
            self.rows.append(
                (span.trace_id, span.span_id, span.parent_id, name, KINDS.index(span.kind), span.start_ns, span.end_ns,
                 status, _text(span.status_text), unfinished, origin.service, _text(span.operation),
                 _text(span.agent), _text(span.conversation), _text(span.model), _text(span.tool), *usage,
                 origin.resource_id, origin.scope_id, _text(span.trace_state), kept, events, links)
            )  # fmt: skip
            summary = self._summary(span.trace_id, origin.service)
            summary.add_span((0 if span.parent_id is None else 1, span.start_ns, name), span.end_ns, usage,
                             span.operation)  # fmt: skip
            summary.errors += status == _ERROR
            summary.unfinished += span.unfinished
            summary.bytes += _cost(kept, events, links)
        return self

    def add_recorded_logs(self, lines: Iterable[LogLine]) -> Batch:
        """Add log lines that were recorded before."""
        for line in lines:
            origin = self.origins.of_recorded(line)
            body, attributes = encode(line.body), encode(line.attributes) if line.attributes else None
            self.rows.append(
                (line.trace_id, line.span_id, line.time_ns, line.severity, _text(line.severity_text),
                 _text(line.event_name), body, origin.service, origin.resource_id, origin.scope_id, attributes)
            )  # fmt: skip
            if line.trace_id:
                summary = self._summary(line.trace_id, origin.service)
                summary.add_log(line.time_ns, _cost(body, attributes), is_error=is_error(line))
        return self

    def add_recorded_points(self, points: Iterable[Point]) -> Batch:
        """Add metric points that were recorded before."""
        for point in points:
            origin = self.origins.of_recorded(point)
            self.rows.append(
                (clean(point.name), point.kind, _text(point.unit), point.start_ns, point.time_ns, _number(point.value),
                 _whole(point.count), origin.service, origin.resource_id, origin.scope_id, encode(point.attributes),
                 encode(point.data))
            )  # fmt: skip
        return self


def _cost(*texts: str | None) -> int:
    """Return about what a row with ``texts`` takes in the file; a large one has its pages to itself."""
    size = _ROW_BYTES + sum(len(text) for text in texts if text)
    return size if size < _PAGE_BYTES // 2 else -(-size // _PAGE_BYTES) * _PAGE_BYTES


def _encoded(attributes: Mapping[str, Any], span: ReadableSpan) -> tuple[str | None, str | None, str | None]:
    """Return attributes, events and links as they are stored; None for what a span has none of."""
    kept = encode(dict(attributes)) if attributes else None
    events = encode([_event(event) for event in span.events]) if span.events else None
    links = encode([_link(link) for link in span.links]) if span.links else None
    return kept, events, links


def _event(event: Any) -> Row:
    return event.name, event.timestamp, dict(event.attributes or {})


def _link(link: Any) -> Row:
    return f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", dict(link.attributes or {})


def _points(metric: Any, origin: Origin) -> Iterator[Row]:
    data = metric.data
    shared = {
        name: value
        for name, value in (
            ("temporality", getattr(getattr(data, "aggregation_temporality", None), "name", None)),
            ("monotonic", getattr(data, "is_monotonic", None)),
            ("description", metric.description or None),
        )
        if value is not None
    }
    kind = type(data).__name__
    for point in data.data_points:
        value = getattr(point, "value", None)
        yield (
            clean(metric.name), kind, _text(metric.unit), _whole(point.start_time_unix_nano),
            _whole(point.time_unix_nano), _number(getattr(point, "sum", None) if value is None else value),
            _whole(getattr(point, "count", None)), origin.service, origin.resource_id, origin.scope_id,
            encode(dict(point.attributes or {})), encode(shared | dict(_shape(point))),
        )  # fmt: skip


_SHAPE = ("bucket_counts", "explicit_bounds", "scale", "zero_count")


def _shape(point: Any) -> Iterable[tuple[str, Any]]:
    for name in ("min", "max"):
        if hasattr(point, name):
            yield name, _number(getattr(point, name))
    for name in _SHAPE:
        if hasattr(point, name):
            yield name, getattr(point, name)
    for name in ("positive", "negative"):
        if hasattr(point, name):
            buckets = getattr(point, name)
            yield name, {"offset": buckets.offset, "bucket_counts": buckets.bucket_counts}
    exemplars = [_exemplar(exemplar) for exemplar in getattr(point, "exemplars", ())]
    if exemplars:
        yield "exemplars", exemplars


def _exemplar(exemplar: Any) -> Mapping[str, Any]:
    return {
        "value": exemplar.value,
        "time_ns": exemplar.time_unix_nano,
        "trace_id": f"{exemplar.trace_id:032x}" if exemplar.trace_id else None,
        "span_id": f"{exemplar.span_id:016x}" if exemplar.span_id else None,
    }


def _text(value: Any) -> str | None:
    return clean(value) if value else None


def _whole(value: Any) -> int | None:
    if isinstance(value, (int, float)) and -_LARGEST <= value < _LARGEST:
        return int(value)
    return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and abs(value) < _LARGEST else None


def _plus(total: float | None, value: float | None) -> float | None:
    if total is None or value is None:
        return value if total is None else total
    return total + value


def _most(total: float | None, value: float | None) -> float | None:
    if total is None or value is None:
        return value if total is None else total
    return max(total, value)
