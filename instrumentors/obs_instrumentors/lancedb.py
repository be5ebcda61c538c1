"""LanceDB's tables and queries, sync and async, embedded and remote.

Queries are lazy: what is recorded is the reading of the results. The sync classes run the async ones on a loop of their
own in the context of the caller, and a hybrid query its two halves in threads: one span for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Retrieval
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.operations import DatabaseCall, Operation

_SYSTEM = "lancedb"
_SCORES = ("_relevance_score", "_distance", "_score")


def _parse_query(_: str, query: Any, __: dict[str, Any]) -> Operation:
    """Return the search or scan that a query of the sync or the async API means."""
    kind = type(query).__name__
    name = payload.get(query, "_table", "name")
    if kind in ("LanceTakeQueryBuilder", "AsyncTakeQuery"):
        return vector_stores.database_call(_SYSTEM, "take", name)
    if kind in ("LanceEmptyQueryBuilder", "AsyncQuery"):
        return vector_stores.database_call(_SYSTEM, "query", name)
    operation = vector_stores.search(_SYSTEM, "search", name, top_k=_limit(query))
    if content.wanted():
        operation.query_text = _text(query)
    return operation


def _limit(query: Any) -> int | None:
    if hasattr(query, "_limit"):
        return payload.as_int(query._limit)  # noqa: SLF001 (the builder tells it nowhere else)
    # The async classes stand around one of Rust's, which tells its limit itself or in its request.
    native = payload.get(query, "_inner")
    if hasattr(native, "get_limit"):
        return payload.as_int(native.get_limit())
    return payload.as_int(native.to_query_request().limit)


def _text(query: Any) -> str | None:
    """Return the text that is searched for, as each kind of query keeps it."""
    native = payload.get(query, "_inner")
    if hasattr(native, "to_fts_query"):
        # Of a hybrid query, the half that searches for a text.
        native = native.to_fts_query()
    if hasattr(native, "get_query"):
        return payload.as_text(native.get_query())
    for name in ("_text", "_str_query", "_query_string", "_query"):
        value = payload.get(query, name)
        text = payload.as_text(payload.coalesce(payload.as_text(value), payload.get(value, "query")))
        if text is not None:
            return text
    return None


def _read_rows(operation: Retrieval | DatabaseCall, result: Any) -> None:
    """Read an Arrow table; a reader of batches tells nothing before the agent reads it."""
    columns = payload.get(result, "column_names")
    if columns is None or not hasattr(result, "num_rows"):
        return
    score_column = next((name for name in _SCORES if name in columns), None)
    if score_column is None or not isinstance(operation, Retrieval):
        operation.returned = result.num_rows
        return
    scores = result[score_column].to_pylist()
    wanted = content.wanted()
    rows: list[Any] = [None] * len(scores)
    if wanted:
        rows = result.select(_readable_columns(result)).to_pylist()
    hits = [(_id(row), score, row) for row, score in zip(rows, scores, strict=True)]
    vector_stores.found(operation, hits, wanted=wanted)


def _id(row: Any) -> Any:
    return payload.coalesce(payload.get(row, "id"), payload.get(row, "_rowid"))


def _readable_columns(table: Any) -> list[str]:
    """Return the columns that are neither vectors nor figures of the search."""
    columns = [column for column in table.schema if "list" not in str(column.type)]
    return [column.name for column in columns if column.name not in _SCORES]


def _parse_write(name: str, table: Any, arguments: dict[str, Any]) -> DatabaseCall:
    batch_size = vector_stores.batch(arguments.get("data"))
    return vector_stores.database_call(_SYSTEM, _NAMES.get(name, name), table.name, batch_size=batch_size)


_NAMES = {"_do_merge": "merge_insert"}
_TABLE = {
    "add": Method(("data",), _parse_write),
    "_do_merge": Method(("merge", "data"), _parse_write),
    **dict.fromkeys(("delete", "update", "create_index", "count_rows", "optimize"), Method((), _parse_write)),
    **dict.fromkeys(("create_fts_index", "create_scalar_index"), Method((), _parse_write, optional=True)),
}
_READ = {name: Method((), _parse_query, _read_rows) for name in ("to_arrow", "to_batches")}
_BATCHES = {"to_batches": _READ["to_batches"]}
_BUILDERS = ("LanceVectorQueryBuilder", "LanceFtsQueryBuilder", "LanceEmptyQueryBuilder", "LanceHybridQueryBuilder")
_QUERIES = ("AsyncFTSQuery", "AsyncVectorQuery", "AsyncHybridQuery")


def _query_targets() -> Iterator[Target]:
    for name in _BUILDERS:
        yield from vector_stores.targets("lancedb.query", name, _READ)
    yield from vector_stores.targets("lancedb.query", "AsyncQueryBase", _READ, streams.wrap_async_call)
    for name in _QUERIES:
        # These have a method of their own in the place of the base's.
        yield from vector_stores.targets("lancedb.query", name, _BATCHES, streams.wrap_async_call)


INSTRUMENTORS = (
    Instrumentor(
        "lancedb",
        "lancedb",
        ">=0.34,<1",
        (
            *vector_stores.targets("lancedb.table", "LanceTable", _TABLE),
            *vector_stores.targets("lancedb.table", "AsyncTable", _TABLE, streams.wrap_async_call),
            *vector_stores.targets("lancedb.remote.table", "RemoteTable", _TABLE),
            *_query_targets(),
            Target("lancedb.query", "ThreadPoolExecutor", vector_stores.executor),
        ),
        ("retrieval", "database calls"),
    ),
)
