"""Legacy completions, embeddings, moderations, decisions, rerank and models."""

from __future__ import annotations

import base64
import math
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import CREATED, DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

MODELS = ("gpt-5-mini", "gpt-4o-mini", "text-embedding-3-small", "gpt-image-1", "whisper-1", "tts-1")
DIMENSIONS = 64


def completions(request: Request) -> Reply | Stream:
    """Answer a legacy completion."""
    prompt = request.body.get("prompt") or ""
    prompts: list[Any] = prompt if isinstance(prompt, list) and not _is_tokens(prompt) else [prompt]
    wanted = int(request.body.get("n") or 1)
    replies = [answers.reply(" ".join(answers.texts(item)), []) for item in prompts for _ in range(wanted)]
    reason = "length" if "length" in request.switches else "stop"
    usage = answers.chat_usage(answers.count(prompts), sum(map(answers.count, replies)), request.switches)
    frame = {
        "id": request.state.next_id("cmpl-"),
        "object": "text_completion",
        "created": CREATED,
        "model": request.answering_model,
        "system_fingerprint": "fp_stub",
    }
    if request.body.get("stream"):
        asked = bool((request.body.get("stream_options") or {}).get("include_usage"))
        return Stream(_completion_chunks(frame, replies, reason, usage if asked else None))
    choices = [_completion(index, text, reason) for index, text in enumerate(replies)]
    return Reply(frame | {"choices": choices, "usage": usage})


def _is_tokens(value: list[Any]) -> bool:
    return all(isinstance(item, int) for item in value)


def _completion(index: int, text: str, reason: str | None) -> Json:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}


def _completion_chunks(frame: Json, replies: list[str], reason: str, usage: Json | None) -> Iterator[bytes]:
    if usage:
        frame["usage"] = None
    for index, text in enumerate(replies):
        for piece in answers.pieces(text):
            yield event(frame | {"choices": [_completion(index, piece, None)]})
        yield event(frame | {"choices": [_completion(index, "", reason)]})
    if usage:
        yield event(frame | {"choices": [], "usage": usage})
    yield DONE


def embeddings(request: Request) -> Reply:
    """Answer with a bag of words hashed into a vector, so that like texts are near each other."""
    given = request.body.get("input")
    inputs: list[Any] = given if isinstance(given, list) and not _is_tokens(given) else [given]
    dimensions = int(request.body.get("dimensions") or DIMENSIONS)
    as_text = request.body.get("encoding_format") == "base64"
    data = []
    for index, item in enumerate(inputs):
        vector = _vector(item, dimensions)
        packed = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": packed if as_text else vector})
    tokens = sum(len(item) if isinstance(item, list) else answers.count(item) for item in inputs)
    body: Json = {"object": "list", "data": data, "model": request.answering_model}
    if "no-usage" not in request.switches:
        body["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Reply(body)


def _vector(item: Any, dimensions: int) -> list[float]:
    words = re.findall(r"\w+", item.lower()) if isinstance(item, str) else [str(token) for token in item or []]
    vector = [0.0] * dimensions
    for word in words:
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def moderations(request: Request) -> Reply:
    """Flag a text that speaks of a fight."""
    given = request.body.get("input")
    results = []
    for item in given if isinstance(given, list) else [given]:
        violent = "fight" in " ".join(answers.texts(item)).lower()
        flags = {name: violent and name == "violence" for name in _CATEGORIES}
        results.append(
            {
                "flagged": violent,
                "categories": flags,
                "category_scores": {name: 0.9 if flag else 0.01 for name, flag in flags.items()},
                "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
            }
        )
    return Reply({"id": request.state.next_id("modr-"), "model": request.answering_model, "results": results})


def decisions(request: Request) -> Reply:
    """Answer each question with its first choice."""
    found = [_decide(question) for question in request.body.get("questions") or []]
    usage = answers.item_usage(answers.count(request.body.get("input")), len(found), request.switches)
    return Reply({"answers": found, "model": request.answering_model, "usage": usage})


def _decide(question: Json) -> Json:
    name, kind = question.get("name"), question.get("type")
    if kind == "predicate":
        return {"type": kind, "name": name, "probability": 0.75}
    if kind == "choice":
        shares = [{"value": choice["value"], "probability": 0.5} for choice in question["choices"]]
        choice = question["choices"][0]["value"]
        return {"type": kind, "name": name, "choice": choice, "confidence": 0.5, "probabilities": shares}
    levels = [
        {"label": level["label"], "value": number, "probability": 0.5}
        for number, level in enumerate(question["levels"])
    ]
    return {"type": kind, "name": name, "score": 0.5, "confidence": 0.5, "probabilities": levels}


def rerank(request: Request) -> Reply:
    """Answer with the documents in the order they came."""
    documents = request.body.get("documents") or []
    count = int(request.body.get("top_n") or len(documents))
    results = [{"index": index, "relevance_score": round(1 / (index + 1), 4)} for index in range(count)]
    tokens = answers.count(documents) + answers.count(request.body.get("query"))
    usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
    frame: Json = {"id": request.state.next_id("rerank-"), "object": "rerank", "model": request.answering_model}
    return Reply(frame | {"results": results, "usage": usage})


def models(_request: Request) -> Reply:
    """List the models."""
    return Reply({"object": "list", "data": [_model(name) for name in MODELS]})


def model(request: Request) -> Reply:
    """Describe any model."""
    return Reply(_model(request.path.rpartition("/")[2]))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "stub"}
