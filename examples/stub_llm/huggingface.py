"""Hugging Face's own inference servers; their chat is OpenAI's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import answers
from .wire import Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request


def generate(request: Request) -> Reply | Stream:
    """Continue a prompt."""
    prompt = str(request.body.get("inputs"))
    asked = request.body.get("parameters") or {}
    text = answers.reply(prompt, [])
    if request.body.get("stream"):
        failing = event({"error": "Model is overloaded", "error_type": "overloaded"})
        return Stream(_tokens(prompt, text), failing=failing)
    answer: Json = {"generated_text": text}
    if asked.get("details"):
        answer["details"] = {"finish_reason": "eos_token", "generated_tokens": 8, "prefill": [], "tokens": []}
    return Reply(json.dumps([answer]).encode())


def extract(request: Request) -> Reply:
    """Answer with a vector for each text."""
    given = request.body.get("inputs")
    texts = given if isinstance(given, list) else [given]
    return Reply(json.dumps([[0.25, -0.5, 0.125] for _ in texts]).encode())


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; the kind is told only of failures of the server."""
    assert code is None or kind is not None
    return Reply({"error": message}, status)


def _tokens(prompt: str, text: str) -> Iterator[bytes]:
    pieces = answers.pieces(text)
    for number, piece in enumerate(pieces, 1):
        token = {"id": number, "text": piece, "logprob": -0.1, "special": False}
        yield event({"index": number, "token": token, "generated_text": None, "details": None})
    details = {
        "finish_reason": "eos_token",
        "generated_tokens": len(pieces),
        "input_length": answers.count(prompt),
        "seed": None,
    }
    token = {"id": 0, "text": "</s>", "logprob": -0.1, "special": True}
    yield event({"index": len(pieces) + 1, "token": token, "generated_text": text, "details": details})


ROUTES: dict[str, Callable[[Request], Reply | Stream]] = {
    "POST /text-generation": generate,
    "POST /feature-extraction": extract,
}
ERRORS = error
