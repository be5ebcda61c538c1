"""``obsctl sql``: a query of the local store, which it can only read."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run.cli import selection, tables, terminal, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.tables import Column, Row
from obs_run.store import schema
from obs_run.store.location import default_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_DESCRIBING = frozenset({"table_info", "table_xinfo", "table_list", "index_list", "index_info"})
"""Pragmas that only tell of tables."""
_TABLES = (
    "SELECT tables.name AS 'table', columns.name AS 'column', columns.type AS 'type'"
    " FROM sqlite_master tables, pragma_table_info(tables.name) columns WHERE tables.type = 'table'"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("query", nargs="?", metavar="QUERY", help="what SQLite is asked; - for stdin, none: the tables")
    parser.add_argument("-n", dest="limit", type=int, default=1000, metavar="N", help="at most so many rows (1000)")
    selection.json_argument(parser)
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the rows."""
    if args.limit < 1:
        raise Mistake("-n takes a number from 1")
    query = sys.stdin.read() if args.query == "-" else args.query
    if query is not None and not query.strip():
        raise Mistake('there is no query; write obsctl sql "SELECT ..."')
    try:
        connection = _open(args)
        if query is not None:
            connection.set_authorizer(_authorize)
    except schema.StoreError as error:
        return selection.nothing(str(error))
    try:
        names, rows = _answer(connection, query or _TABLES, args.limit + 1)
    except sqlite3.Error as error:
        raise Mistake(_told(error)) from None
    finally:
        connection.close()
    if not rows:
        return selection.nothing("the query has no rows")
    shown = rows[: args.limit]
    if args.json:
        selection.print_json(dict(zip(names, row, strict=True)) for row in shown)
    else:
        columns = [Column(name, weight=at, is_cut=True) for at, name in enumerate(names)]
        tables.print_table(columns, [Row(tuple(map(_text, row))) for row in shown])
    if len(rows) > args.limit:
        print(f"obsctl: these are the first {args.limit} rows; -n has more", file=sys.stderr)
    return 0


def _open(args: argparse.Namespace) -> sqlite3.Connection:
    place = args.store
    if place is None:
        # Have what agents wrote until now taken in.
        with terminal.open_store(None):
            place = default_path()
    elif isinstance(place, str):
        if not _is_database(Path(place)):
            raise Mistake("sql reads a local store alone; see obsctl import")
        place = Path(place)
    return schema.open_reader(place)


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def _authorize(action: int, first: str | None, *_: Any) -> int:
    # A read-only connection may still attach a file and write to that.
    if action in _READING or (action == sqlite3.SQLITE_PRAGMA and first in _DESCRIBING):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _answer(connection: sqlite3.Connection, query: str, most: int) -> tuple[list[str], Sequence[tuple[Any, ...]]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    counts: dict[str, int] = {}
    for at, name in enumerate(names):
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            names[at] = f"{name}_{counts[name]}"
    return names, cursor.fetchmany(most)


def _told(error: sqlite3.Error) -> str:
    if "not authorized" in str(error) or "prohibited" in str(error):
        return "sql only reads the store: one SELECT"
    return words.one_line(f"SQLite says: {error}")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
