"""Cohere's API in both versions: chat whole and as events, embeddings, reranking, generation and classification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers, chat
from .wire import Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request


def converse(request: Request) -> Reply | Stream:
    """Answer a chat of the second version."""
    said = request.body.get("messages")
    prompt = answers.last_prompt(said)
    results = chat.tool_results(said)
    tools = [tool["function"] for tool in request.body.get("tools") or []]
    calls = [] if results else _calls(request, tools, prompt)
    text = _text(request, prompt, results)
    usage = _usage(request, answers.count(said), len(answers.pieces(text)))
    reason = "MAX_TOKENS" if "length" in request.switches else "TOOL_CALL" if calls else "COMPLETE"
    reply_id = request.state.next_id("coh-")
    if request.body.get("stream"):
        events = _events(request, reply_id, calls, text)
        end = {"id": reply_id, "delta": {"finish_reason": reason, **usage}}
        failed = {"id": reply_id, "delta": {"finish_reason": "ERROR", "error": "overloaded"}}
        return Stream(
            _framed([*events, ("message-end", end)]),
            failing=event({"type": "message-end", **failed}, "message-end"),
        )
    message: Json = {"role": "assistant"}
    if calls:
        message |= {"tool_plan": _PLAN, "tool_calls": calls}
    else:
        message["content"] = [*_thoughts(request), {"type": "text", "text": text}]
    return Reply({"id": reply_id, "finish_reason": reason, "message": message, **usage})


_PLAN = "I will look it up."
_THOUGHT = "First I think about it."


def _thoughts(request: Request) -> list[Json]:
    return [{"type": "thinking", "thinking": _THOUGHT}] if "thinking" in request.switches else []


def _calls(request: Request, tools: list[Json], prompt: str) -> list[Json]:
    return [
        {
            "id": request.state.next_id(f"{tool['name']}_"),
            "type": "function",
            "function": {
                "name": tool["name"],
                "arguments": answers.tool_arguments(tool.get("parameters"), prompt, request.switches),
            },
        }
        for tool in tools[:2]
    ]


def _text(request: Request, prompt: str, results: list[str]) -> str:
    schema = (request.body.get("response_format") or {}).get("json_schema")
    return json.dumps(answers.instance(schema, prompt)) if schema else answers.reply(prompt, results)


def _usage(request: Request, given: int, made: int) -> Json:
    """Return usage; what is billed leaves out what the service itself puts before the prompt."""
    if "no-usage" in request.switches:
        return {}
    tokens = {"input_tokens": float(given + 60), "output_tokens": float(made)}
    told: Json = {"tokens": tokens}
    if "unbilled" not in request.switches:
        told["billed_units"] = {"input_tokens": float(given), "output_tokens": float(made)}
    if "cached" in request.switches:
        told["cached_tokens"] = float(given // 2)
    return {"usage": told}


def _events(request: Request, reply_id: str, calls: list[Json], text: str) -> Iterator[tuple[str, Json]]:
    yield "message-start", {"id": reply_id, "delta": {"message": {"role": "assistant", "content": []}}}
    if calls:
        for piece in answers.pieces(_PLAN):
            yield "tool-plan-delta", {"delta": {"message": {"tool_plan": piece}}}
    for index, call in enumerate(calls):
        first = {**call, "function": {**call["function"], "arguments": ""}}
        yield "tool-call-start", {"index": index, "delta": {"message": {"tool_calls": first}}}
        arguments = call["function"]["arguments"]
        for piece in (arguments[:5], arguments[5:]):
            said = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield "tool-call-delta", {"index": index, "delta": said}
        yield "tool-call-end", {"index": index}
    if not calls:
        for index, part in enumerate([*_thoughts(request), {"type": "text", "text": text}]):
            kind = part["type"]
            start = {"message": {"content": {"type": kind, kind: ""}}}
            yield "content-start", {"index": index, "delta": start}
            for piece in answers.pieces(part[kind]):
                yield "content-delta", {"index": index, "delta": {"message": {"content": {kind: piece}}}}
            yield "content-end", {"index": index}


def _framed(events: list[tuple[str, Json]]) -> Iterator[bytes]:
    for name, data in events:
        yield event({"type": name, **data}, name)


def converse_v1(request: Request) -> Reply | Stream:
    """Answer a message of the first version."""
    prompt = str(request.body.get("message"))
    results = [json.dumps(each["outputs"]) for each in request.body.get("tool_results") or []]
    calls = [
        {"name": tool["name"], "parameters": dict.fromkeys(tool.get("parameter_definitions") or {}, "Lisbon")}
        for tool in request.body.get("tools") or []
        if not results
    ]
    text = "" if calls else answers.reply(prompt, results)
    whole: Json = {
        "response_id": request.state.next_id("res-"),
        "generation_id": request.state.next_id("gen-"),
        "text": text,
        "finish_reason": "COMPLETE",
        "chat_history": [],
        **_meta(request, answers.count(prompt), len(answers.pieces(text))),
    }
    if calls:
        whole["tool_calls"] = calls
    if not request.body.get("stream"):
        return Reply(whole)
    frames: list[Json] = [{"event_type": "stream-start", "generation_id": whole["generation_id"]}]
    frames += [{"event_type": "text-generation", "text": piece} for piece in answers.pieces(text)]
    frames += [{"event_type": "tool-calls-generation", "tool_calls": calls}] if calls else []
    return _lines([*frames, {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": whole}])


def generate(request: Request) -> Reply | Stream:
    """Answer a prompt of the first version."""
    prompt = str(request.body.get("prompt"))
    text = answers.reply(prompt, [])
    count = int(request.body.get("num_generations") or 1)
    generations = [
        {"id": request.state.next_id("gen-"), "text": text, "finish_reason": "COMPLETE"} for _ in range(count)
    ]
    whole = {"id": request.state.next_id("res-"), "prompt": prompt, "generations": generations}
    if request.body.get("stream"):
        pieces = [
            {"event_type": "text-generation", "text": piece, "is_finished": False} for piece in answers.pieces(text)
        ]
        end = {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": whole}
        return _lines([*pieces, end])
    return Reply({**whole, **_meta(request, answers.count(prompt), count * len(answers.pieces(text)))})


def _lines(frames: list[Json]) -> Stream:
    lines = [json.dumps({"is_finished": False, **frame}).encode() + b"\n" for frame in frames]
    return Stream(lines, content_type="application/stream+json")


def embed(request: Request) -> Reply:
    """Answer with a vector for each text, by kind of number where kinds were asked for."""
    texts = [text for name in ("texts", "images", "inputs") for text in request.body.get(name) or []]
    vectors = [[0.25, -0.5, 0.125] for _ in texts]
    kinds = request.body.get("embedding_types")
    by_type = kinds is not None or request.path.endswith("/v2/embed")
    body: Json = {
        "id": request.state.next_id("emb-"),
        "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
        "embeddings": dict.fromkeys(kinds or ["float"], vectors) if by_type else vectors,
        "texts": request.body.get("texts") or [],
    }
    return Reply({**body, **_meta(request, answers.count(texts))})


def rerank(request: Request) -> Reply:
    """Answer with the documents in the reverse of the order they came in."""
    documents = request.body.get("documents") or []
    order = list(reversed(range(len(documents))))[: int(request.body.get("top_n") or len(documents))]
    results = [{"index": index, "relevance_score": round(0.9 / (rank + 1), 4)} for rank, index in enumerate(order)]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1.0}}
    return Reply({"id": request.state.next_id("rerank-"), "results": results, "meta": meta})


def classify(request: Request) -> Reply:
    """Answer with the first example's label for every text."""
    label = (request.body.get("examples") or [{"label": "stub"}])[0]["label"]
    found = [
        {
            "id": request.state.next_id("cls-"),
            "input": text,
            "prediction": label,
            "predictions": [label],
            "confidence": 0.9,
            "confidences": [0.9],
            "labels": {label: {"confidence": 0.9}},
            "classification_type": "single-label",
        }
        for text in request.body.get("inputs") or []
    ]
    meta = {"api_version": {"version": "1"}, "billed_units": {"classifications": float(len(found))}}
    return Reply({"id": request.state.next_id("cla-"), "classifications": found, "meta": meta})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure; Cohere tells neither code nor kind."""
    assert code is None or kind is not None
    return Reply({"id": "err-stub", "message": message}, status)


def _meta(request: Request, given: int, made: int | None = None) -> Json:
    meta: Json = {"api_version": {"version": request.path.split("/")[-2].removeprefix("v")}}
    if "no-usage" not in request.switches:
        units: dict[str, Any] = {"input_tokens": float(given)}
        meta["billed_units"] = units if made is None else {**units, "output_tokens": float(made)}
        meta["tokens"] = {name: count + 3 for name, count in meta["billed_units"].items()}
    return {"meta": meta}


ROUTES = {
    "POST /v2/chat": converse,
    "POST /v1/chat": converse_v1,
    "POST /v1/generate": generate,
    "POST /v[12]/embed": embed,
    "POST /v2/rerank": rerank,
    "POST /cohere/v1/rerank": rerank,
    "POST /v1/classify": classify,
}
ERRORS = error
