"""Reads the local store: newest traces, one trace, its spans and log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.store import schema
from obs_run.store.checked import Checked
from obs_run.telemetry.records import KINDS, STATUSES, Event, Link, LogLine, Scope, Span, Trace

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

_ID_DIGITS = 32

_TRACE = (
    "SELECT trace_id, name, service, services, start_ns, end_ns, spans, errors, unfinished, logs,"
    " ifnull(input_tokens, agent_input_tokens), ifnull(output_tokens, agent_output_tokens), ifnull(cost, agent_cost)"
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


class Reader:
    """A read-only view of the store at ``path``; raises :class:`obs_run.store.schema.StoreError` if there is none."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = schema.open_reader(path)
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

    def traces(
        self,
        limit: int = 20,
        *,
        service: str | None = None,
        since_ns: int | None = None,
        errors: bool = False,
        without_spans: bool = False,
    ) -> list[Trace]:
        """Return the newest traces first: those that ``service`` took part in, began after ``since_ns``, had errors.

        Traces of which only log lines are known (not sampled, or no span has ended yet) come with ``without_spans``.
        """
        where: list[str] = [] if without_spans else ["spans > 0"]
        values: list[Any] = []
        if service is not None:
            where.append("instr(services, ?)")
            values.append(f"|{service.replace('|', '/')}|")
        if since_ns is not None:
            where.append("start_ns >= ?")
            values.append(since_ns)
        if errors:
            where.append("errors > 0")
        text = f"{_TRACE} WHERE {' AND '.join(where) or 'true'} ORDER BY start_ns DESC, rowid DESC LIMIT ?"
        return [self._trace(row) for row in self._connection.execute(text, (*values, limit))]

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

    def size(self) -> tuple[int, int, int]:
        """Return how many traces and spans there are and how many bytes they use."""
        read = self._connection.execute
        traces, spans = read("SELECT count(*), ifnull(sum(spans), 0) FROM traces").fetchone()
        pages = [read(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")]
        return traces, spans, (pages[0] - pages[1]) * pages[2]

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

    def _trace(self, row: tuple[Any, ...]) -> Trace:
        read = self._checked
        trace_id, name, service, services, start, end, spans, errors, unfinished, logs, *usage = row
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
            read.whole_or_none(usage[0]),
            read.whole_or_none(usage[1]),
            read.number(usage[2]),
        )
