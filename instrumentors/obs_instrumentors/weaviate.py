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
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, Operation, Retrieval

_SYSTEM = "weaviate"
_TEXTS = {"near_text": "near_text", "bm25_search": "bm25", "hybrid_search": "hybrid"}
_SEARCHES = {
    **_TEXTS,
    **{
        name: name
        for name in (
            "near_vector",
            "near_object",
            "near_image",
            "near_audio",
            "near_video",
            "near_depth",
            "near_thermal",
            "near_imu",
        )
    },
}
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


def _search(_: str, connection: Any, given: dict[str, Any]) -> Operation | None:
    request = given.get("request")
    if request is None:
        return None
    kind = next((name for name in _SEARCHES if _holds(request, name)), None)
    if kind is None:
        return _call("fetch_objects", connection, request)
    operation = vector_stores.search(
        _SYSTEM, _SEARCHES[kind], request.collection, top_k=request.limit or None, namespace=request.tenant or None
    )
    _at(operation, connection, "grpc")
    if content.wanted() and kind in _TEXTS:
        asked = getattr(request, kind).query
        operation.query_text = (asked if isinstance(asked, str) else "\n".join(asked)) or None
    return operation


def _holds(request: Any, name: str) -> bool:
    return name in request.DESCRIPTOR.fields_by_name and request.HasField(name)


def _call(name: str, connection: Any, request: Any) -> DatabaseCall:
    operation = vector_stores.database_call(
        _SYSTEM, name, payload.get(request, "collection"), namespace=payload.get_text(request, "tenant")
    )
    _at(operation, connection, "grpc")
    return operation


def _at(operation: Operation, connection: Any, protocol: str) -> None:
    params = payload.get(connection, "_connection_params", protocol)
    operation.server_address = payload.get_text(params, "host")
    operation.server_port = payload.get_int(params, "port")


def _hits(operation: Retrieval | DatabaseCall, reply: Any) -> None:
    results = list(reply.results) or [each for group in reply.group_by_results for each in group.objects]
    if "documents" not in operation.__dict__:
        operation.returned = len(results)
        return
    wanted = content.wanted()
    hits = [(_id(each.metadata), _score(each.metadata), _told(each) if wanted else None) for each in results]
    vector_stores.found(operation, hits, wanted=wanted)


def _id(metadata: Any) -> str | None:
    return str(UUID(bytes=metadata.id_as_bytes)) if metadata.id_as_bytes else metadata.id or None


def _score(metadata: Any) -> float | None:
    for name in _SCORES:
        if payload.get(metadata, f"{name}_present"):
            return payload.as_float(getattr(metadata, name))
    return None


def _told(result: Any) -> dict[str, Any]:
    fields = result.properties.non_ref_props.fields
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    told = getattr(value, kind)
    return told if isinstance(told, (str, int, float, bool)) else str(told)


def _objects(_: str, connection: Any, given: dict[str, Any]) -> DatabaseCall | None:
    request = given.get("request")
    if request is None:
        return None
    operation = _call("insert_many", connection, None)
    collections = {each.collection for each in request.objects}
    tenants = {each.tenant for each in request.objects}
    operation.collection = collections.pop() if len(collections) == 1 else None
    operation.namespace = (tenants.pop() or None) if len(tenants) == 1 else None
    operation.batch_size = vector_stores.batch(len(request.objects))
    return operation


def _whole(name: str, connection: Any, given: dict[str, Any]) -> DatabaseCall:
    return _call(_NAMES[name], connection, given.get("request"))


def _sent(_: str, connection: Any, given: dict[str, Any]) -> DatabaseCall | None:
    path = str(given.get("url")).partition("?")[0]
    for verb, pattern, name in _REST:
        found = pattern.search(path) if given.get("method") == verb else None
        if found is not None:
            body = given.get("weaviate_object")
            collection = found.group(1) if found.groups() else payload.get(body, "class")
            tenant = payload.coalesce(payload.get(body, "tenant"), payload.get(given.get("params"), "tenant"))
            operation = vector_stores.database_call(_SYSTEM, name, collection, namespace=payload.as_text(tenant))
            _at(operation, connection, "http")
            return operation
    return None


_NAMES = {"grpc_batch_delete": "delete_many", "grpc_aggregate": "aggregate", "grpc_tenants_get": "get_tenants"}
_CONNECTION = {
    "grpc_search": Method(("request",), _search, _hits),
    "grpc_batch_objects": Method(("request",), _objects),
    **dict.fromkeys(_NAMES, Method(("request",), _whole)),
    "_send": Method(("method",), _sent),
}

INSTRUMENTORS = (
    Instrumentor(
        "weaviate",
        "weaviate-client",
        ">=4.16,<5",
        (
            *vector_stores.targets("weaviate.connect.v4", "ConnectionSync", _CONNECTION),
            *vector_stores.targets("weaviate.connect.v4", "ConnectionAsync", _CONNECTION, streams.async_call),
        ),
        ("retrieval", "database calls"),
    ),
)
