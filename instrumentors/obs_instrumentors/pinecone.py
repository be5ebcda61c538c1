"""Pinecone's indexes (REST and gRPC, sync and async), their documents, and its models that embed and rerank.

An index object knows its host and not its name, which is taken from the host where that is Pinecone's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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


def _host(instance: Any) -> str | None:
    places = (("_host",), ("_config", "host"), ("config", "host"))
    return next((host for path in places if (host := payload.get_text(instance, *path))), None)


def _index(instance: Any) -> str | None:
    found = _HOST.match(_host(instance) or "")
    return found.group(1) if found else None


def _at(operation: Retrieval | DatabaseCall, instance: Any, given: dict[str, Any]) -> None:
    operation.namespace = payload.as_text(given.get("namespace"))
    vector_stores.locate(operation, _host(instance))


def _query(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    default = _NAMESPACES_TOP_K if name == "query_namespaces" else None
    top_k = payload.as_int(payload.coalesce(given.get("top_k"), default))
    operation = vector_stores.search(_SYSTEM, name, _index(instance), top_k=top_k)
    _at(operation, instance, given)
    return operation


def _search(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    query = given.get("query")
    top_k = payload.as_int(payload.coalesce(given.get("top_k"), payload.get(query, "top_k")))
    operation = vector_stores.search(_SYSTEM, name, _index(instance), top_k=top_k)
    _at(operation, instance, given)
    if content.wanted():
        inputs = payload.coalesce(given.get("inputs"), payload.get(query, "inputs"))
        operation.query_text = payload.get_text(inputs, "text")
    return operation


def _documents(name: str, instance: Any, given: dict[str, Any]) -> Retrieval:
    operation = _query(name, instance, given)
    if content.wanted():
        texts = [payload.get_text(each, "query") for each in payload.as_list(given.get("score_by"))]
        operation.query_text = "\n".join(text for text in texts if text is not None) or None
    return operation


def _hits(operation: Retrieval, result: Any) -> None:
    hits = payload.coalesce(payload.get(result, "matches"), payload.get(result, "result", "hits"))
    if isinstance(hits, (list, tuple)):
        vector_stores.found(operation, [_hit(each) for each in hits], wanted=content.wanted())


def _hit(raw: Any) -> tuple[Any, Any, Any]:
    identity = payload.coalesce(payload.get(raw, "id"), payload.get(raw, "_id"))
    score = payload.coalesce(payload.get(raw, "score"), payload.get(raw, "_score"))
    return identity, score, _fields(raw) if content.wanted() else None


def _fields(raw: Any) -> Any:
    """Return what a hit says beside its vector; a document has its fields beside its id."""
    if not isinstance(raw, dict) and not hasattr(raw, "metadata") and not hasattr(raw, "fields"):
        told = raw.to_dict().items()
        return {name: value for name, value in told if name not in ("_id", "_score") and not isinstance(value, list)}
    return payload.coalesce(payload.get(raw, "metadata"), payload.get(raw, "fields"))


def _records(name: str, instance: Any, given: dict[str, Any]) -> DatabaseCall:
    records = payload.coalesce(*(given.get(key) for key in ("vectors", "ids", "records", "documents", "df")))
    operation = vector_stores.database_call(_SYSTEM, name, _index(instance), batch_size=vector_stores.batch(records))
    _at(operation, instance, given)
    return operation


def _returned(operation: DatabaseCall, result: Any) -> None:
    vectors = payload.coalesce(payload.get(result, "vectors"), payload.get(result, "documents"))
    operation.returned = len(vectors) if isinstance(vectors, (dict, list, tuple)) else None


def _embed(_: str, instance: Any, given: dict[str, Any]) -> Embedding:
    operation = Embedding("embeddings", input_count=vector_stores.size(given.get("inputs")))
    operation.dimensions = payload.get_int(given.get("parameters"), "dimension")
    _model(operation, instance, given)
    return operation


def _rerank(_: str, instance: Any, given: dict[str, Any]) -> Rerank:
    operation = Rerank(input_count=vector_stores.size(given.get("documents")), top_k=payload.as_int(given.get("top_n")))
    if content.wanted():
        operation.query_text = payload.as_text(given.get("query"))
    _model(operation, instance, given)
    return operation


def _model(operation: ModelCall, instance: Any, given: dict[str, Any]) -> None:
    asked = given.get("model")
    operation.provider = _SYSTEM
    operation.request_model = payload.as_text(payload.coalesce(payload.get(asked, "value"), asked))
    vector_stores.locate(operation, _host(instance))


def _embedded(operation: Embedding, result: Any) -> None:
    _answered(operation, result)
    tokens = payload.get_int(result, "usage", "total_tokens")
    operation.usage = None if tokens is None else Usage(input_tokens=tokens)
    vectors = payload.get_list(result, "data")
    values = payload.get(vectors[0], "values") if vectors else None
    operation.dimensions = len(values) if isinstance(values, (list, tuple)) else operation.dimensions


def _reranked(operation: Rerank, result: Any) -> None:
    _answered(operation, result)
    ranked = payload.get_list(result, "data")
    scores = [payload.get_float(each, "score") for each in ranked]
    operation.scores = [score for score in scores if score is not None] or None
    if content.wanted():
        operation.documents = [
            {"id": str(payload.get(each, "index")), "score": score, "content": _text(payload.get(each, "document"))}
            for each, score in zip(ranked, scores, strict=True)
        ]


def _answered(operation: ModelCall, result: Any) -> None:
    operation.response_model = payload.get_text(result, "model")


def _text(document: Any) -> Any:
    return payload.coalesce(payload.get(document, "text"), document)


_DATA = {
    "query": Method((), _query, _hits),
    "query_namespaces": Method((), _query, _hits),
    "upsert": Method(("vectors", "namespace"), _records),
    "upsert_from_dataframe": Method(("df", "namespace"), _records, optional=True),
    "fetch": Method(("ids", "namespace"), _records, _returned),
    "fetch_by_metadata": Method(("filter", "namespace"), _records, _returned, optional=True),
    "delete": Method(("ids", "delete_all", "namespace"), _records),
    "update": Method(("id", "values", "set_metadata", "namespace"), _records),
    "describe_index_stats": Method((), _records),
    "list_paginated": Method(("prefix", "limit", "pagination_token", "namespace"), _records, _returned),
    "upsert_records": Method(("namespace", "records"), _records, optional=True),
    **dict.fromkeys(("search", "search_records"), Method(("namespace", "query"), _search, _hits, optional=True)),
}
_DOCUMENTS = {
    "search": Method((), _documents, _hits),
    "fetch": Method((), _records, _returned),
    **dict.fromkeys(("upsert", "batch_upsert"), Method((), _records)),
    **dict.fromkeys(("delete", "update"), Method((), _records, optional=True)),
}
_MODELS = {
    "embed": Method(("model", "inputs", "parameters"), _embed, _embedded),
    "rerank": Method(("model", "query", "documents", "rank_fields", "return_documents", "top_n"), _rerank, _reranked),
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
            *(each for place in _SYNC for each in vector_stores.targets(*place)),
            *(each for place in _ASYNC for each in vector_stores.targets(*place, streams.async_call)),
            *(
                Target(module, "ThreadPoolExecutor", vector_stores.executor, optional=True)
                for module in ("pinecone.index", "pinecone.grpc")
            ),
        ),
        ("retrieval", "database calls", "embeddings", "rerank"),
    ),
)
