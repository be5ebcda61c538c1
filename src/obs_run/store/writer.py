"""One connection of this process to the store: transactions, fork, and what to do when it fails."""

from __future__ import annotations

import atexit
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.process import descriptors, fork
from obs_run.process.unpatched import allocate_lock, get_ident, getpid
from obs_run.store import location, schema
from obs_run.store.insert import insert
from obs_run.store.location import absolute, default_path
from obs_run.store.retention import Retention
from obs_run.store.rows import Batch, Origins
from obs_run.store.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
        with transaction(connection):
            insert(connection, table, batch)
        self._origins.clear_new()

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
