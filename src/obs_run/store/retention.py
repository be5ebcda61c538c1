"""What leaves the store: the oldest traces when it grows too large, and every trace at a certain age.

Done by whoever writes, in steps that hold an export thread up for a moment only; several processes may do it at once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from glob import escape
from typing import TYPE_CHECKING

from obs_run.process.unpatched import time
from obs_run.store.transactions import transaction

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

# Kept free below the bound, so that one batch and the write-ahead log fit above it.
_HIGH = 0.85
_PRUNE_BYTES = 16 * 1024**2
_PRUNE_ROUNDS = 8
_SECONDS_BETWEEN_LOOKS = 300.0
_SECONDS_BETWEEN_STEPS = 0.5
_STEP_BYTES = 4 * 1024**2
_STEP_TRACES = 500
_STEP_ROWS = 4000
_STEP_PAGES = 2048
_MOST_LOG_BYTES = 64 * 1024**2
_LEAST_LOG_BYTES = 8 * 1024**2
"""Above what SQLite lets the write-ahead log grow to by itself."""
_KEPT_FREE = 16  # one page of so many may wait to be used again
_FUTURE_NS = 86400 * 10**9  # clocks differ; what is more than a day ahead was never now
_UNTRACED = (("logs", "trace_id IS NULL AND "), ("points", ""))


class Retention:
    """Keeps one process's view of the store at ``max_bytes``, and its traces at ``keep`` seconds (0: at no age)."""

    def __init__(self, path: Path, max_bytes: int, keep: float) -> None:
        self._path, self._max_bytes, self._keep = path, max_bytes, keep
        self._look_at = self._next_log = 0.0
        self._log_path = f"{path}-wal"
        self._most_log_bytes = min(_MOST_LOG_BYTES, max(_LEAST_LOG_BYTES, max_bytes // 8))
        self._began = time.time_ns(), time.monotonic_ns()

    def apply(self, connection: sqlite3.Connection) -> None:
        """Remove what is too much now, and at times a step of what is too old."""
        self._by_size(connection)
        self._keep_log_short(connection)
        if self._keep and time.monotonic() >= self._look_at:
            done = self._by_age(connection)
            self._look_at = time.monotonic() + (_SECONDS_BETWEEN_LOOKS if done else _SECONDS_BETWEEN_STEPS)

    def _by_size(self, connection: sqlite3.Connection) -> None:
        target = int(self._max_bytes * _HIGH)
        for _ in range(_PRUNE_ROUNDS):
            excess = _used(connection) - target
            if excess <= 0:
                break
            with transaction(connection):
                # Asked again inside the transaction: another process may just have done it. Only half of much is
                # dropped in one go, because what a trace takes in the file is an estimate.
                excess = _used(connection) - target
                if excess > 0:
                    _drop_oldest(connection, min(max(excess // 2, target // 50), _PRUNE_BYTES))
            surplus = _pages(connection) - int(self._max_bytes * (_HIGH + 1) / 2) // _pragma(connection, "page_size")
            _give_back(connection, surplus)

    def _keep_log_short(self, connection: sqlite3.Connection) -> None:
        """Begin the write-ahead log anew where there was always a reader to keep SQLite from doing so."""
        try:
            size = os.stat(self._log_path).st_size  # noqa: PTH116 (quicker, and done with each batch)
        except OSError:
            return
        if size > self._most_log_bytes and time.monotonic() >= self._next_log:
            # It waits for readers for as long as the connection waits for a lock, and gives up then.
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._next_log = time.monotonic() + (_SECONDS_BETWEEN_STEPS if busy else 0)

    def _by_age(self, connection: sqlite3.Connection) -> bool:
        """Remove a step of what is older than it may be; True if nothing more of it is left."""
        now = self._now()
        before = now - int(self._keep * 10**9)
        _delete_broken(self._path, before)
        if not _is_due(connection, before, now):
            return shrink(connection)
        # What is deleted is meant to be gone, not to wait in a free page of the file.
        connection.execute("PRAGMA secure_delete = ON")
        try:
            with transaction(connection):
                done = _drop_aged(connection, before, now)
        finally:
            connection.execute("PRAGMA secure_delete = OFF")
        return shrink(connection) and done

    def _now(self) -> int:
        """Return the time of the clock, less any leap that it made forward meanwhile: that would delete everything."""
        wall, steady = self._began
        return min(time.time_ns(), wall + time.monotonic_ns() - steady)


def aged(connection: sqlite3.Connection, keep: float) -> int:
    """Return how many traces are older than ``keep`` seconds."""
    now = time.time_ns()
    question = f"SELECT count(*) FROM traces WHERE {_AGED}"  # noqa: S608 (our own names)
    return int(connection.execute(question, _times(now - int(keep * 10**9), now)).fetchone()[0])


# A trace's age is that of its newest record. A record from the future tells nothing, so that the writing of the trace
# counts; what was written in the future, too, is dated anew when it is first met.
_AGED = "(end_ns < :before OR (end_ns > :future AND written_ns < :before) OR (end_ns IS NULL AND written_ns < :before))"


def _times(before: int, now: int) -> dict[str, int]:
    return {"before": before, "future": now + _FUTURE_NS, "now": now}


def _delete_broken(path: Path, before: int) -> None:
    """Delete stores that were put aside broken, at the same age: they hold telemetry too."""
    for broken in path.parent.glob(f"{escape(path.name)}.broken-*"):
        with suppress(OSError):
            if broken.stat().st_mtime_ns < before:
                broken.unlink()


def _is_due(connection: sqlite3.Connection, before: int, now: int) -> bool:
    times = _times(before, now)
    questions = [
        f"SELECT 1 FROM traces WHERE {_AGED} LIMIT 1",  # noqa: S608 (our own names)
        "SELECT 1 FROM traces WHERE end_ns > :future AND written_ns > :future LIMIT 1",
        *(f"SELECT 1 FROM {table} WHERE {condition}time_ns < :before LIMIT 1" for table, condition in _UNTRACED),  # noqa: S608 (our own names)
    ]
    return any(connection.execute(question, times).fetchone() for question in questions)


def _drop_aged(connection: sqlite3.Connection, before: int, now: int) -> bool:
    times = _times(before, now)
    # traces_by_end finds the few of them.
    connection.execute("UPDATE traces SET written_ns = :now WHERE end_ns > :future AND written_ns > :future", times)
    ids: list[tuple[str]] = []
    size = 0
    done = True
    aged_ones = f"SELECT trace_id, bytes FROM traces WHERE {_AGED} ORDER BY end_ns LIMIT {_STEP_TRACES + 1}"  # noqa: S608 (our own names)
    for trace_id, bytes_ in connection.execute(aged_ones, times):
        if ids and (size >= _STEP_BYTES or len(ids) == _STEP_TRACES):
            done = False
            break
        ids.append((trace_id,))
        size += bytes_
    drop_traces(connection, ids)
    for table, condition in _UNTRACED:
        done &= _drop_rows(connection, table, condition, times)
    _drop_unused(connection)
    return done


def _drop_rows(connection: sqlite3.Connection, table: str, condition: str, times: dict[str, int]) -> bool:
    """Remove a step of old rows of no trace, and those from the future that were written before them."""
    newest = connection.execute(
        f"SELECT count(*), max(id) FROM (SELECT id FROM {table} WHERE {condition}time_ns < :before LIMIT {_STEP_ROWS})",  # noqa: S608 (our own names)
        times,
    ).fetchone()
    if not newest[0]:
        return True
    old = f"SELECT id FROM {table} WHERE {condition}time_ns < :before LIMIT {_STEP_ROWS}"  # noqa: S608 (our own names)
    connection.execute(f"DELETE FROM {table} WHERE id IN ({old})", times)  # noqa: S608 (our own names)
    future = f"SELECT id FROM {table} WHERE {condition}time_ns > :future AND id < :newest LIMIT {_STEP_ROWS}"  # noqa: S608 (our own names)
    connection.execute(f"DELETE FROM {table} WHERE id IN ({future})", {**times, "newest": newest[1]})  # noqa: S608 (our own names)
    return bool(newest[0] < _STEP_ROWS)


def _drop_oldest(connection: sqlite3.Connection, excess: int) -> None:
    """Remove the traces that ended first, about ``excess`` bytes of them, and what is as old and of no trace."""
    ids: list[tuple[str]] = []
    until, freed = 0, 0
    for trace_id, end, size in connection.execute("SELECT trace_id, end_ns, bytes FROM traces ORDER BY end_ns"):
        if freed >= excess:
            break
        ids.append((trace_id,))
        until, freed = end or 0, freed + size
    drop_traces(connection, ids)
    gone = connection.execute("DELETE FROM logs WHERE trace_id IS NULL AND time_ns <= ?", (until,)).rowcount
    gone += connection.execute("DELETE FROM points WHERE time_ns <= ?", (until,)).rowcount
    if freed < excess and not gone:
        # No trace is left that could go: logs and points of no trace fill the file, and half of them goes.
        for table, where in (("logs", "WHERE trace_id IS NULL"), ("points", "")):
            middle = f"SELECT (min(id) + max(id)) / 2 FROM {table} {where}"  # noqa: S608 (our own names)
            connection.execute(
                f"DELETE FROM {table} {where or 'WHERE true'} AND id <= ({middle})"  # noqa: S608 (our own names)
            )
    _drop_unused(connection)


def drop_traces(connection: sqlite3.Connection, ids: list[tuple[str]]) -> None:
    """Delete traces with their spans and log lines."""
    for table in ("spans", "logs", "traces"):
        connection.executemany(f"DELETE FROM {table} WHERE trace_id = ?", ids)  # noqa: S608 (our own names)


def _drop_unused(connection: sqlite3.Connection) -> None:
    # A resource was seen when the first and when the last row of it was written.
    connection.execute(
        "DELETE FROM resources WHERE seen_ns < (SELECT min(oldest) FROM (SELECT min(written_ns) AS oldest FROM traces"
        " UNION ALL SELECT min(time_ns) FROM points UNION ALL SELECT min(time_ns) FROM logs WHERE trace_id IS NULL))"
    )


def shrink(connection: sqlite3.Connection) -> bool:
    """Give a step of free pages back to the system; True if few are left."""
    free = _pragma(connection, "freelist_count")
    surplus = free - _pages(connection) // _KEPT_FREE
    _give_back(connection, min(surplus, _STEP_PAGES))
    return surplus <= _STEP_PAGES


def _give_back(connection: sqlite3.Connection, pages: int) -> None:
    if pages > 0:
        # Not execute, which would take one step, and that is one page.
        connection.executescript(f"PRAGMA incremental_vacuum({pages})")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _pages(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "page_count")


def _used(connection: sqlite3.Connection) -> int:
    return (_pages(connection) - _pragma(connection, "freelist_count")) * _pragma(connection, "page_size")
