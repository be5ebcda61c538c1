"""LanceDB's tables and queries, sync and async, embedded and remote.

Queries are lazy: what is recorded is the reading of the results. The sync classes run the async ones on a loop of their
own in the context of the caller, and a hybrid query its two halves in threads: one span for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation, Retrieval

_SYSTEM = "lancedb"
_SCORES = ("_relevance_score", "_distance", "_score")


def _query(_: str, query: Any, __: dict[str, Any]) -> Operation:
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
    native = payload.get(query, "_inner")
    if hasattr(native, "get_limit"):
        return payload.as_int(native.get_limit())
    return payload.as_int(native.to_query_request().limit)


def _text(query: Any) -> str | None:
    """Return the text that is searched for, as each kind of query keeps it."""
    native = payload.get(query, "_inner")
    half = native.to_fts_query() if hasattr(native, "to_fts_query") else native
    if hasattr(half, "get_query"):
        return payload.as_text(half.get_query())
    for name in ("_text", "_str_query", "_query_string", "_query"):
        value = payload.get(query, name)
        text = payload.as_text(payload.coalesce(payload.as_text(value), payload.get(value, "query")))
        if text is not None:
            return text
    return None


def _rows(operation: Retrieval | DatabaseCall, result: Any) -> None:
    """Read an Arrow table; a reader of batches tells nothing before the agent reads it."""
    columns = payload.get(result, "column_names")
    if columns is None or not hasattr(result, "num_rows"):
        return
    score = next((name for name in _SCORES if name in columns), None)
    if score is None or "documents" not in operation.__dict__:
        operation.returned = result.num_rows
        return
    scores = result[score].to_pylist()
    wanted = content.wanted()
    rows = result.select(_told(result)).to_pylist() if wanted else [None] * len(scores)
    vector_stores.found(
        operation, [(_id(row), each, row) for row, each in zip(rows, scores, strict=True)], wanted=wanted
    )


def _id(row: Any) -> Any:
    return payload.coalesce(payload.get(row, "id"), payload.get(row, "_rowid"))


def _told(table: Any) -> list[str]:
    """Return the columns that are neither vectors nor figures of the search."""
    return [each.name for each in table.schema if "list" not in str(each.type) and each.name not in _SCORES]


def _write(name: str, table: Any, given: dict[str, Any]) -> DatabaseCall:
    return vector_stores.database_call(
        _SYSTEM, _NAMES.get(name, name), table.name, batch_size=vector_stores.batch(given.get("data"))
    )


_NAMES = {"_do_merge": "merge_insert"}
_TABLE = {
    "add": Method(("data",), _write),
    "_do_merge": Method(("merge", "data"), _write),
    **dict.fromkeys(("delete", "update", "create_index", "count_rows", "optimize"), Method((), _write)),
    **dict.fromkeys(("create_fts_index", "create_scalar_index"), Method((), _write, optional=True)),
}
_READ = {name: Method((), _query, _rows) for name in ("to_arrow", "to_batches")}
_BATCHES = {"to_batches": _READ["to_batches"]}
_BUILDERS = ("LanceVectorQueryBuilder", "LanceFtsQueryBuilder", "LanceEmptyQueryBuilder", "LanceHybridQueryBuilder")
_QUERIES = ("AsyncFTSQuery", "AsyncVectorQuery", "AsyncHybridQuery")

INSTRUMENTORS = (
    Instrumentor(
        "lancedb",
        "lancedb",
        ">=0.34,<1",
        (
            *vector_stores.targets("lancedb.table", "LanceTable", _TABLE),
            *vector_stores.targets("lancedb.table", "AsyncTable", _TABLE, streams.async_call),
            *vector_stores.targets("lancedb.remote.table", "RemoteTable", _TABLE),
            *(each for name in _BUILDERS for each in vector_stores.targets("lancedb.query", name, _READ)),
            *vector_stores.targets("lancedb.query", "AsyncQueryBase", _READ, streams.async_call),
            *(
                each
                for name in _QUERIES
                for each in vector_stores.targets("lancedb.query", name, _BATCHES, streams.async_call)
            ),
            Target("lancedb.query", "ThreadPoolExecutor", vector_stores.executor),
        ),
        ("retrieval", "database calls"),
    ),
)
