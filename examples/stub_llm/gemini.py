"""Google's API for Gemini, of AI Studio and of Vertex AI: generateContent, embeddings, images, counting tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


def generate(request: Request) -> Reply:
    """Answer with the whole content."""
    answer = _answer(request, _parts(request))
    answer["candidates"][0]["finishReason"] = _reason(request)
    return Reply(_with_usage(request, answer))


def stream(request: Request) -> Reply | Stream:
    """Answer with the content piece by piece; every piece tells the usage so far."""
    failing = _event({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}})
    return Stream(_events(request), content_type="text/event-stream", failing=failing)


def embed(request: Request) -> Reply:
    """Answer with a vector for each text, without usage as AI Studio does it."""
    wanted = request.body.get("requests") or [request.body]
    vectors = [{"values": [0.25, -0.5, 0.125]} for _ in wanted]
    return Reply({"embeddings": vectors} if "requests" in request.body else {"embedding": vectors[0]})


def predict(request: Request) -> Reply:
    """Answer as Vertex AI's older endpoint does: vectors for texts, images for prompts."""
    asked = request.body.get("instances") or []
    if asked and "prompt" in asked[0]:
        count = int((request.body.get("parameters") or {}).get("sampleCount") or 1)
        return Reply({"predictions": [{"bytesBase64Encoded": "c3R1Yg==", "mimeType": "image/png"}] * count})
    made = [
        {
            "embeddings": {
                "values": [0.25, -0.5, 0.125],
                "statistics": {"truncated": False, "token_count": answers.count(each.get("content"))},
            }
        }
        for each in asked
    ]
    return Reply({"predictions": made, "metadata": {"billableCharacterCount": 9}})


def count_tokens(request: Request) -> Reply:
    """Answer with the number of tokens."""
    return Reply({"totalTokens": answers.count(_said(request)), "promptTokensDetails": []})


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure in the shape of Google's APIs."""
    assert code is None or kind is not None
    told = {"code": status, "message": message, "status": _STATUS.get(status, "INTERNAL")}
    return Reply({"error": told}, status)


def _model(request: Request) -> str:
    return request.path.rpartition("/")[2].partition(":")[0].partition("+")[0]


def _said(request: Request) -> list[Json]:
    """Return the contents as messages that the stub's answers understand."""
    asked = request.body.get("contents") or []
    return [{"role": each.get("role", "user"), "content": each.get("parts", [])} for each in asked]


def _parts(request: Request) -> list[Json]:
    said = _said(request)
    prompt = answers.last_prompt([each for each in said if answers.texts(each)])
    last = said[-1]["content"] if said else []
    results = [json.dumps(part["functionResponse"]["response"]) for part in last if "functionResponse" in part]
    tools = [tool for group in request.body.get("tools") or [] for tool in group.get("functionDeclarations") or []]
    if tools and not results:
        return [_call(request, tool, prompt) for tool in tools[:2]]
    thoughts = [{"text": "First I think about it.", "thought": True}] if "thoughts" in request.switches else []
    return [*thoughts, {"text": _text(request, prompt, results)}]


def _call(request: Request, tool: Json, prompt: str) -> Json:
    schema = tool.get("parametersJsonSchema") or tool.get("parameters_json_schema") or _lower(tool.get("parameters"))
    call = {"name": tool["name"], "args": answers.instance(schema or {}, prompt)}
    return {"functionCall": {"id": request.state.next_id("call_"), **call} if "ids" in request.switches else call}


def _lower(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_lower(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: value.lower() if key == "type" else _lower(value) for key, value in schema.items()}


def _text(request: Request, prompt: str, results: list[str]) -> str:
    wanted = request.body.get("generationConfig") or {}
    schema = wanted.get("responseJsonSchema") or _lower(wanted.get("responseSchema"))
    return json.dumps(answers.instance(schema, prompt)) if schema else answers.reply(prompt, results)


def _reason(request: Request) -> str:
    if "length" in request.switches:
        return "MAX_TOKENS"
    return "SAFETY" if "content-filter" in request.switches else "STOP"


def _answer(request: Request, parts: list[Json]) -> Json:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "modelVersion": _model(request),
        "responseId": request.state.next_id("resp-"),
    }


def _with_usage(request: Request, answer: Json) -> Json:
    if "no-usage" in request.switches:
        return answer
    everything = "usage-all" in request.switches
    prompt = answers.count(_said(request))
    said = sum(len(json.dumps(part)) // 8 for part in answer["candidates"][0]["content"]["parts"])
    used: Json = {"promptTokenCount": prompt, "candidatesTokenCount": said}
    if everything or "cached" in request.switches:
        used["cachedContentTokenCount"] = prompt // 2
    if everything or "reasoning" in request.switches:
        used["thoughtsTokenCount"] = 64
    if everything:
        used["toolUsePromptTokenCount"] = 7
        used["promptTokensDetails"] = [
            {"modality": "TEXT", "tokenCount": 2},
            {"modality": "IMAGE", "tokenCount": prompt - 2},
        ]
        used["toolUsePromptTokensDetails"] = [{"modality": "TEXT", "tokenCount": 7}]
        used["candidatesTokensDetails"] = [{"modality": "AUDIO", "tokenCount": said}]
        used["cacheTokensDetails"] = [{"modality": "AUDIO", "tokenCount": 1}]
    used["totalTokenCount"] = sum(used.get(name, 0) for name in _COUNTED)
    return {**answer, "usageMetadata": used}


_COUNTED = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")


def _events(request: Request) -> Iterator[bytes]:
    frames: list[Json] = []
    for part in _parts(request):
        pieces = answers.pieces(part["text"]) if "text" in part else [None]
        frames += [part if piece is None else {**part, "text": piece} for piece in pieces]
    whole = _with_usage(request, _answer(request, _parts(request)))
    for number, part in enumerate(frames):
        frame = {**whole, "candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}
        if number == len(frames) - 1:
            frame["candidates"][0]["finishReason"] = _reason(request)
        elif "usageMetadata" in frame:
            frame["usageMetadata"] = {**whole["usageMetadata"], "candidatesTokenCount": number + 1}
        yield _event(frame)


def _event(data: Json) -> bytes:
    return f"data: {json.dumps(data)}\r\n\r\n".encode()


def interact(request: Request) -> Reply | Stream:
    """Answer a turn of the interactions API."""
    asked = request.body.get("input")
    items: list[Any] = asked if isinstance(asked, list) else [asked]
    results = [json.dumps(each["result"]) for each in items if _kind(each) == "function_result"]
    prompt = " ".join(answers.texts(items))
    tools = [tool for tool in request.body.get("tools") or [] if tool.get("type") == "function"]
    if tools and not results:
        steps = [_function_call(request, tool, prompt) for tool in tools[:2]]
    else:
        said = {"type": "text", "text": answers.reply(prompt, results)}
        steps = [{"type": "model_output", "content": [said]}]
    if "thoughts" in request.switches:
        thought = {"type": "text", "text": "First I think about it."}
        steps.insert(0, {"type": "thought", "summary": [thought]})
    interaction: Json = {
        "id": request.state.next_id("int_"),
        "model": request.model,
        "status": "requires_action" if tools and not results else "completed",
        "created": _MOMENT,
        "updated": _MOMENT,
        "object": "interaction",
    }
    used = {"total_input_tokens": answers.count(items), "total_output_tokens": 6}
    if "usage-all" in request.switches:
        used |= {"total_thought_tokens": 64, "total_tool_use_tokens": 7, "total_cached_tokens": 1}
    hops = [] if "continuation" not in request.switches or "continuation_token" in request.body else [interaction]
    if hops:
        interaction |= {"status": "requires_continuation", "continuation_token": "c3R1Yg=="}
    request.state.responses[interaction["id"]] = interaction | {"steps": steps, "usage": used}
    if request.body.get("stream"):
        return Stream(_steps(interaction, steps, used))
    return Reply(interaction | {"steps": steps, "usage": used})


def fetch_interaction(request: Request) -> Reply:
    """Answer with what was answered before."""
    return Reply(request.state.responses[request.path.rpartition("/")[2]])


def _kind(item: Any) -> Any:
    return item.get("type") if isinstance(item, dict) else None


def _function_call(request: Request, tool: Json, prompt: str) -> Json:
    arguments = answers.instance(tool.get("parameters") or {}, prompt)
    call_id = request.state.next_id("call_")
    return {"type": "function_call", "id": call_id, "name": tool["name"], "arguments": arguments}


def _steps(interaction: Json, steps: list[Json], used: Json) -> Iterator[bytes]:
    yield event({"event_type": "interaction.created", "interaction": interaction | {"status": "in_progress"}})
    for index, step in enumerate(steps):
        if step["type"] == "function_call":
            yield event({"event_type": "step.start", "index": index, "step": step | {"arguments": {}}})
            delta: Json = {"type": "arguments_delta", "arguments": json.dumps(step["arguments"])}
            yield event({"event_type": "step.delta", "index": index, "delta": delta})
        else:
            yield event({"event_type": "step.start", "index": index, "step": {"type": step["type"]}})
            for said in step["summary" if step["type"] == "thought" else "content"]:
                for piece in answers.pieces(said["text"]):
                    thought = {"type": "thought_summary", "content": {"type": "text", "text": piece}}
                    delta = thought if step["type"] == "thought" else {"type": "text", "text": piece}
                    yield event({"event_type": "step.delta", "index": index, "delta": delta})
        yield event({"event_type": "step.stop", "index": index})
    yield event({"event_type": "interaction.completed", "interaction": interaction | {"usage": used}})
    yield DONE


_MOMENT = "2025-10-09T08:53:20Z"

ROUTES = {
    "POST :generateContent": generate,
    "POST :streamGenerateContent": stream,
    "POST :batchEmbedContents": embed,
    "POST :embedContent": embed,
    "POST :predict": predict,
    "POST :countTokens": count_tokens,
    "POST /interactions": interact,
    "GET /interactions/*": fetch_interaction,
}
ERRORS = error
