"""Reads the local store: traces by search, one trace, log lines, metric points, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from obs_run.process.unpatched import time
from obs_run.store import schema
from obs_run.store.checked import Checked
from obs_run.store.rows import OPEN
from obs_run.store.search import Condition, of_logs, of_points, of_traces, prepare
from obs_run.telemetry.reader import GroupedBy
from obs_run.telemetry.records import FRESH_NS, KINDS, STATUSES, Event, Link, LogLine, Point, Scope, Span, Trace, Usage
from obs_run.telemetry.totals import CONTAINERS, total

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from obs_run.telemetry.reader import LogSearch, PointSearch, Search

_ID_DIGITS = 32

_TRACE = (
    "SELECT trace_id, name, service, services, start_ns, end_ns, spans, errors, unfinished, logs,"
    " coalesce(input_tokens, output_tokens, cost, agent_input_tokens, agent_output_tokens, agent_cost) IS NOT NULL"
    " FROM traces"
)
_SPAN_COLUMNS = (
    "trace_id", "span_id", "parent_id", "name", "kind", "start_ns", "end_ns", "status", "status_text", "unfinished",
    "service", "operation", "agent", "conversation", "model", "tool", "input_tokens", "output_tokens", "cost",
    "trace_state", "attributes", "events", "links", "resource_id", "scope_id",
)  # fmt: skip
_SPAN_TEXTS = ("parent_id", "status_text", "operation", "agent", "conversation", "model", "tool", "trace_state")
_SPAN = f"SELECT {', '.join(_SPAN_COLUMNS)} FROM spans"  # noqa: S608 (our own names)
_LOG = (
    "SELECT time_ns, severity, severity_text, body, event_name, trace_id, span_id, service, attributes, resource_id,"
    " scope_id FROM logs"
)
_POINT = (
    "SELECT name, kind, unit, start_ns, time_ns, value, count, service, attributes, data, resource_id, scope_id"
    " FROM points"
)
_TOLD = (
    "SELECT span_id, parent_id, operation, model, start_ns, end_ns, input_tokens, output_tokens, cost FROM spans"
    " WHERE trace_id = ? AND "
)
_TELLS = "(input_tokens IS NOT NULL OR output_tokens IS NOT NULL OR cost IS NOT NULL OR model IS NOT NULL)"
_CONTAINERS = ", ".join(f"'{name}'" for name in sorted(CONTAINERS))
_USAGE = {
    by: f"SELECT {by}, count(*), total(status = 2), total(input_tokens), count(input_tokens), total(output_tokens),"  # noqa: S608 (our own names)
    " count(output_tokens), total(cost), count(cost) FROM spans WHERE model IS NOT NULL"
    f" AND ifnull(operation, '') NOT IN ({_CONTAINERS})"
    for by in get_args(GroupedBy)
}


_ROWS = ("spans", "logs")


class Mark(NamedTuple):
    """The last rows that somebody has seen, by table."""

    spans: int
    logs: int


class Reader:
    """A read-only view of the store at ``path``; raises :class:`obs_run.store.schema.StoreError` if there is none."""

    signals = frozenset({"traces", "logs", "metrics"})

    def __init__(self, path: Path) -> None:
        self.place = f"the local store at {path}"
        self._connection: sqlite3.Connection = schema.open_reader(path)
        prepare(self._connection)
        self._resources: dict[Any, dict[str, Any]] = {}
        self._scopes: dict[Any, Scope | None] = {}
        self._checked = Checked()

    def __enter__(self) -> Self:
        """Return the reader; leaving the block closes it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()

    @property
    def damaged(self) -> int:
        """How many values that were read are of no use, and were left out."""
        return self._checked.damaged

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def traces(self, limit: int = 20, **search: Unpack[Search]) -> list[Trace]:
        """Return the newest traces first."""
        wanted = of_traces(self._connection, search)
        text = f"{_TRACE} WHERE {wanted.text} ORDER BY start_ns DESC, rowid DESC LIMIT ?"
        rows = self._connection.execute(text, (*wanted.values, limit))
        return [self._trace(row, with_usage=not search.get("without_usage")) for row in rows]

    def newest(self) -> Trace | None:
        """Return the trace that began last; one of which only log lines are known if there is no other."""
        traces = self.traces(1) or self.traces(1, without_spans=True)
        return traces[0] if traces else None

    def find(self, prefix: str) -> list[Trace]:
        """Return the traces whose id begins with ``prefix``, at most ten."""
        low = prefix.lower()
        rows = self._connection.execute(
            f"{_TRACE} WHERE trace_id >= ? AND trace_id <= ? ORDER BY start_ns DESC LIMIT 10",
            (low, low.ljust(_ID_DIGITS, "f")),
        )
        return [self._trace(row) for row in rows]

    def spans(self, trace_id: str) -> list[Span]:
        """Return the spans of the trace in the order in which they began."""
        rows = self._connection.execute(f"{_SPAN} WHERE trace_id = ? ORDER BY start_ns, id", (trace_id,))
        return [self._span(row) for row in rows]

    def logs(self, trace_id: str) -> list[LogLine]:
        """Return the log lines of the trace in the order of time."""
        rows = self._connection.execute(f"{_LOG} WHERE trace_id = ? ORDER BY time_ns, id", (trace_id,))
        return [self._log(row) for row in rows]

    def log_lines(self, limit: int = 1000, **search: Unpack[LogSearch]) -> list[LogLine]:
        """Return the newest log lines, of traces and of none, in the order of time."""
        wanted = of_logs(self._connection, search)
        text = f"{_LOG} WHERE {wanted.text} ORDER BY time_ns DESC, id DESC LIMIT ?"
        return [self._log(row) for row in self._connection.execute(text, (*wanted.values, limit))][::-1]

    def points(self, **search: Unpack[PointSearch]) -> list[Point]:
        """Return metric points in the order of time."""
        wanted = of_points(search)
        rows = self._connection.execute(f"{_POINT} WHERE {wanted.text} ORDER BY time_ns, id", wanted.values)
        return [self._point(row) for row in rows]

    def usage(self, by: GroupedBy = "model", **search: Unpack[Search]) -> list[Usage]:
        """Return what the model calls of the traces that are searched for used, the most expensive group first."""
        within = Condition("true", [])
        if search:
            wanted = of_traces(self._connection, search)
            within = Condition(f"trace_id IN (SELECT trace_id FROM traces WHERE {wanted.text})", wanted.values)  # noqa: S608 (our own names)
        rows = self._connection.execute(f"{_USAGE[by]} AND {within.text} GROUP BY 1", within.values)
        return sorted(map(self._usage, rows), key=lambda one: (-(one.cost or 0), -one.calls, one.group))

    def mark(self, spans: int = 0, logs: int = 0) -> Mark:
        """Return where the newest rows end, but for the last ``spans`` and ``logs``."""
        newest = [self._connection.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0] for table in _ROWS]  # noqa: S608 (our own names)
        return Mark(max(0, newest[0] - spans), max(0, newest[1] - logs))

    def after(self, mark: Mark) -> tuple[list[Span], list[LogLine], Mark]:
        """Return the spans and log lines that were written behind a mark, and where they end."""
        end = self.mark()
        spans = self._connection.execute(f"{_SPAN} WHERE id > ? AND id <= ? ORDER BY id", (mark.spans, end.spans))
        logs = self._connection.execute(f"{_LOG} WHERE id > ? AND id <= ? ORDER BY id", (mark.logs, end.logs))
        return [self._span(row) for row in spans], [self._log(row) for row in logs], end

    def size(self) -> tuple[int, int, int]:
        """Return how many traces and spans there are and how many bytes they use."""
        read = self._connection.execute
        traces, spans = read("SELECT count(*), ifnull(sum(spans), 0) FROM traces").fetchone()
        pages = [read(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")]
        return traces, spans, (pages[0] - pages[1]) * pages[2]

    def _used(self, trace_id: str) -> tuple[int | None, int | None, float | None]:
        """Return what the trace used, from its spans."""
        spans = [self._told(trace_id, row) for row in self._connection.execute(_TOLD + _TELLS, (trace_id,))]
        found = {span.span_id for span in spans}
        # What is between them tells nothing, and is read for whose child is whose.
        for span in spans:
            if span.parent_id and span.parent_id not in found:
                found.add(span.parent_id)
                rows = self._connection.execute(f"{_TOLD} span_id = ?", (trace_id, span.parent_id))
                spans.extend([self._told(trace_id, row) for row in rows])
        used = total(spans)
        return used.input_tokens, used.output_tokens, used.cost

    def _running(self, trace_id: Any) -> int:
        query = f"SELECT count(*) FROM spans WHERE trace_id = ? AND unfinished = {OPEN} AND end_ns > ?"  # noqa: S608 (our own number)
        number: int = self._connection.execute(query, (trace_id, time.time_ns() - FRESH_NS)).fetchone()[0]
        return number

    def _told(self, trace_id: str, row: tuple[Any, ...]) -> Span:
        # Of its own: what is damaged is counted where the spans themselves are read.
        read = Checked()
        span_id, parent_id, operation, model, start, end, input_tokens, output_tokens, cost = row
        return Span(
            trace_id=trace_id,
            span_id=read.text(span_id),
            parent_id=read.text_or_none(parent_id),
            name="",
            kind="",
            start_ns=read.time(start) or 0,
            end_ns=read.time(end),
            status="",
            status_text=None,
            unfinished=False,
            service="",
            operation=read.text_or_none(operation),
            model=read.text_or_none(model),
            input_tokens=read.whole_or_none(input_tokens),
            output_tokens=read.whole_or_none(output_tokens),
            cost=read.number(cost),
        )

    def _span(self, row: tuple[Any, ...]) -> Span:
        read, columns = self._checked, dict(zip(_SPAN_COLUMNS, row, strict=True))
        texts = {name: read.text_or_none(columns[name]) for name in _SPAN_TEXTS}
        return Span(
            **texts,
            trace_id=read.text(columns["trace_id"]),
            span_id=read.text(columns["span_id"]),
            name=read.text(columns["name"]),
            service=read.text(columns["service"]),
            kind=read.one_of(KINDS, columns["kind"]),
            status=read.one_of(STATUSES, columns["status"]),
            start_ns=read.time(columns["start_ns"]) or 0,
            end_ns=read.time(columns["end_ns"]),
            unfinished=bool(columns["unfinished"]),
            input_tokens=read.whole_or_none(columns["input_tokens"]),
            output_tokens=read.whole_or_none(columns["output_tokens"]),
            cost=read.number(columns["cost"]),
            attributes=read.attributes(columns["attributes"]),
            events=tuple(self._event(*event) for event in read.items(columns["events"], 3)),
            links=tuple(self._link(*link) for link in read.items(columns["links"], 3)),
            resource=self._resource(columns["resource_id"]),
            scope=self._scope(columns["scope_id"]),
        )

    def _event(self, name: Any, time_ns: Any, attributes: dict[str, Any]) -> Event:
        return Event(self._checked.text(name), self._checked.time(time_ns) or 0, attributes)

    def _link(self, trace_id: Any, span_id: Any, attributes: dict[str, Any]) -> Link:
        return Link(self._checked.text(trace_id), self._checked.text(span_id), attributes)

    def _log(self, row: tuple[Any, ...]) -> LogLine:
        read = self._checked
        time, severity, severity_text, body, event_name, trace_id, span_id, service, attributes, resource, scope = row
        return LogLine(
            read.time(time) or 0,
            read.whole_or_none(severity),
            read.text_or_none(severity_text),
            read.value(body),
            read.text_or_none(event_name),
            read.text_or_none(trace_id),
            read.text_or_none(span_id),
            read.text(service),
            read.attributes(attributes),
            self._resource(resource),
            self._scope(scope),
        )

    def _point(self, row: tuple[Any, ...]) -> Point:
        read = self._checked
        name, kind, unit, start, time, value, count, service, attributes, data, resource, scope = row
        return Point(
            read.text(name),
            read.text(kind),
            read.text_or_none(unit),
            read.time(start),
            read.time(time) or 0,
            read.number(value),
            read.whole_or_none(count),
            read.text(service),
            read.attributes(attributes),
            read.attributes(data),
            self._resource(resource),
            self._scope(scope),
        )

    def _usage(self, row: tuple[Any, ...]) -> Usage:
        group, calls, errors, *sums = row
        # Not sum(), which a damaged row would have overflow.
        inputs, outputs, cost = (total if count else None for total, count in zip(sums[::2], sums[1::2], strict=True))
        return Usage(
            self._checked.text(group),
            calls,
            int(errors),
            None if inputs is None else int(inputs),
            None if outputs is None else int(outputs),
            cost,
        )

    def _resource(self, key: Any) -> dict[str, Any]:
        if key not in self._resources:
            row = self._connection.execute("SELECT attributes FROM resources WHERE id = ?", (key,)).fetchone()
            self._resources[key] = self._checked.attributes(row[0]) if row else {}
        return self._resources[key]

    def _scope(self, key: Any) -> Scope | None:
        if key is None:
            return None
        if key not in self._scopes:
            query = "SELECT name, version, attributes FROM scopes WHERE id = ?"
            row = self._connection.execute(query, (key,)).fetchone()
            read = self._checked
            self._scopes[key] = Scope(read.text(row[0]), read.text(row[1]), read.attributes(row[2])) if row else None
        return self._scopes[key]

    def _trace(self, row: tuple[Any, ...], *, with_usage: bool = True) -> Trace:
        read = self._checked
        trace_id, name, service, services, start, end, spans, errors, unfinished, logs, has_usage = row
        # Not as its row adds up: that has every model call, also one around another.
        usage = self._used(read.text(trace_id)) if has_usage and with_usage else (None, None, None)
        names = tuple(dict.fromkeys(part for part in read.text(services).split("|") if part)) or ("?",)
        began = read.time(start) or 0
        return Trace(
            read.text(trace_id),
            read.text_or_none(name),
            read.text_or_none(service) or names[0],
            names,
            began,
            read.time(end) or began,
            read.whole(spans),
            read.whole(errors),
            read.whole(unfinished),
            read.whole(logs),
            *usage,
            running=self._running(trace_id) if unfinished else 0,
        )
