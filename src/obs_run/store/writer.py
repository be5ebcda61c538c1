"""One connection of this process to the store: transactions, fork, and what to do when it fails."""

from __future__ import annotations

import atexit
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.process import descriptors, fork
from obs_run.process.unpatched import allocate_lock, get_ident, getpid, time
from obs_run.store import location, schema
from obs_run.store.location import absolute, default_path
from obs_run.store.retention import Retention
from obs_run.store.rows import Batch, Origins
from obs_run.store.transactions import transaction
from obs_run.telemetry.summary import CONTAINERS, ERROR_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SEE_RESOURCE = (
    "INSERT INTO resources (id, service, attributes, seen_ns) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET seen_ns = excluded.seen_ns"
)
_SEE_SCOPE = "INSERT OR IGNORE INTO scopes (id, name, version, attributes) VALUES (?, ?, ?, ?)"
_COLUMNS = {
    "spans": "trace_id, span_id, parent_id, name, kind, start_ns, end_ns, status, status_text, unfinished, service,"
    " operation, agent, conversation, model, tool, input_tokens, output_tokens, cost, resource_id, scope_id,"
    " trace_state, attributes, events, links",
    "logs": "trace_id, span_id, time_ns, severity, severity_text, event_name, body, service, resource_id, scope_id,"
    " attributes",
    "points": "name, kind, unit, start_ns, time_ns, value, count, service, resource_id, scope_id, attributes, data",
}


def _insert(table: str) -> str:
    # Spans once only: a batch that was stored, but too late for its caller, may come again.
    columns = _COLUMNS[table]
    places = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 (our own names)


def _sum(column: str) -> str:
    added = f"{column} + ifnull(excluded.{column}, 0)"
    return f"{column} = CASE WHEN {column} IS NULL THEN excluded.{column} ELSE {added} END"


def _furthest(function: str, column: str) -> str:
    return f"{column} = {function}(ifnull({column}, excluded.{column}), ifnull(excluded.{column}, {column}))"


_IS_ROOT = (
    "traces.root_rank IS NULL OR (excluded.root_rank IS NOT NULL AND"
    " (excluded.root_rank, excluded.root_start_ns) < (traces.root_rank, traces.root_start_ns))"
)
_ADDED = ("spans", "errors", "unfinished", "logs", "bytes", "input_tokens", "output_tokens", "cost")
MERGE_TRACE = (
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

_FORK_SECONDS = 1.0
_CLOSE_SECONDS = 0.1


class Writer:
    """Writes batches to the store at ``path``, from any thread, one at a time."""

    def __init__(self, path: Path, max_bytes: int, keep: float = 0) -> None:
        self.path, self.max_bytes, self._keep = path, max_bytes, keep
        self._retention = Retention(path, max_bytes, keep)
        self._lock = allocate_lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._origins = Origins()
        self._said: set[str] = set()
        self._held = False
        self._inside = 0
        self._file: tuple[int, int] | None = None
        self._descriptors: dict[int, descriptors.Identity] = {}
        self._is_cut_off = False

    def write(self, table: str, fill: Callable[[Batch], Batch]) -> bool:
        """Store the rows that ``fill`` puts into a batch; False, and one warning, when they could not be stored."""
        if self._inside == get_ident():
            return False  # a warning of ours came back as a log record
        with self._lock:
            self._inside = get_ident()
            try:
                return bool(guard.call("store.write", self._write, table, fill, default=False))
            finally:
                self._inside = 0

    def close(self) -> None:
        """Close the connection; the next write opens it again."""
        # As the process leaves, the export thread may hold it for longer than there is time.
        if not self._lock.acquire(timeout=_CLOSE_SECONDS):
            return
        try:
            guard.call("store.close", self._close)
        finally:
            self._lock.release()

    def _write(self, table: str, fill: Callable[[Batch], Batch]) -> bool:
        for again in (True, False):
            try:
                connection = self._connect()
                self._store(connection, table, fill(Batch(self._origins)))
                self._retention.apply(connection)
            except (sqlite3.Error, OSError, schema.StoreError) as error:
                guard.call("store.close", self._close)
                if again and schema.is_corrupt(error) and self._move_broken():
                    continue
                self._say(str(error) if isinstance(error, schema.StoreError) else _reason(self.path, error))
                return False
            if not threading.main_thread().is_alive():
                # The interpreter ends, and nobody may come to close the file later: a connection left open is a
                # ResourceWarning on the agent's stderr (Python 3.13 with -X dev).
                guard.call("store.close", self._close)
            return True
        return False

    def _connect(self) -> sqlite3.Connection:
        if self._pid != getpid():
            self._leave_open()
            self._pid = getpid()
        if self._connection is not None and (_identity(self.path) != self._file or not self._has_descriptors()):
            self._close()  # the file was moved or removed; what is written to it would be lost
        if self._is_cut_off:
            raise schema.StoreError(f"telemetry is not stored: the agent closed the descriptors of {self.path}")
        if self._connection is None:
            with descriptors.high_numbers():
                self._connection = schema.open_writer(self.path, self.max_bytes)
            self._descriptors = descriptors.opened(f"{self.path}{ending}" for ending in ("", "-wal", "-shm"))
            self._file = _identity(self.path)
            self._origins = Origins()
            self._retention = Retention(self.path, self.max_bytes, self._keep)
        return self._connection

    def _leave_open(self) -> None:
        # A connection of the parent may neither be used nor closed by the child.
        if self._connection is not None:
            _LEFT_OPEN.append(self._connection)
            self._connection = None

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._is_any_taken():
            # SQLite would close, and lock, what is the agent's now; and for a second connection to the file as well.
            self._is_cut_off = True
            descriptors.keep_forever(connection)
        else:
            connection.close()

    def _has_descriptors(self) -> bool:
        """Whether the files are open under the numbers that SQLite knows."""
        return all(descriptors.identity(number) == known for number, known in self._descriptors.items())

    def _is_any_taken(self) -> bool:
        """Whether one of the numbers that SQLite knows leads somewhere else now."""
        return any(descriptors.identity(number) not in (known, None) for number, known in self._descriptors.items())

    def _store(self, connection: sqlite3.Connection, table: str, batch: Batch) -> None:
        if not batch.rows:
            return
        now = time.time_ns()
        with transaction(connection):
            connection.executemany(_SEE_RESOURCE, [(*row, now) for row in self._origins.resources.values()])
            connection.executemany(_SEE_SCOPE, self._origins.scopes.values())
            stored = connection.executemany(_insert(table), batch.rows).rowcount
            connection.executemany(MERGE_TRACE, [summary.row(now) for summary in batch.summaries.values()])
            if stored != len(batch.rows):
                _recount(connection, {trace_id for trace_id, _ in batch.summaries})
        self._origins.scopes.clear()
        self._origins.resources.clear()

    def _move_broken(self) -> bool:
        if self.path != location.own_path() and not schema.is_own(self.path):
            # A file of the user's that OBS_STORE_FILE names by mistake.
            return False
        try:
            new_path = schema.move_broken(self.path)
        except sqlite3.OperationalError:  # another process has been at it for too long
            return False
        if new_path is not None:
            guard.warn(f"the local store {self.path} was broken; it is now {new_path.name} and a new one is begun")
        # Another process may have been first; the file that is there now deserves one try either way.
        self._said.clear()
        return True

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            guard.warn(text)

    def before_fork(self) -> None:
        """Leave SQLite before this process forks: a child must not inherit a connection, nor a lock inside SQLite."""
        self._held = self._inside != get_ident() and self._lock.acquire(timeout=_FORK_SECONDS)
        if self._held:
            guard.call("store.close", self._close)

    def after_fork(self, *, child: bool) -> None:
        """Go on, in the parent and in the child."""
        if child:
            self._lock, self._inside = allocate_lock(), 0
            self._leave_open()
        elif self._held:
            self._lock.release()


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"telemetry is not stored: {path}: {error.strerror or error}"
    return f"telemetry is not stored: {path}: {error}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _recount(connection: sqlite3.Connection, trace_ids: set[str]) -> None:
    """Make the figures of traces again from their rows, after some of a batch were there already."""
    inside = ", ".join(f"'{name}'" for name in sorted(CONTAINERS))
    for trace_id in trace_ids:
        connection.execute(
            "UPDATE traces SET (spans, errors, unfinished, input_tokens, output_tokens, cost) = (SELECT count(*),"  # noqa: S608 (our own names)
            " ifnull(sum(status = 2), 0) + (SELECT count(*) FROM logs WHERE logs.trace_id = traces.trace_id AND"
            f" severity >= {ERROR_RECORD} AND ifnull(event_name, '') = ''), ifnull(sum(unfinished), 0),"
            " sum(CASE WHEN model_call THEN input_tokens END),"
            " sum(CASE WHEN model_call THEN output_tokens END), sum(CASE WHEN model_call THEN cost END) FROM (SELECT *,"
            f" ifnull(operation, '') NOT IN ({inside}) AS model_call FROM spans"
            " WHERE spans.trace_id = traces.trace_id)) WHERE trace_id = ?",
            (trace_id,),
        )


_LEFT_OPEN: list[Any] = []
_writers: dict[tuple[str, int, float], Writer] = {}


def writer(path: Path | str | None, max_bytes: int, keep: float = 0) -> Writer:
    """Return this process's writer to ``path``, by default the user's store; exporters of all signals share it."""
    store_path = absolute(path) if path else default_path()
    return _writers.setdefault((str(store_path), max_bytes, keep), Writer(store_path, max_bytes, keep))


def _each(call: Callable[[Writer], None]) -> None:
    for one in list(_writers.values()):
        guard.call("store.fork", call, one)


# What was opened before the interpreter's end; batches that come later close the file themselves.
atexit.register(lambda: _each(Writer.close))
fork.register(
    fork.FILES,
    "local store",
    before=lambda: _each(Writer.before_fork),
    in_parent=lambda: _each(lambda one: one.after_fork(child=False)),
    in_child=lambda: _each(lambda one: one.after_fork(child=True)),
)
