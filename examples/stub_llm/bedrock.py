"""Amazon Bedrock: Converse, its stream, agents and knowledge bases; other bodies are in ``bedrock_bodies``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from . import answers, bedrock_bodies, eventstream
from .wire import Reply, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request

_KINDS = {
    400: "ValidationException",
    401: "AccessDeniedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


def converse(request: Request) -> Reply:
    """Answer a chat."""
    return Reply(_answer(request))


def converse_stream(request: Request) -> Stream:
    """Answer a chat event by event."""
    frames = (eventstream.event(kind, body) for kind, body in _events(request))
    return _stream(frames)


def invoke(request: Request) -> Reply:
    """Answer a body of a model's own format."""
    body, inputs, outputs = bedrock_bodies.whole(request, _answer)
    counts = {} if "no-usage" in request.switches else {"input": inputs, "output": outputs}
    headers = {f"x-amzn-bedrock-{name}-token-count": str(count) for name, count in counts.items() if count is not None}
    return Reply(body, headers=headers)


def invoke_stream(request: Request) -> Stream:
    """Answer a body of a model's own format piece by piece."""
    bodies, inputs, outputs = bedrock_bodies.pieces(request, _events)
    if "no-usage" not in request.switches:
        metrics = {"inputTokenCount": inputs, "outputTokenCount": outputs, "invocationLatency": 9}
        bodies[-1] = {**bodies[-1], "amazon-bedrock-invocationMetrics": metrics}
    return _stream(eventstream.chunk(body) for body in bodies)


def retrieve(request: Request) -> Reply:
    """Answer a search with two documents."""
    found = [
        {
            "content": {"text": f"{place} is worth a journey.", "type": "TEXT"},
            "location": {"type": "S3", "s3Location": {"uri": f"s3://guide/{place.lower()}.txt"}},
            "score": score,
        }
        for place, score in (("Lisbon", 0.75), ("Porto", 0.5))
    ]
    query = answers.texts(request.body.get("retrievalQuery"))
    return Reply({"retrievalResults": found if query else []})


def retrieve_and_generate(request: Request) -> Reply:
    """Answer a question from a knowledge base."""
    text = answers.reply(answers.last_prompt(request.body.get("input")), [])
    return Reply({"sessionId": "session-1", "output": {"text": text}, "citations": []})


def retrieve_and_generate_stream(request: Request) -> Stream:
    """Answer a question from a knowledge base in pieces."""
    text = answers.reply(answers.last_prompt(request.body.get("input")), [])
    return _stream(eventstream.event("output", {"text": piece}) for piece in answers.pieces(text))


def invoke_agent(request: Request) -> Stream:
    """Answer as an agent, with what it did on the way where that is asked for."""
    prompt = str(request.body.get("inputText"))
    text = answers.reply(prompt, [])
    frames = []
    if request.body.get("enableTrace"):
        used = {"inputTokens": answers.count(prompt), "outputTokens": answers.count(text)}
        output = {"modelInvocationOutput": {"metadata": {"usage": used}, "traceId": "trace-1"}}
        frames.append(eventstream.event("trace", {"trace": {"orchestrationTrace": output}, "sessionId": "session-1"}))
    encoded = (base64.b64encode(piece.encode()).decode() for piece in answers.pieces(text))
    return _stream([*frames, *(eventstream.event("chunk", {"bytes": piece}) for piece in encoded)])


def apply_guardrail(_request: Request) -> Reply:
    """Answer that nothing is wrong."""
    usage = dict.fromkeys(("topicPolicyUnits", "contentPolicyUnits", "wordPolicyUnits"), 1)
    return Reply({"usage": usage, "action": "NONE", "outputs": [], "assessments": []})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure in the shape of AWS."""
    assert code is None or kind is not None
    return Reply({"__type": _KINDS.get(status, "ServiceException"), "message": message}, status)


def _stream(frames: Any) -> Stream:
    failing = eventstream.failure("throttlingException", "Too many requests, please wait before trying again.")
    return Stream(frames, content_type=eventstream.CONTENT_TYPE, failing=failing)


def _answer(request: Request) -> Json:
    body = request.body
    blocks, reason = _blocks(request)
    answer: Json = {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": reason,
        "metrics": {"latencyMs": 9},
    }
    if "no-usage" not in request.switches:
        answer["usage"] = _usage(request, body, blocks)
    return answer


def _blocks(request: Request) -> tuple[list[Json], str]:
    said = request.body.get("messages")
    prompt = answers.last_prompt(said)
    results = [text for turn in said or [] for part in turn["content"] for text in _results(part)]
    tools = [tool["toolSpec"] for tool in (request.body.get("toolConfig") or {}).get("tools", []) if "toolSpec" in tool]
    blocks: list[Json] = []
    if "reasoning" in request.switches:
        blocks.append(
            {"reasoningContent": {"reasoningText": {"text": "First I think about it.", "signature": "c3R1Yg=="}}}
        )
    if tools and not results:
        for number, tool in enumerate(tools[:2], 1):
            wanted = answers.instance(tool["inputSchema"].get("json") or {}, prompt)
            blocks.append({"toolUse": {"toolUseId": f"tooluse_{number}", "name": tool["name"], "input": wanted}})
        return blocks, "tool_use"
    blocks.append({"text": _text(request, prompt, results)})
    return blocks, "max_tokens" if "length" in request.switches else "end_turn"


def _text(request: Request, prompt: str, results: list[str]) -> str:
    form = (request.body.get("outputConfig") or {}).get("textFormat") or {}
    if form.get("type") == "json_schema":
        return json.dumps(answers.instance(json.loads(form["structure"]["jsonSchema"]["schema"]), prompt))
    return answers.reply(prompt, results)


def _results(part: Json) -> list[str]:
    return answers.texts(part["toolResult"].get("content")) if "toolResult" in part else []


def _usage(request: Request, body: Json, blocks: list[Json]) -> Json:
    inputs = answers.count(body.get("messages"))
    outputs = answers.count(blocks) or 8
    cached = inputs // 2 if "cached" in request.switches else 0
    usage = {"inputTokens": inputs - cached, "outputTokens": outputs, "totalTokens": inputs + outputs}
    return usage | ({"cacheReadInputTokens": cached, "cacheWriteInputTokens": 0} if cached else {})


def _events(request: Request) -> Iterator[tuple[str, Json]]:
    answer = _answer(request)
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(answer["output"]["message"]["content"]):
        if "toolUse" in block:
            tool = block["toolUse"]
            start = {"toolUse": {"toolUseId": tool["toolUseId"], "name": tool["name"]}}
            yield "contentBlockStart", {"contentBlockIndex": index, "start": start}
        for delta in _deltas(block):
            yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": answer["stopReason"]}
    yield "metadata", {name: answer[name] for name in ("usage", "metrics") if name in answer}


def _deltas(block: Json) -> Iterator[Json]:
    if "toolUse" in block:
        written = json.dumps(block["toolUse"]["input"])
        for piece in (written[:5], written[5:]):
            yield {"toolUse": {"input": piece}}
    elif "reasoningContent" in block:
        for piece in answers.pieces(block["reasoningContent"]["reasoningText"]["text"]):
            yield {"reasoningContent": {"text": piece}}
    else:
        for piece in answers.pieces(block["text"]):
            yield {"text": piece}


ROUTES: dict[str, Callable[[Request], Reply | Stream]] = {
    "POST /model/*/converse": converse,
    "POST /model/*/converse-stream": converse_stream,
    "POST /model/*/invoke": invoke,
    "POST /model/*/invoke-with-response-stream": invoke_stream,
    "POST /knowledgebases/*/retrieve": retrieve,
    "POST /retrieveAndGenerate": retrieve_and_generate,
    "POST /retrieveAndGenerateStream": retrieve_and_generate_stream,
    "POST /agents/*/agentAliases/*/sessions/*/text": invoke_agent,
    "POST /guardrail/*/version/*/apply": apply_guardrail,
}
ERRORS = error
