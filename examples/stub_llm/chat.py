"""POST /chat/completions, whole and streamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import CREATED, DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request


def create(request: Request) -> Reply | Stream:
    """Answer a chat request."""
    messages = [_message(request, index) for index in range(int(request.body.get("n") or 1))]
    reason = _finish_reason(request, messages[0])
    usage = _usage(request, messages)
    completion_id = request.state.next_id("chatcmpl-")
    if request.body.get("stream"):
        return Stream(_chunks(request, completion_id, messages, reason, usage))
    body = _frame(request, completion_id, "chat.completion")
    body["choices"] = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": reason}
        for index, message in enumerate(messages)
    ]
    if "no-usage" not in request.switches:
        body["usage"] = usage
    return Reply(body)


def _frame(request: Request, completion_id: str, kind: str) -> Json:
    return {
        "id": completion_id,
        "object": kind,
        "created": CREATED,
        "model": request.answering_model,
        "service_tier": request.body.get("service_tier") or "default",
        "system_fingerprint": request.switches.get("fingerprint", "fp_stub"),
    }


def _message(request: Request, index: int) -> Json:
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    if "refusal" in request.switches:
        return message | {"refusal": "I'm sorry, I cannot assist with that request."}
    prompt = answers.last_prompt(request.body.get("messages"))
    calls = _tool_calls(request, prompt)
    if calls and "functions" in request.body:
        return message | {"function_call": calls[0]["function"]}
    if calls:
        return message | {"tool_calls": calls}
    text = _text(request, prompt)
    message["content"] = text if index == 0 else f"{text} (choice {index + 1})"
    if "reasoning-content" in request.switches:
        message["reasoning_content"] = "First I think about it."
    if "audio" in (request.body.get("modalities") or []):
        message["audio"] = {"id": "audio_stub", "data": "c3R1Yg==", "expires_at": CREATED + 3600, "transcript": text}
        message["content"] = None
    return message


def _text(request: Request, prompt: str) -> str:
    wanted = request.body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(answers.instance(wanted["json_schema"].get("schema", {}), prompt))
    if wanted.get("type") == "json_object":
        return json.dumps({"answer": answers.reply(prompt, [])})
    return answers.reply(prompt, tool_results(request.body.get("messages")))


def tool_results(messages: Any) -> list[str]:
    """Return what tools answered since the user spoke last."""
    results: list[str] = []
    for message in messages if isinstance(messages, list) else []:
        if message.get("role") == "user":
            results.clear()
        elif message.get("role") in {"tool", "function"}:
            results.extend(answers.texts(message.get("content")))
    return results


def _rounds(messages: Any) -> int:
    rounds = 0
    for message in messages if isinstance(messages, list) else []:
        if message.get("role") == "user":
            rounds = 0
        elif message.get("tool_calls") or message.get("function_call"):
            rounds += 1
    return rounds


def _tool_calls(request: Request, prompt: str) -> list[Json]:
    body = request.body
    tools = [tool["function"] for tool in body.get("tools") or [] if "function" in tool] or body.get("functions") or []
    choice = body.get("tool_choice")
    if not tools or choice == "none" or "text" in request.switches:
        return []
    if _rounds(body.get("messages")) >= int(request.switches.get("tool-rounds") or 1):
        return []
    if isinstance(choice, dict) and "function" in choice:
        tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]]
    wanted = int(request.switches.get("calls") or min(2, len(tools)))
    if body.get("parallel_tool_calls") is False:
        wanted = 1
    return [
        {
            "id": request.state.next_id("call_"),
            "type": "function",
            "function": {
                "name": tool["name"],
                "arguments": answers.tool_arguments(tool.get("parameters"), prompt, request.switches),
            },
        }
        for tool in (tools[number % len(tools)] for number in range(wanted))
    ]


def _finish_reason(request: Request, message: Json) -> str:
    if "length" in request.switches:
        return "length"
    if "content-filter" in request.switches:
        return "content_filter"
    if message.get("tool_calls"):
        return "tool_calls"
    return "function_call" if message.get("function_call") else "stop"


def _usage(request: Request, messages: list[Json]) -> Json:
    answer = sum(answers.count(message) + 8 * len(message.get("tool_calls") or []) for message in messages)
    return answers.chat_usage(answers.count(request.body.get("messages")), answer, request.switches)


def _chunks(request: Request, completion_id: str, messages: list[Json], reason: str, usage: Json) -> Iterator[bytes]:
    frame = _frame(request, completion_id, "chat.completion.chunk")
    asked = bool((request.body.get("stream_options") or {}).get("include_usage"))
    if asked or "stream-usage" in request.switches:
        frame["usage"] = None
    if request.azure:
        filtered = [{"prompt_index": 0, "content_filter_results": {}}]
        yield event(
            {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": filtered}
        )
    for index, message in enumerate(messages):
        for delta in _deltas(message):
            yield event(frame | {"choices": [_choice(index, delta, None)]})
    for index in range(len(messages)):
        last = frame | {"choices": [_choice(index, {}, reason)]}
        if "x-groq" in request.switches and index == len(messages) - 1:
            last["x_groq"] = {"id": "req_stub", "usage": usage}
        yield event(last)
    if "usage" in frame:
        yield event(frame | {"choices": [], "usage": usage})
    if "no-done" not in request.switches:
        yield DONE


def _choice(index: int, delta: Json, reason: str | None) -> Json:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _deltas(message: Json) -> Iterator[Json]:
    first: Json = {"role": "assistant", "content": None if message.get("tool_calls") else "", "refusal": None}
    yield first
    for thought in answers.pieces(message.get("reasoning_content") or ""):
        yield {"reasoning_content": thought}
    for key in ("content", "refusal"):
        for piece in answers.pieces(message.get(key) or ""):
            yield {key: piece}
    for index, call in enumerate(message.get("tool_calls") or []):
        yield {"tool_calls": [{"index": index} | call | {"function": call["function"] | {"arguments": ""}}]}
        for piece in _halves(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
    function = message.get("function_call")
    if function:
        yield {"function_call": {"name": function["name"], "arguments": ""}}
        for piece in _halves(function["arguments"]):
            yield {"function_call": {"arguments": piece}}


def _halves(text: str) -> tuple[str, str]:
    middle = len(text) // 2
    return text[:middle], text[middle:]
