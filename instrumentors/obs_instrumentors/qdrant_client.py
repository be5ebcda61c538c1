"""Qdrant's client, sync and async: its methods, whether the engine is embedded or behind REST or gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.operations import DatabaseCall, Operation, Retrieval

_SYSTEM = "qdrant"
_LIMIT = 10
"""How many hits Qdrant gives where the agent does not say."""


def _at(operation: Operation, instance: Any) -> None:
    client = payload.get(instance, "_client")
    if payload.get(client, "_prefer_grpc"):
        vector_stores.locate(operation, f"{client._host}:{client._grpc_port}")  # noqa: SLF001 (told nowhere else)
    else:
        vector_stores.locate(operation, payload.get(client, "rest_uri"))


def _search(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    limit = payload.as_int(given.get("limit", _LIMIT))
    operation = vector_stores.search(_SYSTEM, name, given.get("collection_name"), top_k=limit)
    _at(operation, instance)
    _asked(operation, [given.get("query")])
    return operation


def _searches(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    requests = payload.as_list(given.get("requests"))
    limits = {payload.as_int(payload.coalesce(payload.get(each, "limit"), _LIMIT)) for each in requests}
    operation = vector_stores.search(
        _SYSTEM,
        name,
        given.get("collection_name"),
        top_k=limits.pop() if len(limits) == 1 else None,
        batch_size=vector_stores.batch(requests),
    )
    _at(operation, instance)
    _asked(operation, [payload.get(each, "query") for each in requests])
    return operation


def _asked(operation: Retrieval, queries: list[Any]) -> None:
    """Note the texts and the model of queries that Qdrant or its client embeds."""
    asked = [payload.coalesce(payload.get(query, "nearest"), query) for query in queries]
    models = {payload.get_text(each, "model") for each in asked}
    operation.request_model = models.pop() if len(models) == 1 else None
    if content.wanted():
        texts = [payload.get_text(each, "text") for each in asked]
        operation.query_text = "\n".join(text for text in texts if text is not None) or None


def _hits(operation: Retrieval, result: Any) -> None:
    hits = [_hit(point) for point in _points(result)]
    vector_stores.found(operation, hits, wanted=content.wanted())


def _hit(point: Any) -> tuple[Any, Any, Any]:
    return payload.get(point, "id"), payload.get(point, "score"), payload.get(point, "payload")


def _points(result: Any) -> Iterable[Any]:
    """Yield the points of what any of the searches returned."""
    for part in payload.as_list(result) or [result]:
        told = payload.as_dict_or_self(part)
        nested = next((told[name] for name in _NESTS if name in told), None) if isinstance(told, dict) else part
        if nested is None:
            yield part
        elif nested:
            yield from _points(nested)


def _records(name: str, instance: Any, given: dict[str, Any]) -> DatabaseCall:
    given_records = payload.coalesce(*(given.get(name) for name in _RECORDS))
    batch = vector_stores.batch(_flat(given_records))
    operation = vector_stores.database_call(_SYSTEM, name, given.get("collection_name"), batch_size=batch)
    _at(operation, instance)
    return operation


def _flat(records: Any) -> Any:
    """Return the list of records that stands in one of Qdrant's selectors or batches."""
    listed = payload.coalesce(payload.get(records, "points"), payload.get(records, "ids"), records)
    inner = payload.get(records, "batch", "ids")
    return payload.coalesce(inner, None if payload.get(listed, "filter") is not None else listed)


def _listed(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(result[0] if isinstance(result, tuple) else result)


def _collections(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "collections"))


def _facets(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "hits"))


_NESTS = ("points", "groups", "hits")
_RECORDS = ("points", "points_selector", "ids", "records", "update_operations", "vectors")
_NAMED = ("collection_name",)
_WRITES = {
    **dict.fromkeys(("upsert", "update_vectors", "upload_points"), Method((*_NAMED, "points"), _records)),
    **dict.fromkeys(("create_payload_index", "delete_payload_index"), Method(_NAMED, _records)),
    "upload_records": Method((*_NAMED, "records"), _records, optional=True),
    "upload_collection": Method((*_NAMED, "vectors", "payload", "ids"), _records),
    "delete_vectors": Method((*_NAMED, "vectors_names", "points"), _records),
    **dict.fromkeys(("delete", "clear_payload"), Method((*_NAMED, "points_selector"), _records)),
    **dict.fromkeys(
        ("set_payload", "overwrite_payload", "delete_payload"), Method((*_NAMED, "payload_or_keys", "points"), _records)
    ),
    "batch_update_points": Method((*_NAMED, "update_operations"), _records),
}
_READS = {
    "retrieve": Method((*_NAMED, "ids"), _records, _listed),
    "scroll": Method(_NAMED, _records, _listed),
    "facet": Method(_NAMED, _records, _facets, optional=True),
    "get_collections": Method((), _records, _collections),
    **dict.fromkeys(
        (
            "count",
            "get_collection",
            "collection_exists",
            "create_collection",
            "recreate_collection",
            "update_collection",
            "delete_collection",
        ),
        Method(_NAMED, _records),
    ),
}
_QUERY = (*_NAMED, "query", "using", "prefetch", "query_filter", "search_params", "limit")
_OLD = (*_NAMED, "query_vector", "query_filter", "search_params", "limit")
_SEARCHES = {
    "query_points": Method(_QUERY, _search, _hits),
    "query_points_groups": Method((*_NAMED, "group_by", *_QUERY[1:]), _search, _hits, optional=True),
    "query_batch_points": Method((*_NAMED, "requests"), _searches, _hits),
    "search": Method(_OLD, _search, _hits, optional=True),
    "search_groups": Method(_NAMED, _search, _hits, optional=True),
    **dict.fromkeys(("recommend", "recommend_groups", "discover"), Method(_NAMED, _search, _hits, optional=True)),
    **dict.fromkeys(
        ("search_batch", "recommend_batch", "discover_batch"),
        Method((*_NAMED, "requests"), _searches, _hits, optional=True),
    ),
}
_METHODS = {**_SEARCHES, **_READS, **_WRITES}
_SYNC_ALWAYS = ("upload_points", "upload_collection", "upload_records")
"""Methods that the async client has as plain functions."""

INSTRUMENTORS = (
    Instrumentor(
        "qdrant_client",
        "qdrant-client",
        ">=1.13,<2",
        (
            *vector_stores.targets("qdrant_client.qdrant_client", "QdrantClient", _METHODS),
            *vector_stores.targets(
                "qdrant_client.async_qdrant_client",
                "AsyncQdrantClient",
                {name: one for name, one in _METHODS.items() if name not in _SYNC_ALWAYS},
                streams.async_call,
            ),
            *vector_stores.targets(
                "qdrant_client.async_qdrant_client",
                "AsyncQdrantClient",
                {name: one for name, one in _METHODS.items() if name in _SYNC_ALWAYS},
            ),
        ),
        ("retrieval", "database calls"),
    ),
)
