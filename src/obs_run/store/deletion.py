"""Traces that somebody wants gone, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.store import retention, schema
from obs_run.store.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_STEP = 500


def delete_traces(path: Path, trace_ids: Sequence[str], max_bytes: int) -> None:
    """Delete traces with their spans and log lines, and leave nothing of them in the file's free pages."""
    connection = schema.open_writer(path, max_bytes)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        for at in range(0, len(trace_ids), _STEP):
            with transaction(connection):
                retention.drop_traces(connection, [(each,) for each in trace_ids[at : at + _STEP]])
        retention.shrink(connection)
        # What was there is still in the write-ahead log, too.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
