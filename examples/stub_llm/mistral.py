"""Mistral's API where it is not OpenAI's: usage at the end of each stream, FIM, agents, conversations.

It stands under `/mistral`, because its paths are those of OpenAI's API.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers, chat, other, responses
from .wire import CREATED, DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

_KINDS = {400: "invalid_request_error", 401: "unauthorized", 422: "invalid_request_error", 429: "rate_limited"}
_MOMENT = "2025-10-09T08:53:20Z"


def converse(request: Request) -> Reply | Stream:
    """Answer a chat of a model or of an agent."""
    streamed = bool(request.body.pop("stream", False))
    answer = chat.create(request)
    if not isinstance(answer, Reply) or not isinstance(answer.body, dict):
        return answer
    whole = _trimmed(request, answer.body)
    return Stream(_chunks(whole)) if streamed else Reply(whole)


def complete(request: Request) -> Reply | Stream:
    """Answer what stands in the middle of a text."""
    request.body["messages"] = [{"role": "user", "content": request.body.get("prompt")}]
    return converse(request)


def embed(request: Request) -> Reply:
    """Answer with a vector for each text."""
    answer = other.embeddings(request)
    if not isinstance(answer.body, dict):
        return answer
    # No tokens go out, which Mistral says in so many words.
    used = {"usage": answer.body["usage"] | {"completion_tokens": 0}} if "usage" in answer.body else {}
    return Reply({"id": request.state.next_id("embd-"), **answer.body, **used})


def turn(request: Request) -> Reply | Stream:
    """Answer a turn of a conversation."""
    inputs = request.body.get("inputs") or []
    prompt = answers.last_prompt(inputs)
    results = (
        [each["result"] for each in inputs if each.get("type") == "function.result"] if isinstance(inputs, list) else []
    )
    tools = [tool["function"] for tool in request.body.get("tools") or [] if "function" in tool]
    conversation = request.path.partition("/conversations/")[2] or request.state.next_id("conv_")
    if tools and not results:
        outputs = [_call(request, tool, prompt) for tool in tools[:2]]
    else:
        outputs = [_message(request, answers.reply(prompt, results))]
    used: Json = {"prompt_tokens": answers.count(inputs), "completion_tokens": 8, "total_tokens": 0}
    if "connectors" in request.switches:
        used |= {"connector_tokens": 100, "connectors": {"web_search": 1}}
    used["total_tokens"] = sum(used.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "connector_tokens"))
    if request.body.get("stream"):
        return Stream(_events(conversation, outputs, used))
    return Reply(
        {"object": "conversation.response", "conversation_id": conversation, "outputs": outputs, "usage": used}
    )


def moderate(request: Request) -> Reply:
    """Answer with a verdict on each text."""
    given = request.body.get("input")
    verdict: Json = {"categories": {"sexual": False}, "category_scores": {"sexual": 0.01}}
    return Reply(
        {
            "id": request.state.next_id("mod-"),
            "model": request.model,
            "results": [verdict for _ in (given if isinstance(given, list) else [given])],
        }
    )


def read_document(request: Request) -> Reply:
    """Answer with the text of a document."""
    page = {"index": 0, "markdown": "# Stub", "images": [], "dimensions": None}
    return Reply({"pages": [page], "model": request.model, "usage_info": {"pages_processed": 1, "doc_size_bytes": 9}})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; Mistral's codes are numbers of its own."""
    assert code is None or kind is not None
    if status == 422:
        return Reply({"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]}, status)
    kind = _KINDS.get(status, "internal_server_error")
    return Reply({"object": "error", "message": message, "type": kind, "param": None, "code": "1000"}, status)


def _trimmed(request: Request, whole: Json) -> Json:
    """Leave out of OpenAI's answer what Mistral does not send."""
    for name in ("service_tier", "system_fingerprint"):
        whole.pop(name, None)
    for choice in whole["choices"]:
        message = choice["message"]
        choice.pop("logprobs", None)
        message.pop("refusal", None)
        for index, call in enumerate(message.get("tool_calls") or []):
            call["index"] = index
        if "thinking" in request.switches:
            thoughts = [{"type": "text", "text": "First I think about it."}]
            message["content"] = [
                {"type": "thinking", "thinking": thoughts},
                {"type": "text", "text": message["content"]},
            ]
    used = whole.get("usage") or {}
    cached = used.pop("prompt_tokens_details", {}).get("cached_tokens")
    used.pop("completion_tokens_details", None)
    if cached:
        used["prompt_tokens_details"] = {"cached_tokens": cached}
    return whole


def _chunks(whole: Json) -> Iterator[bytes]:
    frame = {"id": whole["id"], "object": "chat.completion.chunk", "created": CREATED, "model": whole["model"]}
    for choice in whole["choices"]:
        message, index = choice["message"], choice["index"]
        said = message.get("content")
        pieces: list[Any] = [[each] for each in said] if isinstance(said, list) else answers.pieces(said or "")
        deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
        if message.get("tool_calls"):
            deltas.append({"content": "", "tool_calls": message["tool_calls"]})
        for number, delta in enumerate(deltas):
            last = number == len(deltas) - 1
            reason = choice["finish_reason"] if last else None
            body = frame | {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}
            yield event(body | {"usage": whole["usage"]} if last and "usage" in whole else body)
    yield DONE


def _message(request: Request, text: str) -> Json:
    return {
        "object": "entry",
        "type": "message.output",
        "created_at": _MOMENT,
        "completed_at": _MOMENT,
        "id": request.state.next_id("msg_"),
        "model": request.body.get("model") or "mistral-medium-latest",
        "role": "assistant",
        "content": text,
    }


def _call(request: Request, tool: Json, prompt: str) -> Json:
    return {
        "object": "entry",
        "type": "function.call",
        "created_at": _MOMENT,
        "completed_at": _MOMENT,
        "id": request.state.next_id("fc_"),
        "tool_call_id": request.state.next_id("call_"),
        "name": tool["name"],
        "arguments": json.dumps(answers.instance(tool.get("parameters") or {}, prompt)),
    }


def _events(conversation: str, outputs: list[Json], used: Json) -> Iterator[bytes]:
    def typed(kind: str, **data: Any) -> bytes:
        return event({"type": kind, "created_at": _MOMENT, **data}, kind)

    yield typed("conversation.response.started", conversation_id=conversation)
    for number, entry in enumerate(outputs):
        if entry["type"] == "function.call":
            told = {name: entry[name] for name in ("id", "name", "tool_call_id", "arguments")}
            yield typed("function.call.delta", output_index=number, **told)
            continue
        for piece in answers.pieces(entry["content"]):
            told = {"id": entry["id"], "model": entry["model"], "role": "assistant", "content": piece}
            yield typed("message.output.delta", output_index=number, content_index=0, **told)
    yield typed("conversation.response.done", usage=used)


ROUTES = {
    "POST /mistral/v1/chat/completions": converse,
    "POST /mistral/chat/completions": converse,
    "POST /mistral/models/chat/completions": converse,
    "POST /mistral/v1/agents/completions": converse,
    "POST /mistral/v1/fim/completions": complete,
    "POST /mistral/v1/embeddings": embed,
    "POST /mistral/v1/conversations": turn,
    "POST /mistral/v1/conversations/*": turn,
    "POST /mistral/v1/responses": responses.create,
    "POST /mistral/v1/moderations": moderate,
    "POST /mistral/v1/ocr": read_document,
}
ERRORS = error
