"""The tables of the local store, and how its file is opened, refused or put aside."""

from __future__ import annotations

import os
import sqlite3
from _sqlite3 import connect  # a mock of ``sqlite3.connect`` is not for us
from typing import TYPE_CHECKING

from obs_run.process.unpatched import getpid, time
from obs_run.store import permissions
from obs_run.store.transactions import BUSY_SECONDS, STEP_SECONDS, patiently, transaction
from obs_run.telemetry.reader import ReadError

if TYPE_CHECKING:
    from pathlib import Path

# "obsr": tells our file from another program's database.
APPLICATION_ID = 0x6F627372
_ID_AT = 68
"""Where SQLite keeps it in a file's header."""

# The file's user_version counts the steps that were applied to it. A released step is never changed.
STEPS: tuple[str, ...] = (
    """
    CREATE TABLE resources (
        id INTEGER PRIMARY KEY, service TEXT NOT NULL, seen_ns INTEGER NOT NULL, attributes TEXT NOT NULL);
    CREATE TABLE scopes (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT, attributes TEXT);
    CREATE TABLE traces (
        trace_id TEXT PRIMARY KEY, root_rank INTEGER, root_start_ns INTEGER, name TEXT, service TEXT,
        services TEXT NOT NULL, start_ns INTEGER, end_ns INTEGER, spans INTEGER NOT NULL, errors INTEGER NOT NULL,
        unfinished INTEGER NOT NULL, logs INTEGER NOT NULL, input_tokens INTEGER, output_tokens INTEGER, cost REAL,
        agent_input_tokens INTEGER, agent_output_tokens INTEGER, agent_cost REAL,
        bytes INTEGER NOT NULL, written_ns INTEGER NOT NULL);
    CREATE INDEX traces_by_start ON traces (start_ns);
    CREATE INDEX traces_by_end ON traces (end_ns);
    CREATE INDEX traces_by_writing ON traces (written_ns);
    CREATE TABLE spans (
        id INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, name TEXT NOT NULL,
        kind INTEGER NOT NULL, start_ns INTEGER, end_ns INTEGER, status INTEGER NOT NULL, status_text TEXT,
        unfinished INTEGER NOT NULL, service TEXT NOT NULL, operation TEXT, agent TEXT, conversation TEXT, model TEXT,
        tool TEXT, input_tokens INTEGER, output_tokens INTEGER, cost REAL, resource_id INTEGER NOT NULL,
        scope_id INTEGER, trace_state TEXT, attributes TEXT, events TEXT, links TEXT);
    CREATE UNIQUE INDEX spans_by_id ON spans (trace_id, span_id);
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY, trace_id TEXT, span_id TEXT, time_ns INTEGER NOT NULL, severity INTEGER,
        severity_text TEXT, event_name TEXT, body TEXT, service TEXT NOT NULL, resource_id INTEGER NOT NULL,
        scope_id INTEGER, attributes TEXT);
    CREATE INDEX logs_by_trace ON logs (trace_id) WHERE trace_id IS NOT NULL;
    CREATE INDEX logs_alone ON logs (time_ns) WHERE trace_id IS NULL;
    CREATE TABLE points (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT, start_ns INTEGER, time_ns INTEGER,
        value REAL, count INTEGER, service TEXT NOT NULL, resource_id INTEGER NOT NULL, scope_id INTEGER,
        attributes TEXT, data TEXT);
    CREATE INDEX points_by_time ON points (time_ns);
    """,
    # What is searched for, and what is added up; one span in three or so is a model call.
    """
    CREATE INDEX spans_by_model ON spans (model, trace_id, operation, status, input_tokens, output_tokens, cost)
        WHERE model IS NOT NULL;
    CREATE INDEX spans_by_agent ON spans (agent, trace_id) WHERE agent IS NOT NULL;
    CREATE INDEX spans_by_conversation ON spans (conversation, trace_id) WHERE conversation IS NOT NULL;
    CREATE INDEX spans_by_tool ON spans (tool, trace_id) WHERE tool IS NOT NULL;
    CREATE INDEX logs_by_time ON logs (time_ns);
    CREATE INDEX points_by_name ON points (name, time_ns)
    """,
)


class StoreError(ReadError):
    """The store cannot be used; the message is one line for the user."""


def open_writer(path: Path, max_bytes: int) -> sqlite3.Connection:
    """Return a connection that writes to the store at ``path``, made (folder 0700, file 0600) if it is not there."""
    permissions.prepare(path)
    _check_kind(path)
    connection = connect(path, timeout=STEP_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        patiently(lambda: _check(connection, path))
        permissions.close_to_others(path)
        patiently(lambda: _configure(connection, max_bytes))
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_kind(path: Path) -> None:
    """Refuse a device, a pipe or a folder, which SQLite would open, or wait for."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is not a file; set OBS_STORE_FILE to a file of its own, or OTEL_TRACES_EXPORTER=none")


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads the store at ``path``."""
    if not path.exists():
        raise StoreError(f"there is no local store at {path}; run an agent first: obs-run python agent.py")
    _check_kind(path)
    try:
        return patiently(lambda: _reading(path, "mode=ro"))
    except sqlite3.OperationalError as error:
        if os.access(path.parent, os.W_OK):
            raise StoreError(f"the local store at {path} cannot be read: {error}") from error
        # A folder that may not be written: SQLite cannot make -shm beside the file, so it has no writers either.
        return _reading(path, "mode=ro&immutable=1")
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the local store at {path} cannot be read: {error}") from error


def _reading(path: Path, how: str) -> sqlite3.Connection:
    connection = connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=STEP_SECONDS)
    try:
        version = _check(connection, path)
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    except BaseException:
        connection.close()
        raise
    if version:
        return connection
    connection.close()
    raise StoreError(f"the local store at {path} is empty; run an agent first: obs-run python agent.py")


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """Return the file's schema number; raise when the file is another program's or a newer obs-run's."""
    # One look: between two another process may make the tables, which then seem to be another program's.
    begins = not connection.in_transaction
    if begins:
        connection.execute("BEGIN")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
        filled = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
    finally:
        if begins:
            connection.execute("COMMIT")
    if owner != APPLICATION_ID and (owner or filled):
        raise StoreError(f"{path} is another program's database; set OBS_STORE_FILE to a file of its own")
    if version > len(STEPS):
        raise StoreError(
            f"the local store at {path} was written by a newer obs-run (schema {version}, this one reads up to "
            f"{len(STEPS)}); upgrade obs-run or set OBS_STORE_FILE"
        )
    return version


def _configure(connection: sqlite3.Connection, max_bytes: int) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    # Several processes that open a new file at once: the change to WAL answers "locked" without waiting.
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = NORMAL")
    page = int(connection.execute("PRAGMA page_size").fetchone()[0])
    pages = max(64, min(1000, max_bytes // 16 // page))
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    connection.execute(f"PRAGMA journal_size_limit = {pages * page}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if patiently(lambda: _check(connection, path)) == len(STEPS):
        return
    with transaction(connection):
        for step in STEPS[_check(connection, path) :]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")


def is_corrupt(error: Exception) -> bool:
    """Tell whether SQLite says that the file itself is broken (Python 3.10 gives no error code)."""
    return isinstance(error, sqlite3.DatabaseError) and (
        "malformed" in str(error) or "not a database" in str(error) or "unsupported file format" in str(error)
    )


def is_own(path: Path) -> bool:
    """Tell by its header whether a file, broken or not, is a local store."""
    with path.open("rb") as file:
        header = file.read(_ID_AT + 4)
    return header.startswith(b"SQLite format 3\0") and header[_ID_AT:] == APPLICATION_ID.to_bytes(4, "big")


def move_broken(path: Path) -> Path | None:
    """Rename a broken store and its -wal and -shm; return its new name, None when another process already did."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    new_path = path.with_name(f"{path.name}.broken-{stamp}-{getpid()}")
    with _Lock(path.parent):
        if not _still_broken(path):
            return None
        # The log goes first: left behind, it would be played into the new file.
        for ending in ("-wal", "-shm", ""):
            part = path.with_name(path.name + ending)
            new_part = new_path.with_name(new_path.name + ending)
            if part.exists():
                part.rename(new_part)
                new_part.chmod(permissions.FILE_MODE)
    return new_path


def _still_broken(path: Path) -> bool:
    try:
        connection = connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error:
        return False
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return is_corrupt(error)
    finally:
        connection.close()
    return answer is None or answer[0] != "ok"


class _Lock:
    """One process at a time, which others wait for so long and no longer.

    Held on the folder, because a lock file of its own would stay behind.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def __enter__(self) -> None:
        if os.name == "posix":
            self._descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                patiently(self._take)
            except BaseException:
                self.__exit__()
                raise

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _take(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise sqlite3.OperationalError(f"{self._folder} is locked") from None
