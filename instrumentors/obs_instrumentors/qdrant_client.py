"""Qdrant's client, sync and async: its methods, whether the engine is embedded or behind REST or gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_store_address
from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.operations import DatabaseCall, Operation, Retrieval

_SYSTEM = "qdrant"
_DEFAULT_LIMIT = 10
"""How many hits Qdrant gives where the agent does not say."""


def _read_address(operation: Operation, instance: Any) -> None:
    client = payload.get(instance, "_client")
    if payload.get(client, "_prefer_grpc"):
        read_store_address(operation, f"{client._host}:{client._grpc_port}")  # noqa: SLF001 (there is no public way)
    else:
        read_store_address(operation, payload.get(client, "rest_uri"))


def _parse_search(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    limit = payload.as_int(arguments.get("limit", _DEFAULT_LIMIT))
    operation = vector_stores.search(_SYSTEM, name, arguments.get("collection_name"), top_k=limit)
    _read_address(operation, instance)
    _read_queries(operation, [arguments.get("query")])
    return operation


def _parse_searches(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    requests = payload.as_list(arguments.get("requests"))
    limits = {payload.as_int(payload.coalesce(payload.get(request, "limit"), _DEFAULT_LIMIT)) for request in requests}
    operation = vector_stores.search(
        _SYSTEM,
        name,
        arguments.get("collection_name"),
        top_k=limits.pop() if len(limits) == 1 else None,
        batch_size=vector_stores.batch(requests),
    )
    _read_address(operation, instance)
    _read_queries(operation, [payload.get(request, "query") for request in requests])
    return operation


def _read_queries(operation: Retrieval, queries: list[Any]) -> None:
    """Note the texts and the model of queries that Qdrant or its client embeds."""
    documents = [payload.coalesce(payload.get(query, "nearest"), query) for query in queries]
    models = {payload.get_text(document, "model") for document in documents}
    operation.request_model = models.pop() if len(models) == 1 else None
    if content.wanted():
        texts = [payload.get_text(document, "text") for document in documents]
        operation.query_text = "\n".join(text for text in texts if text is not None) or None


def _read_hits(operation: Retrieval, result: Any) -> None:
    hits = [_hit(point) for point in _points(result)]
    vector_stores.found(operation, hits, wanted=content.wanted())


def _hit(point: Any) -> tuple[Any, Any, Any]:
    return payload.get(point, "id"), payload.get(point, "score"), payload.get(point, "payload")


def _points(result: Any) -> Iterable[Any]:
    """Yield the points of what any of the searches returned."""
    for part in payload.as_list(result) or [result]:
        nested = _nested_points(part)
        if nested is None:
            yield part
        elif nested:
            yield from _points(nested)


def _nested_points(part: Any) -> Any:
    """Return the points, or groups of points, within a part of a result; None where it is a point itself."""
    fields = payload.as_dict_or_self(part)
    if not isinstance(fields, dict):
        return part
    for name in ("points", "groups", "hits"):
        if name in fields:
            return fields[name]
    return None


def _parse_records(name: str, instance: Any, arguments: dict[str, Any]) -> DatabaseCall:
    records = payload.coalesce(*(arguments.get(parameter) for parameter in _RECORD_PARAMETERS))
    batch = vector_stores.batch(_listed_records(records))
    operation = vector_stores.database_call(_SYSTEM, name, arguments.get("collection_name"), batch_size=batch)
    _read_address(operation, instance)
    return operation


def _listed_records(records: Any) -> Any:
    """Return the list of records that stands in one of Qdrant's selectors or batches; None for a filter."""
    batch_ids = payload.get(records, "batch", "ids")
    if batch_ids is not None:
        return batch_ids
    listed = payload.coalesce(payload.get(records, "points"), payload.get(records, "ids"), records)
    if payload.get(listed, "filter") is not None:
        # How many records it selects only the server knows.
        return None
    return listed


def _read_records(operation: DatabaseCall, result: Any) -> None:
    # A page comes with the offset of the next one.
    records = result[0] if isinstance(result, tuple) else result
    operation.returned = vector_stores.size(records)


def _read_collections(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "collections"))


def _read_facets(operation: DatabaseCall, result: Any) -> None:
    operation.returned = vector_stores.size(payload.get(result, "hits"))


_RECORD_PARAMETERS = ("points", "points_selector", "ids", "records", "update_operations", "vectors")
_NAMED = ("collection_name",)
_WRITES = {
    **dict.fromkeys(("upsert", "update_vectors", "upload_points"), Method((*_NAMED, "points"), _parse_records)),
    **dict.fromkeys(("create_payload_index", "delete_payload_index"), Method(_NAMED, _parse_records)),
    "upload_records": Method((*_NAMED, "records"), _parse_records, optional=True),
    "upload_collection": Method((*_NAMED, "vectors", "payload", "ids"), _parse_records),
    "delete_vectors": Method((*_NAMED, "vectors_names", "points"), _parse_records),
    **dict.fromkeys(("delete", "clear_payload"), Method((*_NAMED, "points_selector"), _parse_records)),
    **dict.fromkeys(
        ("set_payload", "overwrite_payload", "delete_payload"),
        Method((*_NAMED, "payload_or_keys", "points"), _parse_records),
    ),
    "batch_update_points": Method((*_NAMED, "update_operations"), _parse_records),
}
_READS = {
    "retrieve": Method((*_NAMED, "ids"), _parse_records, _read_records),
    "scroll": Method(_NAMED, _parse_records, _read_records),
    "facet": Method(_NAMED, _parse_records, _read_facets, optional=True),
    "get_collections": Method((), _parse_records, _read_collections),
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
        Method(_NAMED, _parse_records),
    ),
}
_QUERY = (*_NAMED, "query", "using", "prefetch", "query_filter", "search_params", "limit")
_OLD = (*_NAMED, "query_vector", "query_filter", "search_params", "limit")
_SEARCHES = {
    "query_points": Method(_QUERY, _parse_search, _read_hits),
    "query_points_groups": Method((*_NAMED, "group_by", *_QUERY[1:]), _parse_search, _read_hits, optional=True),
    "query_batch_points": Method((*_NAMED, "requests"), _parse_searches, _read_hits),
    "search": Method(_OLD, _parse_search, _read_hits, optional=True),
    "search_groups": Method(_NAMED, _parse_search, _read_hits, optional=True),
    **dict.fromkeys(
        ("recommend", "recommend_groups", "discover"), Method(_NAMED, _parse_search, _read_hits, optional=True)
    ),
    **dict.fromkeys(
        ("search_batch", "recommend_batch", "discover_batch"),
        Method((*_NAMED, "requests"), _parse_searches, _read_hits, optional=True),
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
                streams.wrap_async_call,
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
