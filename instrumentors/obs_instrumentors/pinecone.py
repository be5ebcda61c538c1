"""Pinecone's indexes (REST and gRPC, sync and async), their documents, and its models that embed and rerank.

An index object knows its host and not its name, which is taken from the host where that is Pinecone's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import read_store_address
from obs_run.base import payload
from obs_run.core import content, streams, vector_stores
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Rerank, Usage
from obs_run.core.vector_stores import Method

if TYPE_CHECKING:
    from obs_run.core.operations import DatabaseCall, ModelCall, Retrieval

_SYSTEM = "pinecone"
_HOST = re.compile(r"(?:https?://)?(.+)-[0-9a-z]{7}\.svc\.")
_NAMESPACES_TOP_K = 10
"""How many hits ``query_namespaces`` gives where the agent does not say."""
_RECORD_PARAMETERS = ("vectors", "ids", "records", "documents", "df")


def _host(instance: Any) -> str | None:
    """Return the host of an index or a client, which each release keeps elsewhere."""
    return (
        payload.get_text(instance, "_host")
        or payload.get_text(instance, "_config", "host")
        or payload.get_text(instance, "config", "host")
    )


def _index(instance: Any) -> str | None:
    match = _HOST.match(_host(instance) or "")
    return match.group(1) if match else None


def _read_address(operation: Retrieval | DatabaseCall, instance: Any, arguments: dict[str, Any]) -> None:
    operation.namespace = payload.as_text(arguments.get("namespace"))
    read_store_address(operation, _host(instance))


def _parse_query(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    default = _NAMESPACES_TOP_K if name == "query_namespaces" else None
    top_k = payload.as_int(payload.coalesce(arguments.get("top_k"), default))
    operation = vector_stores.search(_SYSTEM, name, _index(instance), top_k=top_k)
    _read_address(operation, instance, arguments)
    return operation


def _parse_search(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    query = arguments.get("query")
    top_k = payload.as_int(payload.coalesce(arguments.get("top_k"), payload.get(query, "top_k")))
    operation = vector_stores.search(_SYSTEM, name, _index(instance), top_k=top_k)
    _read_address(operation, instance, arguments)
    if content.wanted():
        inputs = payload.coalesce(arguments.get("inputs"), payload.get(query, "inputs"))
        operation.query_text = payload.get_text(inputs, "text")
    return operation


def _parse_document_search(name: str, instance: Any, arguments: dict[str, Any]) -> Retrieval:
    operation = _parse_query(name, instance, arguments)
    if content.wanted():
        texts = [payload.get_text(score, "query") for score in payload.as_list(arguments.get("score_by"))]
        operation.query_text = "\n".join(text for text in texts if text is not None) or None
    return operation


def _read_hits(operation: Retrieval, result: Any) -> None:
    hits = payload.coalesce(payload.get(result, "matches"), payload.get(result, "result", "hits"))
    if isinstance(hits, (list, tuple)):
        vector_stores.found(operation, [_hit(hit) for hit in hits], wanted=content.wanted())


def _hit(raw: Any) -> tuple[Any, Any, Any]:
    # Of a vector, or of a record.
    hit_id = payload.coalesce(payload.get(raw, "id"), payload.get(raw, "_id"))
    score = payload.coalesce(payload.get(raw, "score"), payload.get(raw, "_score"))
    fields = _fields(raw) if content.wanted() else None
    return hit_id, score, fields


def _fields(raw: Any) -> Any:
    """Return what a hit says beside its vector; a document has its fields beside its id."""
    if not isinstance(raw, dict) and not hasattr(raw, "metadata") and not hasattr(raw, "fields"):
        # Lists are vectors.
        fields = {name: value for name, value in raw.to_dict().items() if not isinstance(value, list)}
        fields.pop("_id", None)
        fields.pop("_score", None)
        return fields
    return payload.coalesce(payload.get(raw, "metadata"), payload.get(raw, "fields"))


def _parse_records(name: str, instance: Any, arguments: dict[str, Any]) -> DatabaseCall:
    records = payload.coalesce(*(arguments.get(parameter) for parameter in _RECORD_PARAMETERS))
    batch_size = vector_stores.batch(records)
    operation = vector_stores.database_call(_SYSTEM, name, _index(instance), batch_size=batch_size)
    _read_address(operation, instance, arguments)
    return operation


def _read_returned(operation: DatabaseCall, result: Any) -> None:
    vectors = payload.coalesce(payload.get(result, "vectors"), payload.get(result, "documents"))
    operation.returned = len(vectors) if isinstance(vectors, (dict, list, tuple)) else None


def _parse_embed(_: str, instance: Any, arguments: dict[str, Any]) -> Embedding:
    operation = Embedding("embeddings", input_count=vector_stores.size(arguments.get("inputs")))
    operation.dimensions = payload.get_int(arguments.get("parameters"), "dimension")
    _read_model(operation, instance, arguments)
    return operation


def _parse_rerank(_: str, instance: Any, arguments: dict[str, Any]) -> Rerank:
    operation = Rerank(
        input_count=vector_stores.size(arguments.get("documents")), top_k=payload.as_int(arguments.get("top_n"))
    )
    if content.wanted():
        operation.query_text = payload.as_text(arguments.get("query"))
    _read_model(operation, instance, arguments)
    return operation


def _read_model(operation: ModelCall, instance: Any, arguments: dict[str, Any]) -> None:
    model = arguments.get("model")
    operation.provider = _SYSTEM
    # A text or a member of an enumeration.
    operation.request_model = payload.as_text(payload.coalesce(payload.get(model, "value"), model))
    read_store_address(operation, _host(instance))


def _read_embedding(operation: Embedding, result: Any) -> None:
    _read_response_model(operation, result)
    tokens = payload.get_int(result, "usage", "total_tokens")
    operation.usage = None if tokens is None else Usage(input_tokens=tokens)
    vectors = payload.get_list(result, "data")
    if vectors:
        # A sparse vector has no length that says anything.
        values = payload.get(vectors[0], "values")
        operation.dimensions = len(values) if isinstance(values, (list, tuple)) else operation.dimensions


def _read_ranking(operation: Rerank, result: Any) -> None:
    _read_response_model(operation, result)
    ranked = payload.get_list(result, "data")
    scores = [payload.get_float(document, "score") for document in ranked]
    operation.scores = [score for score in scores if score is not None] or None
    if content.wanted():
        operation.documents = [_ranked_document(document) for document in ranked]


def _ranked_document(raw: Any) -> dict[str, Any]:
    document = payload.get(raw, "document")
    return {
        "id": str(payload.get(raw, "index")),
        "score": payload.get_float(raw, "score"),
        "content": payload.coalesce(payload.get(document, "text"), document),
    }


def _read_response_model(operation: ModelCall, result: Any) -> None:
    operation.response_model = payload.get_text(result, "model")


_DATA = {
    "query": Method((), _parse_query, _read_hits),
    "query_namespaces": Method((), _parse_query, _read_hits),
    "upsert": Method(("vectors", "namespace"), _parse_records),
    "upsert_from_dataframe": Method(("df", "namespace"), _parse_records, optional=True),
    "fetch": Method(("ids", "namespace"), _parse_records, _read_returned),
    "fetch_by_metadata": Method(("filter", "namespace"), _parse_records, _read_returned, optional=True),
    "delete": Method(("ids", "delete_all", "namespace"), _parse_records),
    "update": Method(("id", "values", "set_metadata", "namespace"), _parse_records),
    "describe_index_stats": Method((), _parse_records),
    "list_paginated": Method(("prefix", "limit", "pagination_token", "namespace"), _parse_records, _read_returned),
    "upsert_records": Method(("namespace", "records"), _parse_records, optional=True),
    **dict.fromkeys(
        ("search", "search_records"), Method(("namespace", "query"), _parse_search, _read_hits, optional=True)
    ),
}
_DOCUMENTS = {
    "search": Method((), _parse_document_search, _read_hits),
    "fetch": Method((), _parse_records, _read_returned),
    **dict.fromkeys(("upsert", "batch_upsert"), Method((), _parse_records)),
    **dict.fromkeys(("delete", "update"), Method((), _parse_records, optional=True)),
}
_MODELS = {
    "embed": Method(("model", "inputs", "parameters"), _parse_embed, _read_embedding),
    "rerank": Method(
        ("model", "query", "documents", "rank_fields", "return_documents", "top_n"), _parse_rerank, _read_ranking
    ),
}
_SYNC = (
    ("pinecone.index", "Index", _DATA),
    ("pinecone.grpc", "GrpcIndex", _DATA),
    ("pinecone.client.documents", "Documents", _DOCUMENTS),
    ("pinecone.client.inference", "Inference", _MODELS),
    # Before the rewrite in 9.
    ("pinecone.db_data.index", "Index", _DATA),
    ("pinecone.grpc.index_grpc", "GRPCIndex", _DATA),
    ("pinecone.inference.inference", "Inference", _MODELS),
)
_ASYNC = (
    ("pinecone.async_client.async_index", "AsyncIndex", _DATA),
    ("pinecone.async_client.documents", "AsyncDocuments", _DOCUMENTS),
    ("pinecone.async_client.inference", "AsyncInference", _MODELS),
    ("pinecone.db_data.index_asyncio", "_IndexAsyncio", _DATA),
    ("pinecone.inference.inference_asyncio", "AsyncioInference", _MODELS),
)

INSTRUMENTORS = (
    Instrumentor(
        "pinecone",
        "pinecone",
        ">=7,<11",
        (
            *(target for row in _SYNC for target in vector_stores.targets(*row)),
            *(target for row in _ASYNC for target in vector_stores.targets(*row, streams.wrap_async_call)),
            *(
                Target(module, "ThreadPoolExecutor", vector_stores.executor, optional=True)
                for module in ("pinecone.index", "pinecone.grpc")
            ),
        ),
        ("retrieval", "database calls", "embeddings", "rerank"),
    ),
)
