"""Voyage AI's API: embeddings of texts, of images, of chunks in their context, and reranking."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import Reply

if TYPE_CHECKING:
    from .wire import Json, Request

_VECTOR = (0.25, -0.5, 0.125)


def embed(request: Request) -> Reply:
    """Answer with a vector for each text."""
    given = request.body.get("input")
    texts = given if isinstance(given, list) else [given]
    return _list(request, [_embedding(request, index) for index in range(len(texts))], texts)


def embed_multimodal(request: Request) -> Reply:
    """Answer with a vector for each list of texts and images."""
    given = request.body.get("inputs") or []
    texts = [part.get("text") or "" for each in given for part in each["content"]]
    pixels = sum(part["type"].startswith("image") for each in given for part in each["content"]) * 1000
    usage = {"text_tokens": answers.count(texts), "image_pixels": pixels, "video_pixels": 0}
    usage["total_tokens"] = usage["text_tokens"] + pixels // 100
    return _list(request, [_embedding(request, index) for index in range(len(given))], texts, usage)


def embed_in_context(request: Request) -> Reply:
    """Answer with vectors for each document's chunks."""
    given = request.body.get("inputs") or []
    data = [
        {"object": "list", "data": [_embedding(request, number) for number in range(len(chunks))], "index": index}
        for index, chunks in enumerate(given)
    ]
    return _list(request, data, [chunk for chunks in given for chunk in chunks])


def rerank(request: Request) -> Reply:
    """Answer with the documents in the reverse of the order they came in."""
    documents = request.body.get("documents") or []
    order = list(reversed(range(len(documents))))[: int(request.body.get("top_k") or len(documents))]
    data = [{"index": index, "relevance_score": round(0.9 / (rank + 1), 4)} for rank, index in enumerate(order)]
    return _list(request, data, [*documents, request.body.get("query")])


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; Voyage AI tells neither code nor kind."""
    assert code is None or kind is not None
    return Reply({"detail": message}, status)


def _embedding(request: Request, index: int) -> Json:
    packed = base64.b64encode(struct.pack("<3f", *_VECTOR)).decode()
    vector = packed if request.body.get("encoding_format") == "base64" else list(_VECTOR)
    return {"object": "embedding", "embedding": vector, "index": index}


def _list(request: Request, data: list[Any], texts: list[Any], usage: Json | None = None) -> Reply:
    told = usage or {"total_tokens": answers.count(texts)}
    return Reply({"object": "list", "data": data, "model": request.model, "usage": told})


ROUTES = {
    "POST /voyage/v1/embeddings": embed,
    "POST /voyage/v1/multimodalembeddings": embed_multimodal,
    "POST /voyage/v1/contextualizedembeddings": embed_in_context,
    "POST /voyage/v1/rerank": rerank,
}
ERRORS = error
