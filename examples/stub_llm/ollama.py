"""Ollama's own API: /api/chat, /api/generate and /api/embed, whole or as lines of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import answers, chat
from .wire import Reply, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

_CREATED = "2025-10-09T08:53:20Z"


def converse(request: Request) -> Reply | Stream:
    """Answer a chat."""
    said = request.body.get("messages")
    prompt = answers.last_prompt(said)
    tools = [tool["function"] for tool in request.body.get("tools") or []]
    results = chat.tool_results(said)
    if tools and not results:
        calls = [
            {"function": {"name": one["name"], "arguments": answers.instance(one.get("parameters") or {}, prompt)}}
            for one in tools[:2]
        ]
        messages = [{"role": "assistant", "content": "", "tool_calls": calls}]
    else:
        messages = [{"role": "assistant", "content": text} for text in answers.pieces(_text(request, prompt, results))]
        if "thinking" in request.switches:
            messages.insert(0, {"role": "assistant", "content": "", "thinking": "First I think about it."})
    frames = [{"model": request.model, "created_at": _CREATED, "message": each} for each in messages]
    return _answer(request, frames, answers.count(said))


def generate(request: Request) -> Reply | Stream:
    """Answer a prompt."""
    prompt = str(request.body.get("prompt"))
    frames = [
        {"model": request.model, "created_at": _CREATED, "response": text}
        for text in answers.pieces(_text(request, prompt, []))
    ]
    return _answer(request, frames, answers.count(prompt))


def embed(request: Request) -> Reply:
    """Answer with a vector for each text."""
    given = request.body.get("input")
    texts = given if isinstance(given, list) else [given]
    body: Json = {"model": request.model, "embeddings": [[0.25, -0.5, 0.125] for _ in texts], "total_duration": 1}
    if "no-usage" not in request.switches:
        body["prompt_eval_count"] = answers.count(texts)
    return Reply(body)


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; Ollama tells neither code nor kind."""
    assert code is None or kind is not None
    return Reply({"error": message}, status)


def _text(request: Request, prompt: str, results: list[str]) -> str:
    wanted = request.body.get("format")
    if isinstance(wanted, dict):
        return json.dumps(answers.instance(wanted, prompt))
    return answers.reply(prompt, results)


def _answer(request: Request, frames: list[Json], prompt_tokens: int) -> Reply | Stream:
    last: Json = {"done": True, "done_reason": "stop", "total_duration": 9, "eval_duration": 5}
    if "no-usage" not in request.switches:
        last |= {"prompt_eval_count": prompt_tokens, "eval_count": len(frames)}
    # What the service does where a client says nothing.
    if request.body.get("stream", True):
        return Stream(_lines(frames, last), content_type="application/x-ndjson", failing=b'{"error": "overloaded"}\n')
    whole = {**frames[0], **last}
    if "message" in whole:
        text = "".join(frame["message"]["content"] for frame in frames)
        whole["message"] = {**whole["message"], "content": text}
    else:
        whole["response"] = "".join(frame["response"] for frame in frames)
    return Reply(whole)


def _lines(frames: list[Json], last: Json) -> Iterator[bytes]:
    for frame in frames:
        yield json.dumps({**frame, "done": False}).encode() + b"\n"
    empty = {"message": {"role": "assistant", "content": ""}} if "message" in frames[0] else {"response": ""}
    yield json.dumps({**frames[0], **empty, **last}).encode() + b"\n"


ROUTES = {"POST /api/chat": converse, "POST /api/generate": generate, "POST /api/embed": embed}
ERRORS = error
