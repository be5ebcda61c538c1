"""Chroma's collections, sync and async, and the collections' keeping by its clients; embedded or behind HTTP.

A search that Chroma embeds itself holds the embedding's span inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_store_address
from obs_run.base import guard, payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation, Retrieval
    from obs_run.core.outcomes import Call

_SYSTEM = "chromadb"
_DEFAULT_COUNT = 10
"""How many hits ``query`` and ``peek`` give where the agent does not say."""


def _read_address(operation: Operation, instance: Any) -> None:
    """Note the tenant and database, and the server where there is one."""
    tenant = payload.get_text(instance, "tenant")
    database = payload.get_text(instance, "database")
    if tenant is not None and database is not None:
        operation.__dict__["namespace"] = f"{tenant}|{database}"
    # A collection has a client, a client has a server.
    url = payload.coalesce(payload.get(instance, "_client", "_api_url"), payload.get(instance, "_server", "_api_url"))
    read_store_address(operation, url)


def _parse_query(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    texts = _as_many(arguments.get("query_texts"))
    # One of the three is given.
    count = max(
        len(texts),
        _vector_count(arguments.get("query_embeddings")),
        len(_as_many(arguments.get("query_images"))),
    )
    operation = vector_stores.search(
        _SYSTEM,
        name,
        instance.name,
        top_k=payload.as_int(arguments.get("n_results", _DEFAULT_COUNT)),
        batch_size=vector_stores.batch(count),
    )
    _read_address(operation, instance)
    if content.wanted():
        operation.query_text = "\n".join(text for text in texts if isinstance(text, str)) or None
    return operation


def _parse_search(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    searches = _as_many(arguments.get("searches"))
    limits = {payload.get_int(search, "_limit", "limit") for search in searches}
    operation = vector_stores.search(
        _SYSTEM,
        name,
        instance.name,
        top_k=limits.pop() if len(limits) == 1 else None,
        batch_size=vector_stores.batch(len(searches)),
    )
    _read_address(operation, instance)
    if content.wanted():
        texts = [payload.get_text(search, "_rank", "query") for search in searches]
        operation.query_text = "\n".join(text for text in texts if text is not None) or None
    return operation


def _parse_records(name: str, instance: Any, arguments: dict[str, Any]) -> DatabaseCall:
    batch = vector_stores.batch(arguments.get("ids"))
    operation = vector_stores.database_call(_SYSTEM, name, instance.name, batch_size=batch)
    _read_address(operation, instance)
    return operation


def _parse_collection_call(name: str, instance: Any, arguments: dict[str, Any]) -> DatabaseCall:
    operation = vector_stores.database_call(_SYSTEM, name, arguments.get("name"))
    _read_address(operation, instance)
    return operation


def _read_hits(operation: Retrieval, result: Any) -> None:
    """Read a QueryResult or SearchResult: columns with a row for each query."""
    documents = payload.as_list(result.get("documents"))
    # Queries tell distances, searches scores.
    scores = payload.as_list(payload.coalesce(result.get("distances"), result.get("scores")))
    hits: list[tuple[Any, Any, Any]] = []
    for number, ids in enumerate(payload.as_list(result.get("ids"))):
        row_scores = _row(scores, number, len(ids))
        row_documents = _row(documents, number, len(ids))
        hits += zip(ids, row_scores, row_documents, strict=True)
    vector_stores.found(operation, hits, wanted=content.wanted())


def _row(column: list[Any], number: int, length: int) -> list[Any]:
    """Return a row of a column; one of nothing where the agent did not ask for this column."""
    row: list[Any] = []
    if number < len(column):
        row = payload.as_list(column[number])
    return row if len(row) == length else [None] * length


def _read_records(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "ids"))


def _read_list(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(result)


def _as_many(value: Any) -> list[Any]:
    """Return one or many as a list."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]


def _vector_count(value: Any) -> int:
    """Return how many vectors stand in one or many."""
    if value is None or not vector_stores.size(value):
        return 0
    is_many = hasattr(value[0], "__len__")
    return len(value) if is_many else 1


def _own_telemetry(call: Call) -> None:
    """Say what Chroma's own tracing does where the agent's environment switches it on."""
    granularity = payload.get(call.argument(0, "system"), "settings", "chroma_otel_granularity")
    if granularity and granularity != "none":
        guard.warn_once(
            f"CHROMA_OTEL_GRANULARITY={granularity} makes Chroma install an OpenTelemetry tracer provider of its own; "
            "leave it unset to have Chroma's calls in obs-run's trace only"
        )


_IDS = ("ids",)
_COLLECTION = {
    "query": Method(("query_embeddings", "query_texts", "query_images"), _parse_query, _read_hits),
    "search": Method(("searches",), _parse_search, _read_hits, optional=True),
    "get": Method(_IDS, _parse_records, _read_records),
    "peek": Method((), _parse_records, _read_records),
    **dict.fromkeys(("count", "modify"), Method((), _parse_records)),
    **dict.fromkeys(("add", "upsert", "update", "delete"), Method(_IDS, _parse_records)),
    "fork": Method((), _parse_records, optional=True),
}
_CLIENT = {
    **dict.fromkeys(
        ("create_collection", "get_collection", "get_or_create_collection", "delete_collection"),
        Method(("name",), _parse_collection_call),
    ),
    "list_collections": Method((), _parse_collection_call, _read_list),
    "count_collections": Method((), _parse_collection_call),
}

INSTRUMENTORS = (
    Instrumentor(
        "chromadb",
        "chromadb",
        ">=0.5.5,<2",
        (
            *vector_stores.targets("chromadb.api.models.Collection", "Collection", _COLLECTION),
            *vector_stores.targets(
                "chromadb.api.models.AsyncCollection", "AsyncCollection", _COLLECTION, streams.wrap_async_call
            ),
            *vector_stores.targets("chromadb.api.client", "Client", _CLIENT),
            *vector_stores.targets("chromadb.api.async_client", "AsyncClient", _CLIENT, streams.wrap_async_call),
            Target(
                "chromadb.telemetry.opentelemetry", "OpenTelemetryClient.__init__", streams.wrap_call(_own_telemetry)
            ),
        ),
        ("retrieval", "database calls"),
    ),
)
