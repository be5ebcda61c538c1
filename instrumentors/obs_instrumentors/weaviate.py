"""Weaviate's client 4: the calls that its connections make, by gRPC for searches and batches and by REST for objects.

They lie below everything that the collections offer, above the retries, and see the request as it is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor
from obs_run.core.operations import Retrieval
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation

_SYSTEM = "weaviate"
_TEXT_SEARCHES = {"near_text": "near_text", "bm25_search": "bm25", "hybrid_search": "hybrid"}
_OTHER_SEARCHES = (
    "near_vector",
    "near_object",
    "near_image",
    "near_audio",
    "near_video",
    "near_depth",
    "near_thermal",
    "near_imu",
)
_SEARCHES = {**_TEXT_SEARCHES, **dict(zip(_OTHER_SEARCHES, _OTHER_SEARCHES, strict=True))}
"""What a request may hold to the client's name for such a search."""
_REST = (
    ("POST", re.compile(r"/objects$"), "insert"),
    ("PUT", re.compile(r"/objects/([^/]+)/[^/]+$"), "replace"),
    ("PATCH", re.compile(r"/objects/([^/]+)/[^/]+$"), "update"),
    ("DELETE", re.compile(r"/objects/([^/]+)/[^/]+$"), "delete_by_id"),
    ("HEAD", re.compile(r"/objects/([^/]+)/[^/]+$"), "exists"),
    ("POST", re.compile(r"/schema$"), "create_collection"),
    ("DELETE", re.compile(r"/schema/([^/]+)$"), "delete_collection"),
)
_SCORES = ("rerank_score", "score", "distance", "certainty")


def _parse_search(_: str, connection: Any, arguments: dict[str, Any]) -> Operation | None:
    request = arguments.get("request")
    if request is None:
        return None
    kind = next((name for name in _SEARCHES if _has(request, name)), None)
    if kind is None:
        return _database_call("fetch_objects", connection, request)
    operation = vector_stores.search(
        _SYSTEM, _SEARCHES[kind], request.collection, top_k=request.limit or None, namespace=request.tenant or None
    )
    _read_address(operation, connection, "grpc")
    if content.wanted() and kind in _TEXT_SEARCHES:
        query = getattr(request, kind).query
        # Some kinds of search take several texts.
        text = query if isinstance(query, str) else "\n".join(query)
        operation.query_text = text or None
    return operation


def _has(request: Any, name: str) -> bool:
    """Whether a message of the protocol has a field set; older releases of it lack some."""
    return name in request.DESCRIPTOR.fields_by_name and request.HasField(name)


def _database_call(name: str, connection: Any, request: Any) -> DatabaseCall:
    operation = vector_stores.database_call(
        _SYSTEM, name, payload.get(request, "collection"), namespace=payload.get_text(request, "tenant")
    )
    _read_address(operation, connection, "grpc")
    return operation


def _read_address(operation: Operation, connection: Any, protocol: str) -> None:
    params = payload.get(connection, "_connection_params", protocol)
    operation.server_address = payload.get_text(params, "host")
    operation.server_port = payload.get_int(params, "port")


def _read_hits(operation: Retrieval | DatabaseCall, reply: Any) -> None:
    results = list(reply.results)
    if not results:
        for group in reply.group_by_results:
            results += group.objects
    if not isinstance(operation, Retrieval):
        operation.returned = len(results)
        return
    wanted = content.wanted()
    hits = [_hit(result, wanted=wanted) for result in results]
    vector_stores.found(operation, hits, wanted=wanted)


def _hit(result: Any, *, wanted: bool) -> tuple[Any, Any, Any]:
    properties = _properties(result) if wanted else None
    return _id(result.metadata), _score(result.metadata), properties


def _id(metadata: Any) -> str | None:
    if metadata.id_as_bytes:
        return str(UUID(bytes=metadata.id_as_bytes))
    return metadata.id or None


def _score(metadata: Any) -> float | None:
    for name in _SCORES:
        if payload.get(metadata, f"{name}_present"):
            return payload.as_float(getattr(metadata, name))
    return None


def _properties(result: Any) -> dict[str, Any]:
    fields = result.properties.non_ref_props.fields
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    inner = getattr(value, kind)
    return inner if isinstance(inner, (str, int, float, bool)) else str(inner)


def _parse_batch(_: str, connection: Any, arguments: dict[str, Any]) -> DatabaseCall | None:
    request = arguments.get("request")
    if request is None:
        return None
    operation = _database_call("insert_many", connection, None)
    collections = {each.collection for each in request.objects}
    tenants = {each.tenant for each in request.objects}
    # Objects of several collections or tenants may go in one batch.
    if len(collections) == 1:
        operation.collection = collections.pop()
    if len(tenants) == 1:
        operation.namespace = tenants.pop() or None
    operation.batch_size = vector_stores.batch(len(request.objects))
    return operation


def _parse_request(name: str, connection: Any, arguments: dict[str, Any]) -> DatabaseCall:
    return _database_call(_NAMES[name], connection, arguments.get("request"))


def _parse_rest_request(_: str, connection: Any, arguments: dict[str, Any]) -> DatabaseCall | None:
    path, _, _ = str(arguments.get("url")).partition("?")
    for verb, pattern, name in _REST:
        if arguments.get("method") != verb:
            continue
        match = pattern.search(path)
        if match is None:
            continue
        body = arguments.get("weaviate_object")
        collection = match.group(1) if match.groups() else payload.get(body, "class")
        tenant = payload.coalesce(payload.get(body, "tenant"), payload.get(arguments.get("params"), "tenant"))
        operation = vector_stores.database_call(_SYSTEM, name, collection, namespace=payload.as_text(tenant))
        _read_address(operation, connection, "http")
        return operation
    return None


_NAMES = {"grpc_batch_delete": "delete_many", "grpc_aggregate": "aggregate", "grpc_tenants_get": "get_tenants"}
_CONNECTION = {
    "grpc_search": Method(("request",), _parse_search, _read_hits),
    "grpc_batch_objects": Method(("request",), _parse_batch),
    **dict.fromkeys(_NAMES, Method(("request",), _parse_request)),
    "_send": Method(("method",), _parse_rest_request),
}

INSTRUMENTORS = (
    Instrumentor(
        "weaviate",
        "weaviate-client",
        ">=4.16,<5",
        (
            *vector_stores.targets("weaviate.connect.v4", "ConnectionSync", _CONNECTION),
            *vector_stores.targets("weaviate.connect.v4", "ConnectionAsync", _CONNECTION, streams.wrap_async_call),
        ),
        ("retrieval", "database calls"),
    ),
)
