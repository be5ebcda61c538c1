"""Pinecone's REST API below ``/pinecone``: an index's vectors and records, embedding and reranking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import answers
from .wire import Reply

if TYPE_CHECKING:
    from .wire import Json, Request

_TEXTS = {"lisbon": "Lisbon is a capital.", "porto": "Porto has port."}


def query(request: Request) -> Reply:
    """Answer with as many vectors as are asked for, two at most."""
    matches = [
        {"id": name, "score": 1 / number, "values": [], "metadata": {"text": text}}
        for number, (name, text) in enumerate(_TEXTS.items(), 1)
    ]
    found = matches[: int(request.body.get("topK") or 1)]
    usage = {"readUnits": 5}
    return Reply({"results": [], "matches": found, "namespace": request.body.get("namespace", ""), "usage": usage})


def upsert(request: Request) -> Reply:
    """Count what is written."""
    return Reply({"upsertedCount": len(request.body.get("vectors") or [])})


def fetch(request: Request) -> Reply:
    """Answer with one vector, whatever is asked for."""
    vectors = {"lisbon": {"id": "lisbon", "values": [1.0, 0.0], "metadata": {"text": _TEXTS["lisbon"]}}}
    return Reply({"vectors": vectors, "namespace": request.query.get("namespace", ""), "usage": {"readUnits": 1}})


def change(_: Request) -> Reply:
    """Take an update or a deletion."""
    return Reply({})


def stats(_: Request) -> Reply:
    """Describe the index."""
    return Reply({"namespaces": {"": {"vectorCount": 2}}, "dimension": 2, "indexFullness": 0.0, "totalVectorCount": 2})


def search(request: Request) -> Reply:
    """Answer a search by a text with as many records as are asked for, two at most."""
    asked = request.body.get("query") or {}
    hits = [
        {"_id": name, "_score": 1 / number, "fields": {"text": text}}
        for number, (name, text) in enumerate(_TEXTS.items(), 1)
    ]
    tokens = answers.count(asked.get("inputs"))
    found = hits[: int(asked.get("top_k") or 1)]
    return Reply({"result": {"hits": found}, "usage": {"read_units": 6, "embed_total_tokens": tokens}})


def search_documents(request: Request) -> Reply:
    """Answer a search of documents with as many as are asked for, two at most."""
    matches = [
        {"_id": name, "_score": 1 / number, "text": text, "vector": [1.0, 0.0]}
        for number, (name, text) in enumerate(_TEXTS.items(), 1)
    ]
    found = matches[: int(request.body.get("top_k") or 1)]
    return Reply({"matches": found, "namespace": request.path.split("/")[-3], "usage": {"read_units": 2}})


def embed(request: Request) -> Reply:
    """Answer with a vector for each text."""
    texts = [each["text"] for each in request.body.get("inputs") or []]
    data = [{"values": [0.25, -0.5, 0.125], "vector_type": "dense"} for _ in texts]
    body: Json = {"model": request.model, "vector_type": "dense", "data": data}
    return Reply(body | {"usage": {"total_tokens": answers.count(texts)}})


def rerank(request: Request) -> Reply:
    """Answer with the documents in the opposite order."""
    documents = list(enumerate(request.body.get("documents") or []))[::-1]
    count = int(request.body.get("top_n") or len(documents))
    data = [
        {"index": index, "score": 1 / rank, "document": document}
        for rank, (index, document) in enumerate(documents[:count], 1)
    ]
    return Reply({"model": request.model, "data": data, "usage": {"rerank_units": 1}})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure in the shape of the index's API."""
    assert code is None or kind is not None
    return Reply({"code": 3, "message": message, "details": []}, status)


ROUTES = {
    "POST /pinecone/query": query,
    "POST /pinecone/vectors/upsert": upsert,
    "GET /pinecone/vectors/fetch": fetch,
    "POST /pinecone/vectors/update": change,
    "POST /pinecone/vectors/delete": change,
    "POST /pinecone/describe_index_stats": stats,
    "POST /pinecone/records/namespaces/*/search": search,
    "POST /pinecone/namespaces/*/documents/search": search_documents,
    "POST /pinecone/embed": embed,
    "POST /pinecone/rerank": rerank,
}
ERRORS = error
