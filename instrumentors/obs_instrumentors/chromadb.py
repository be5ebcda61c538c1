"""Chroma's collections, sync and async, and the collections' keeping by its clients; embedded or behind HTTP.

A search that Chroma embeds itself holds the embedding's span inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation, Retrieval
    from obs_run.core.outcomes import Call

_SYSTEM = "chromadb"
_COUNT = 10
"""How many hits ``query`` and ``peek`` give where the agent does not say."""


def _at(operation: Operation, instance: Any) -> None:
    """Note the tenant and database, and the server where there is one."""
    tenant, database = payload.get(instance, "tenant"), payload.get(instance, "database")
    if payload.as_text(tenant) and payload.as_text(database):
        operation.__dict__["namespace"] = f"{tenant}|{database}"
    vector_stores.locate(operation, payload.coalesce(*(payload.get(instance, name, "_api_url") for name in _SERVERS)))


def _query(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    texts = _many(given.get("query_texts"))
    count = max(len(texts), _vectors(given.get("query_embeddings")), len(_many(given.get("query_images"))))
    operation = vector_stores.search(
        _SYSTEM,
        name,
        instance.name,
        top_k=payload.as_int(given.get("n_results", _COUNT)),
        batch_size=vector_stores.batch(count),
    )
    _at(operation, instance)
    if content.wanted():
        operation.query_text = "\n".join(text for text in texts if isinstance(text, str)) or None
    return operation


def _search(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    searches = _many(given.get("searches"))
    limits = {payload.get_int(each, "_limit", "limit") for each in searches}
    operation = vector_stores.search(
        _SYSTEM,
        name,
        instance.name,
        top_k=limits.pop() if len(limits) == 1 else None,
        batch_size=vector_stores.batch(len(searches)),
    )
    _at(operation, instance)
    if content.wanted():
        asked = [payload.get_text(each, "_rank", "query") for each in searches]
        operation.query_text = "\n".join(text for text in asked if text is not None) or None
    return operation


def _records(name: str, instance: Any, given: dict[str, Any]) -> DatabaseCall:
    batch = vector_stores.batch(given.get("ids"))
    operation = vector_stores.database_call(_SYSTEM, name, instance.name, batch_size=batch)
    _at(operation, instance)
    return operation


def _keeping(name: str, instance: Any, given: dict[str, Any]) -> DatabaseCall:
    operation = vector_stores.database_call(_SYSTEM, name, given.get("name"))
    _at(operation, instance)
    return operation


def _hits(operation: Retrieval, result: Any) -> None:
    columns = [payload.as_list(result.get(name)) for name in ("ids", "documents")]
    columns.append(payload.as_list(payload.coalesce(result.get("distances"), result.get("scores"))))
    hits: list[tuple[Any, Any, Any]] = []
    for number, ids in enumerate(columns[0]):
        documents, scores = (_row(column, number, len(ids)) for column in columns[1:])
        hits += zip(ids, scores, documents, strict=True)
    vector_stores.found(operation, hits, wanted=content.wanted())


def _row(column: list[Any], number: int, length: int) -> list[Any]:
    row = payload.as_list(column[number]) if number < len(column) else []
    return row if len(row) == length else [None] * length


def _got(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "ids"))


def _listed(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(result)


def _many(value: Any) -> list[Any]:
    return payload.as_list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def _vectors(value: Any) -> int:
    """Return how many vectors stand in one or many."""
    if value is None or not vector_stores.size(value):
        return 0
    return len(value) if hasattr(value[0], "__len__") else 1


def _own_telemetry(call: Call) -> None:
    """Say what Chroma's own tracing does where the agent's environment switches it on."""
    granularity = payload.get(call.argument(0, "system"), "settings", "chroma_otel_granularity")
    if granularity and granularity != "none":
        guard.warn_once(
            f"CHROMA_OTEL_GRANULARITY={granularity} makes Chroma install an OpenTelemetry tracer provider of its own; "
            "leave it unset to have Chroma's calls in obs-run's trace only"
        )


_SERVERS = ("_client", "_server")
_IDS = ("ids",)
_COLLECTION = {
    "query": Method(("query_embeddings", "query_texts", "query_images"), _query, _hits),
    "search": Method(("searches",), _search, _hits, optional=True),
    "get": Method(_IDS, _records, _got),
    "peek": Method((), _records, _got),
    **dict.fromkeys(("count", "modify"), Method((), _records)),
    **dict.fromkeys(("add", "upsert", "update", "delete"), Method(_IDS, _records)),
    "fork": Method((), _records, optional=True),
}
_CLIENT = {
    **dict.fromkeys(
        ("create_collection", "get_collection", "get_or_create_collection", "delete_collection"),
        Method(("name",), _keeping),
    ),
    "list_collections": Method((), _keeping, _listed),
    "count_collections": Method((), _keeping),
}

INSTRUMENTORS = (
    Instrumentor(
        "chromadb",
        "chromadb",
        ">=0.5.5,<2",
        (
            *vector_stores.targets("chromadb.api.models.Collection", "Collection", _COLLECTION),
            *vector_stores.targets(
                "chromadb.api.models.AsyncCollection", "AsyncCollection", _COLLECTION, streams.async_call
            ),
            *vector_stores.targets("chromadb.api.client", "Client", _CLIENT),
            *vector_stores.targets("chromadb.api.async_client", "AsyncClient", _CLIENT, streams.async_call),
            Target("chromadb.telemetry.opentelemetry", "OpenTelemetryClient.__init__", streams.call(_own_telemetry)),
        ),
        ("retrieval", "database calls"),
    ),
)
