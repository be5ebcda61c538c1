"""Reads the local store: newest traces, one trace, its spans and log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.store import schema
from obs_run.store.records import Event, Link, LogLine, Scope, Span, Trace
from obs_run.store.values import decode

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
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
_SPAN = f"SELECT {', '.join(_SPAN_COLUMNS)} FROM spans"  # noqa: S608 (our own names)
_LOG = (
    "SELECT time_ns, severity, severity_text, body, event_name, trace_id, span_id, service, attributes, resource_id,"
    " scope_id FROM logs"
)


class Reader:
    """A read-only view of the store at ``path``; raises :class:`obs_run.store.schema.StoreError` if there is none."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection = schema.open_reader(path)
        self._resources: dict[int, dict[str, Any]] = {}
        self._scopes: dict[int, Scope | None] = {}

    def __enter__(self) -> Self:
        """Return the reader; leaving the block closes it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self.close()

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
        return [_trace(row) for row in self._connection.execute(text, (*values, limit))]

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
        return [_trace(row) for row in rows]

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
        columns = dict(zip(_SPAN_COLUMNS, row, strict=True))
        resource, scope = columns.pop("resource_id"), columns.pop("scope_id")
        return Span(
            **columns
            | {
                "kind": KINDS[columns["kind"]],
                "status": STATUSES[columns["status"]],
                "start_ns": columns["start_ns"] or 0,
                "unfinished": bool(columns["unfinished"]),
                "attributes": decode(columns["attributes"]) or {},
                "events": tuple(Event(*event) for event in decode(columns["events"]) or ()),
                "links": tuple(Link(*link) for link in decode(columns["links"]) or ()),
            },
            resource=self._resource(resource),
            scope=self._scope(scope),
        )

    def _log(self, row: tuple[Any, ...]) -> LogLine:
        time, severity, severity_text, body, event_name, trace_id, span_id, service, attributes, resource, scope = row
        return LogLine(time, severity, severity_text, decode(body), event_name, trace_id, span_id, service,
                       decode(attributes) or {}, self._resource(resource), self._scope(scope))  # fmt: skip

    def _resource(self, key: int) -> dict[str, Any]:
        if key not in self._resources:
            row = self._connection.execute("SELECT attributes FROM resources WHERE id = ?", (key,)).fetchone()
            self._resources[key] = decode(row[0]) if row else {}
        return self._resources[key]

    def _scope(self, key: int | None) -> Scope | None:
        if key is None:
            return None
        if key not in self._scopes:
            query = "SELECT name, version, attributes FROM scopes WHERE id = ?"
            row = self._connection.execute(query, (key,)).fetchone()
            self._scopes[key] = Scope(row[0], row[1] or "", decode(row[2]) or {}) if row else None
        return self._scopes[key]


def _trace(row: tuple[Any, ...]) -> Trace:
    trace_id, name, service, services, start, end, *rest = row
    names = tuple(dict.fromkeys(part for part in services.split("|") if part))
    return Trace(trace_id, name, service or names[0], names, start or 0, end or start or 0, *rest)
