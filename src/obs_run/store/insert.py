"""Puts the rows of a batch into the store, and what they add to their traces."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from obs_run.process.unpatched import time
from obs_run.store.rows import OPEN
from obs_run.telemetry.summary import ERROR_RECORD
from obs_run.telemetry.totals import CONTAINERS

if TYPE_CHECKING:
    import sqlite3

    from obs_run.store.rows import Batch, Row

_SEE_RESOURCE = (
    "INSERT INTO resources (id, service, attributes, seen_ns) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET seen_ns = excluded.seen_ns"
)
_SEE_SCOPE = "INSERT OR IGNORE INTO scopes (id, name, version, attributes) VALUES (?, ?, ?, ?)"
COLUMNS = {
    "spans": "trace_id, span_id, parent_id, name, kind, start_ns, end_ns, status, status_text, unfinished, service,"
    " operation, agent, conversation, model, tool, input_tokens, output_tokens, cost, resource_id, scope_id,"
    " trace_state, attributes, events, links",
    "logs": "trace_id, span_id, time_ns, severity, severity_text, event_name, body, service, resource_id, scope_id,"
    " attributes",
    "points": "name, kind, unit, start_ns, time_ns, value, count, service, resource_id, scope_id, attributes, data",
}

_UNFINISHED = COLUMNS["spans"].split(", ").index("unfinished")


def _insert(table: str) -> str:
    # Spans once only: a batch that was stored, but too late for its caller, may come again.
    columns = COLUMNS[table]
    places = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 (our own names)


def _sum(column: str) -> str:
    added = f"{column} + ifnull(excluded.{column}, 0)"
    return f"{column} = CASE WHEN {column} IS NULL THEN excluded.{column} ELSE {added} END"


def _furthest(function: str, column: str) -> str:
    return f"{column} = {function}(ifnull({column}, excluded.{column}), ifnull(excluded.{column}, {column}))"


_TAKE_OUT = f"UPDATE spans SET span_id = span_id || '-' WHERE trace_id = ? AND span_id = ? AND unfinished = {OPEN}"  # noqa: S608 (our own number)
_DELETE = "DELETE FROM spans WHERE trace_id = ? AND span_id = ? || '-'"
_COUNT_DOWN = "UPDATE traces SET spans = spans - ?, unfinished = unfinished - ? WHERE trace_id = ?"
_IS_ROOT = (
    "traces.root_rank IS NULL OR (excluded.root_rank IS NOT NULL AND"
    " (excluded.root_rank, excluded.root_start_ns) < (traces.root_rank, traces.root_start_ns))"
)
_ADDED = ("spans", "errors", "unfinished", "logs", "bytes", "input_tokens", "output_tokens", "cost")
_MERGE_TRACE = (
    "INSERT INTO traces (trace_id, root_rank, root_start_ns, name, service, services, start_ns, end_ns, spans, errors,"  # noqa: S608 (our own names)
    " unfinished, logs, input_tokens, output_tokens, cost, agent_input_tokens, agent_output_tokens, agent_cost, bytes,"
    f" written_ns) VALUES ({', '.join('?' * 20)}) ON CONFLICT (trace_id) DO UPDATE SET "
    + ", ".join(
        [f"{name} = CASE WHEN {_IS_ROOT} THEN excluded.{name} ELSE {name} END"
         for name in ("name", "service", "root_rank", "root_start_ns")]
        + ["services = services || CASE WHEN instr(services, excluded.services) THEN '' ELSE excluded.services END"]
        + [_furthest("min", "start_ns"), _furthest("max", "end_ns")]
        + [_sum(name) for name in _ADDED]
        + [_furthest("max", name) for name in ("agent_input_tokens", "agent_output_tokens", "agent_cost")]
    )
)  # fmt: skip


def insert(connection: sqlite3.Connection, table: str, batch: Batch) -> None:
    """Put the rows in; called inside a transaction."""
    now = time.time_ns()
    origins = batch.origins
    connection.executemany(_SEE_RESOURCE, [(*row, now) for row in origins.resources.values()])
    connection.executemany(_SEE_SCOPE, origins.scopes.values())
    rows = batch.rows
    replaced: Counter[str] = Counter()
    taken: list[Row] = []
    if table == "spans":
        rows = _newest(rows)
        taken = _take_out_open(connection, rows)
        replaced.update(trace_id for trace_id, _ in taken)
        replaced.update(row[0] for row in batch.rows)
        replaced.subtract(row[0] for row in rows)
    stored = connection.executemany(_insert(table), rows).rowcount
    # Only now: what is new must not get the number of a row that readers have seen.
    connection.executemany(_DELETE, taken)
    connection.executemany(_MERGE_TRACE, [summary.row(now) for summary in batch.summaries.values()])
    down = [(number, number, trace_id) for trace_id, number in replaced.items() if number]
    connection.executemany(_COUNT_DOWN, down)
    if stored != len(rows):
        _recount(connection, {trace_id for trace_id, _ in batch.summaries})


def _newest(rows: list[Row]) -> list[Row]:
    """Return the rows without those of open spans that come again, or have ended, in the same batch."""
    if not any(row[_UNFINISHED] == OPEN for row in rows):
        return rows
    newest: dict[Row, int] = {}
    for number, row in enumerate(rows):
        before = newest.get(row[:2])
        if before is None or rows[before][_UNFINISHED] == OPEN:
            newest[row[:2]] = number
    return [row for number, row in enumerate(rows) if row[_UNFINISHED] != OPEN or newest[row[:2]] == number]


def _take_out_open(connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
    """Put aside what was open and comes again, or has ended; return the ids of its traces and spans."""
    return [row[:2] for row in rows if connection.execute(_TAKE_OUT, row[:2]).rowcount]


def _recount(connection: sqlite3.Connection, trace_ids: set[str]) -> None:
    """Make the figures of traces again from their rows, after some of a batch were there already."""
    inside = ", ".join(f"'{name}'" for name in sorted(CONTAINERS))
    for trace_id in trace_ids:
        connection.execute(
            "UPDATE traces SET (spans, errors, unfinished, input_tokens, output_tokens, cost) = (SELECT count(*),"  # noqa: S608 (our own names)
            " ifnull(sum(status = 2), 0) + (SELECT count(*) FROM logs WHERE logs.trace_id = traces.trace_id AND"
            f" severity >= {ERROR_RECORD} AND ifnull(event_name, '') = ''), ifnull(sum(unfinished > 0), 0),"
            " sum(CASE WHEN model_call THEN input_tokens END),"
            " sum(CASE WHEN model_call THEN output_tokens END), sum(CASE WHEN model_call THEN cost END) FROM (SELECT *,"
            f" ifnull(operation, '') NOT IN ({inside}) AS model_call FROM spans"
            " WHERE spans.trace_id = traces.trace_id)) WHERE trace_id = ?",
            (trace_id,),
        )
