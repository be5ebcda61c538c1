"""IBM watsonx.ai: its chat is OpenAI's under other paths and names, the rest its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import answers, chat
from .wire import Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request

_CREATED = "2025-10-09T08:53:20.000Z"


def converse(request: Request) -> Reply | Stream:
    """Answer a chat."""
    answer = chat.create(_as_openai(request))
    assert isinstance(answer, Reply)
    assert isinstance(answer.body, dict)
    return Reply({"model_id": request.body["model_id"], "created_at": _CREATED, **answer.body})


def converse_stream(request: Request) -> Reply | Stream:
    """Answer a chat in events; usage comes without being asked for."""
    options: Json = {"stream": True, "stream_options": {"include_usage": "no-usage" not in request.switches}}
    return chat.create(_as_openai(request, options))


def generate(request: Request) -> Reply:
    """Continue a prompt."""
    prompt = str(request.body.get("input"))
    text = answers.reply(prompt, [])
    return Reply(_frame(request, text, answers.count(prompt), answers.count(text), "eos_token"))


def generate_stream(request: Request) -> Stream:
    """Continue a prompt in events."""
    return Stream(_events(request), failing=b'event: error\ndata: {"errors": [{"code": "overloaded"}]}\n\n')


def embed(request: Request) -> Reply:
    """Answer with a vector for each text."""
    texts = request.body.get("inputs") or []
    vectors = [{"embedding": [0.25, -0.5, 0.125]} for _ in texts]
    answer: Json = {"model_id": request.body.get("model_id"), "created_at": _CREATED, "results": vectors}
    return Reply(answer | {"input_token_count": answers.count(texts)})


def rerank(request: Request) -> Reply:
    """Put documents into an order, the last one first."""
    given = request.body.get("inputs") or []
    ranked = [{"index": index, "score": 0.5 ** (len(given) - 1 - index)} for index in reversed(range(len(given)))]
    answer: Json = {"model_id": request.body.get("model_id"), "created_at": _CREATED, "results": ranked}
    return Reply(answer | {"input_token_count": answers.count(given)})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure in the shape of the service."""
    return Reply(
        {"errors": [{"code": code or kind, "message": message}], "trace": "stub", "status_code": status}, status
    )


def _as_openai(request: Request, more: Json | None = None) -> Request:
    body = {**request.body, "model": request.body["model_id"], **(more or {})}
    return replace(request, body=body, switches={**request.switches, "no-done": ""})


def _events(request: Request) -> Iterator[bytes]:
    prompt = str(request.body.get("input"))
    pieces = answers.pieces(answers.reply(prompt, []))
    for number, piece in enumerate(pieces, 1):
        inputs = answers.count(prompt) if number == 1 else 0
        yield event(_frame(request, piece, inputs, number, "eos_token" if number == len(pieces) else "not_finished"))


def _frame(request: Request, text: str, inputs: int, outputs: int, reason: str) -> Json:
    result: Json = {"generated_text": text, "stop_reason": reason}
    if "no-usage" not in request.switches:
        result |= {"generated_token_count": outputs, "input_token_count": inputs}
    return {"model_id": request.body.get("model_id"), "created_at": _CREATED, "results": [result]}


ROUTES: dict[str, Callable[[Request], Reply | Stream]] = {
    "POST /ml/v1/text/chat": converse,
    "POST /ml/v1/text/chat_stream": converse_stream,
    "POST /ml/v1/text/generation": generate,
    "POST /ml/v1/text/generation_stream": generate_stream,
    "POST /ml/v1/text/embeddings": embed,
    "POST /ml/v1/text/rerank": rerank,
}
ERRORS = error
