"""Writing to the local store, all or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from obs_run.process import exit_sequence
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


BUSY_SECONDS = 10.0
STEP_SECONDS = 0.1
"""How long SQLite itself waits for a lock: in its hands nobody can call the wait off."""
_PAUSE = 0.01


def patiently(step: Callable[[], T]) -> T:
    """Do ``step`` again while another process holds the file locked, for some seconds, and not past the exit."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return step()
        except sqlite3.OperationalError as error:
            is_busy = "locked" in str(error)
            if not is_busy or time.monotonic() > deadline or exit_sequence.is_late():
                raise
        time.sleep(_PAUSE)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write for the length of the block, all or nothing."""
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # The failure is what the caller has to see, not what becomes of the rollback.
        with suppress(sqlite3.Error):
            connection.rollback()
        raise
