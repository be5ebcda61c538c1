"""Anthropic's API: /v1/messages, its token counts and batches, and /v1/complete of old; whole or as named events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
}
_CREATED = "2025-10-09T08:53:20Z"


def create(request: Request) -> Reply | Stream:
    """Answer messages."""
    blocks = _blocks(request)
    message: Json = {
        "id": request.state.next_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": request.answering_model,
        "content": blocks,
        "stop_reason": _stop_reason(request, blocks),
        "stop_sequence": None,
        "usage": _usage(request, blocks),
    }
    return Stream(_events(message), failing=_FAILING) if request.body.get("stream") else Reply(message)


def complete(request: Request) -> Reply | Stream:
    """Answer a prompt, as the API did before messages."""
    text = answers.reply(str(request.body.get("prompt")).replace("\n\nHuman:", "").replace("\n\nAssistant:", ""), [])
    frame: Json = {"type": "completion", "id": request.state.next_id("compl_"), "model": request.answering_model}
    if request.body.get("stream"):
        pieces = [{**frame, "completion": piece, "stop_reason": None} for piece in answers.pieces(text)]
        last = {**frame, "completion": "", "stop_reason": "stop_sequence"}
        return Stream((event(each, "completion") for each in (*pieces, last)), failing=_FAILING)
    return Reply({**frame, "completion": text, "stop_reason": "stop_sequence", "stop": "\n\nHuman:"})


def count_tokens(request: Request) -> Reply:
    """Answer with the tokens that messages would be."""
    return Reply({"input_tokens": answers.count(request.body.get("messages"))})


def create_batch(request: Request) -> Reply:
    """Take a batch of requests."""
    counts = {"processing": len(request.body["requests"]), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    return Reply(
        {
            "id": request.state.next_id("msgbatch_"),
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": counts,
            "created_at": _CREATED,
            "expires_at": _CREATED,
            "ended_at": None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": None,
        }
    )


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; the API tells a type of its own, by the status."""
    assert code is None or kind is not None
    return Reply({"type": "error", "error": {"type": _KINDS.get(status, "api_error"), "message": message}}, status)


def _blocks(request: Request) -> list[Json]:
    said = request.body.get("messages")
    prompt = answers.last_prompt(_without_results(said))
    thought = {"type": "thinking", "thinking": "First I think about it.", "signature": "c3R1Yg=="}
    blocks = [thought] if (request.body.get("thinking") or {}).get("type") in ("enabled", "adaptive") else []
    results = _results(said)
    if "search" in request.switches:
        blocks += _search(request)
    tools = [tool for tool in request.body.get("tools") or [] if "input_schema" in tool]
    if tools and not results:
        return [*blocks, *(_tool_use(request, tool, prompt) for tool in tools[:2])]
    text: Json = {"type": "text", "text": _text(request, prompt, results)}
    if "search" in request.switches:
        text["citations"] = [_CITATION]
    return [*blocks, text]


def _tool_use(request: Request, tool: Json, prompt: str) -> Json:
    given = answers.instance(tool["input_schema"], prompt)
    return {"type": "tool_use", "id": request.state.next_id("toolu_"), "name": tool["name"], "input": given}


def _search(request: Request) -> list[Json]:
    call_id = request.state.next_id("srvtoolu_")
    found = {"type": "web_search_result", "url": "https://example.org", "title": "Trips", "encrypted_content": "x"}
    return [
        {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {"query": "trips"}},
        {"type": "web_search_tool_result", "tool_use_id": call_id, "content": [{**found, "page_age": None}]},
    ]


def _text(request: Request, prompt: str, results: list[str]) -> str:
    form = (request.body.get("output_config") or {}).get("format") or request.body.get("output_format") or {}
    if form.get("type") == "json_schema":
        return json.dumps(answers.instance(form.get("schema", {}), prompt))
    return answers.reply(prompt, results)


def _results(messages: Any) -> list[str]:
    """Return what tools answered with the last message."""
    last = messages[-1].get("content") if isinstance(messages, list) and messages else None
    blocks = last if isinstance(last, list) else []
    return [text for block in blocks if block.get("type") == "tool_result" for text in answers.texts(block)]


def _without_results(messages: Any) -> Any:
    given = messages if isinstance(messages, list) else []
    return [each for each in given if isinstance(each.get("content"), str) or not _results([each])]


def _stop_reason(request: Request, blocks: list[Json]) -> str:
    if "length" in request.switches:
        return "max_tokens"
    if "refusal" in request.switches:
        return "refusal"
    return "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"


def _usage(request: Request, blocks: list[Json]) -> Json:
    prompt = answers.count([request.body.get("system"), request.body.get("messages")])
    answer = sum(8 if block["type"] == "tool_use" else answers.count(block) for block in blocks)
    usage: Json = {"input_tokens": prompt, "output_tokens": answer, "service_tier": "standard"}
    if "cached" in request.switches:
        usage |= {"cache_read_input_tokens": 20, "cache_creation_input_tokens": 10}
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 3}
    if "reasoning" in request.switches:
        usage["output_tokens"] += 64
        usage["output_tokens_details"] = {"thinking_tokens": 64}
    return usage


def _events(message: Json) -> Iterator[bytes]:
    blocks, usage = message["content"], message["usage"]
    first = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    first["usage"].pop("output_tokens_details", None)
    yield _event({"type": "message_start", "message": first})
    yield _event({"type": "ping"})
    for index, block in enumerate(blocks):
        started, deltas = _deltas(block)
        yield _event({"type": "content_block_start", "index": index, "content_block": started})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    final = {key: usage[key] for key in ("output_tokens", "output_tokens_details") if key in usage}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": ended, "usage": final})
    yield _event({"type": "message_stop"})


def _deltas(block: Json) -> tuple[Json, list[Json]]:
    """Return a block as it starts, and what completes it."""
    kind = block["type"]
    if kind == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in answers.pieces(block["text"])]
        deltas += [{"type": "citations_delta", "citation": each} for each in block.get("citations", ())]
        return {"type": "text", "text": ""}, deltas
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in answers.pieces(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if "input" in block:
        given = json.dumps(block["input"])
        halves = ("", given[: len(given) // 2], given[len(given) // 2 :])
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]
    return block, []


def _event(body: Json) -> bytes:
    return event(body, body["type"])


_CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.org",
    "title": "Trips",
    "cited_text": "trips",
    "encrypted_index": "x",
}
_FAILING = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")

ROUTES = {
    "POST /messages/count_tokens": count_tokens,
    "POST /messages/batches": create_batch,
    "POST /messages": create,
    "POST /complete": complete,
}
ERRORS = error
