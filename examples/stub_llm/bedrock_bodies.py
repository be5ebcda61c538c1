"""Bodies that the makers of models in Bedrock chose themselves, told apart by the request's shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request

_VECTOR = [0.25, -0.5, 0.125]


def whole(request: Request, nova: Callable[[Request], Json]) -> tuple[Json, int, int | None]:
    """Return a whole answer and the tokens that the headers tell of it."""
    body = request.body
    if "texts" in body:
        return {"id": "embed-1", "embeddings": [_VECTOR for _ in body["texts"]]}, answers.count(body["texts"]), None
    if "inputText" in body and "textGenerationConfig" not in body:
        count = answers.count(body["inputText"])
        return {"embedding": _VECTOR, "inputTextTokenCount": count}, count, None
    if "query" in body:
        ranked = [{"index": index, "relevance_score": 0.5**index} for index in reversed(range(len(body["documents"])))]
        return {"id": "rerank-1", "results": sorted(ranked, key=lambda one: -float(one["relevance_score"]))}, 1, None
    if "schemaVersion" in body:
        answer = nova(request)
        return answer, answers.count(body["messages"]), answers.count(answer["output"]["message"]["content"])
    prompt = _prompt(body)
    text = answers.reply(prompt, [])
    inputs, outputs = answers.count(prompt), answers.count(text)
    return _plain(request, text, inputs, outputs), inputs, outputs


def pieces(request: Request, nova: Callable[[Request], Iterator[tuple[str, Json]]]) -> tuple[list[Json], int, int]:
    """Return the pieces of an answer, and the tokens that the last one tells."""
    body = request.body
    if "schemaVersion" in body:
        return [{kind: told} for kind, told in nova(request)], answers.count(body["messages"]), 8
    prompt = _prompt(body)
    text = answers.reply(prompt, [])
    inputs, outputs = answers.count(prompt), answers.count(text)
    if "anthropic_version" in body:
        return list(_anthropic_events(request, inputs, outputs)), inputs, outputs
    said = answers.pieces(text)
    made = [_piece(body, piece, last=number == len(said)) for number, piece in enumerate(said, 1)]
    return made, inputs, outputs


def _prompt(body: Json) -> str:
    given = body.get("prompt") or body.get("inputText") or body.get("message")
    return str(given) if given else answers.last_prompt(body.get("messages"))


def _plain(request: Request, text: str, inputs: int, outputs: int) -> Json:
    body = request.body
    if "anthropic_version" in body:
        return _anthropic(request, inputs, outputs)
    if "inputText" in body:
        said = {"tokenCount": outputs, "outputText": text, "completionReason": "FINISH"}
        return {"inputTextTokenCount": inputs, "results": [said]}
    if "max_gen_len" in body:
        counts = {"prompt_token_count": inputs, "generation_token_count": outputs}
        return {"generation": text, "stop_reason": "stop", **counts}
    if "message" in body:
        return {"response_id": "cohere-1", "text": text, "finish_reason": "COMPLETE", "chat_history": []}
    if "messages" in body:
        message = {"role": "assistant", "content": text}
        return {"choices": [{"index": 0, "message": message, "stop_reason": "stop"}]}
    return {"outputs": [{"text": text, "stop_reason": "stop"}]}


def _piece(body: Json, text: str, *, last: bool) -> Json:
    if "inputText" in body:
        return {"index": 0, "outputText": text, "completionReason": "FINISH" if last else None}
    if "max_gen_len" in body:
        return {"generation": text, "stop_reason": "stop" if last else None}
    if "message" in body:
        return {"text": text, "is_finished": last, **({"finish_reason": "COMPLETE"} if last else {})}
    if "messages" in body:
        reason = "stop" if last else None
        return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "stop_reason": reason}]}
    return {"outputs": [{"text": text, "stop_reason": "stop" if last else None}]}


def _anthropic(request: Request, inputs: int, outputs: int) -> Json:
    model = unquote(request.path.split("/model/")[1].split("/")[0]).partition("+")[0]
    usage = {"input_tokens": inputs, "output_tokens": outputs}
    if "cached" in request.switches:
        usage |= {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}
    answer: Json = {
        "id": "msg_bdrk_1",
        "type": "message",
        "role": "assistant",
        "model": model.removeprefix("anthropic."),
        "content": _anthropic_blocks(request),
        "stop_reason": "tool_use" if request.body.get("tools") else "end_turn",
        "stop_sequence": None,
    }
    return answer if "no-usage" in request.switches else {**answer, "usage": usage}


def _anthropic_blocks(request: Request) -> list[Json]:
    prompt = _prompt(request.body)
    tools: list[Any] = request.body.get("tools") or []
    calls = [
        {
            "type": "tool_use",
            "id": f"toolu_{number}",
            "name": tool["name"],
            "input": answers.instance(tool.get("input_schema") or {}, prompt),
        }
        for number, tool in enumerate(tools[:2], 1)
    ]
    return calls or [{"type": "text", "text": answers.reply(prompt, [])}]


def _anthropic_events(request: Request, inputs: int, outputs: int) -> Iterator[Json]:
    answer = _anthropic(request, inputs, outputs)
    usage = answer.get("usage")
    start = {**answer, "content": [], "stop_reason": None}
    if usage:
        start["usage"] = {**usage, "output_tokens": 1}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(answer["content"]):
        if block["type"] == "tool_use":
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}
            written = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield {"type": "content_block_delta", "index": index, "delta": written}
        else:
            yield {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
            for piece in answers.pieces(block["text"]):
                delta = {"type": "text_delta", "text": piece}
                yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended: Json = {"type": "message_delta", "delta": {"stop_reason": answer["stop_reason"], "stop_sequence": None}}
    yield ended if usage is None else {**ended, "usage": {"output_tokens": outputs}}
    yield {"type": "message_stop"}
