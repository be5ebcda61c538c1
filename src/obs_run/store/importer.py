"""Takes records that were recorded before into a store, those that it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.store import schema
from obs_run.store.insert import COLUMNS, insert
from obs_run.store.rows import Batch, Origins
from obs_run.store.transactions import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from obs_run.store.rows import Row
    from obs_run.telemetry.otlp_records import Records


def _question(table: str, columns: Sequence[str]) -> str:
    return f"SELECT 1 FROM {table} WHERE {' AND '.join(f'{column} IS ?' for column in columns)}"  # noqa: S608 (our own names)


_IDENTITY = {
    "spans": ["trace_id", "span_id"],
    "logs": COLUMNS["logs"].split(", "),
    "points": COLUMNS["points"].split(", ")[:-1],
}
"""The columns, from the first, that make a row the same as another; a point's last one tells its shape."""
_SAME = {table: _question(table, columns) for table, columns in _IDENTITY.items()}


class Imported(NamedTuple):
    """How many records were taken in, and how many were there already."""

    spans: int
    logs: int
    points: int
    known: int


class Importer:
    """Writes to the store at ``path``; raises :class:`obs_run.store.schema.StoreError` if that cannot be one."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._connection = schema.open_writer(path, max_bytes)
        self._origins = Origins()

    def __enter__(self) -> Self:
        """Return the importer; leaving the block closes the file."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, records: Records) -> Imported:
        """Take in those of the records that the store has not."""
        with transaction(self._connection):
            spans = self._insert("spans", Batch.add_recorded_spans, records.spans)
            logs = self._insert("logs", Batch.add_recorded_logs, records.logs)
            points = self._insert("points", Batch.add_recorded_points, records.points)
        self._origins.clear_new()
        return Imported(spans, logs, points, len(records) - spans - logs - points)

    def _insert(self, table: str, add: Callable[[Batch, Sequence[Any]], Batch], records: Sequence[Any]) -> int:
        """Insert those of the records that are new, and return how many they are."""
        question, identity = _SAME[table], len(_IDENTITY[table])
        new: dict[Row, Any] = {}
        for record in records:
            (row,) = add(Batch(self._origins), [record]).rows
            same = row[:identity]
            if same not in new and self._connection.execute(question, same).fetchone() is None:
                new[same] = record
        insert(self._connection, table, add(Batch(self._origins), list(new.values())))
        return len(new)
