"""POST /responses, whole and as typed events; retrieving, deleting and compacting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import CREATED, Reply, Stream, error, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .wire import Json, Request


def create(request: Request) -> Reply | Stream:
    """Answer a Responses request."""
    earlier = request.body.get("previous_response_id")
    if earlier and earlier not in request.state.responses:
        message = f"Previous response with id '{earlier}' not found."
        return error(400, message, "previous_response_not_found")
    response = _response(request)
    request.state.responses[response["id"]] = response
    if request.body.get("stream"):
        return Stream(_events(response))
    return Reply(response)


def retrieve(request: Request) -> Reply | Stream:
    """Answer with a response given earlier, as events when asked."""
    response_id = request.path.rpartition("/")[2]
    response = request.state.responses.get(response_id)
    if response is None:
        return _missing(response_id)
    return Stream(_events(response)) if request.query.get("stream") == "true" else Reply(response)


def delete(request: Request) -> Reply:
    """Forget a response."""
    response_id = request.path.rpartition("/")[2]
    if request.state.responses.pop(response_id, None) is None:
        return _missing(response_id)
    return Reply({"id": response_id, "object": "response", "deleted": True})


def compact(request: Request) -> Reply:
    """Answer with a compaction of the input."""
    item = {"id": request.state.next_id("cmp_"), "type": "compaction", "encrypted_content": "c3R1Yg=="}
    usage = answers.item_usage(answers.count(request.body.get("input")), 9, request.switches)
    body = {"id": request.state.next_id("resp_"), "object": "response.compaction", "created_at": CREATED}
    return Reply(body | {"output": [item], "usage": usage})


def _missing(response_id: str) -> Reply:
    return error(404, f"Response with id '{response_id}' not found.")


def _response(request: Request) -> Json:
    body = request.body
    output = _output(request)
    status, problem, incomplete = "completed", None, None
    if "failed" in request.switches:
        status, output = "failed", []
        problem = {"code": "server_error", "message": "The model failed to generate a response."}
    elif "incomplete" in request.switches or "length" in request.switches:
        status, incomplete = "incomplete", {"reason": "max_output_tokens"}
        output[-1]["status"] = "incomplete"
    prompt = answers.count(body.get("instructions")) + answers.count(body.get("input"))
    previous = request.state.responses.get(body.get("previous_response_id") or "")
    if previous and previous["usage"]:
        prompt += previous["usage"]["total_tokens"]
    usage = answers.item_usage(prompt, answers.count(output), request.switches)
    return _echo(body) | {
        "id": request.state.next_id("resp_"),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": problem,
        "incomplete_details": incomplete,
        "model": request.answering_model,
        "output": output,
        "usage": None if status == "failed" or "no-usage" in request.switches else usage,
    }


def _echo(body: Json) -> Json:
    conversation = body.get("conversation")
    return {
        "background": False,
        "conversation": {"id": conversation} if isinstance(conversation, str) else conversation,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": body.get("service_tier") or "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "user": None,
        "metadata": body.get("metadata") or {},
    }


def _output(request: Request) -> list[Json]:
    prompt = answers.last_prompt(request.body.get("input"))
    items: list[Json] = []
    if "reasoning" in request.switches:
        summary = [{"type": "summary_text", "text": "First I think about it."}]
        items.append({"id": request.state.next_id("rs_"), "type": "reasoning", "summary": summary})
    tools = request.body.get("tools") or []
    if any(str(tool.get("type")).startswith("web_search") for tool in tools):
        action = {"type": "search", "query": prompt}
        search = {"id": request.state.next_id("ws_"), "type": "web_search_call", "status": "completed"}
        items.append(search | {"action": action})
    calls = _calls(request, prompt)
    return items + (calls or [_message(request, prompt)])


def _calls(request: Request, prompt: str) -> list[Json]:
    body = request.body
    tools = [tool for tool in body.get("tools") or [] if tool.get("type") in {"function", "custom"}]
    answered = _tool_results(body.get("input"))
    if not tools or answered or body.get("tool_choice") == "none" or {"text", "refusal"} & set(request.switches):
        return []
    wanted = int(request.switches.get("calls") or min(2, len(tools)))
    if body.get("parallel_tool_calls") is False:
        wanted = 1
    return [_call(request, tools[number % len(tools)], prompt) for number in range(wanted)]


def _call(request: Request, tool: Json, prompt: str) -> Json:
    call = {"call_id": request.state.next_id("call_"), "name": tool["name"], "status": "completed"}
    if tool["type"] == "custom":
        return {"id": request.state.next_id("ctc_"), "type": "custom_tool_call", "input": prompt} | call
    arguments = answers.tool_arguments(tool.get("parameters"), prompt, request.switches)
    return {"id": request.state.next_id("fc_"), "type": "function_call", "arguments": arguments} | call


def _tool_results(items: Any) -> list[str]:
    results: list[str] = []
    for item in items if isinstance(items, list) else []:
        if item.get("role") == "user":
            results.clear()
        elif str(item.get("type")).endswith("_call_output"):
            results.extend(answers.texts(item.get("output")))
    return results


def _message(request: Request, prompt: str) -> Json:
    part: Json
    if "refusal" in request.switches:
        part = {"type": "refusal", "refusal": "I'm sorry, I cannot assist with that request."}
    else:
        part = {"type": "output_text", "text": _text(request, prompt), "annotations": [], "logprobs": []}
    message = {"id": request.state.next_id("msg_"), "type": "message", "status": "completed", "role": "assistant"}
    return message | {"content": [part]}


def _text(request: Request, prompt: str) -> str:
    wanted = (request.body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(answers.instance(wanted.get("schema") or {}, prompt))
    if wanted.get("type") == "json_object":
        return json.dumps({"answer": answers.reply(prompt, [])})
    return answers.reply(prompt, _tool_results(request.body.get("input")))


def _events(response: Json) -> Iterator[bytes]:
    for number, (kind, data) in enumerate(_story(response)):
        yield event({"type": kind, "sequence_number": number} | data, kind)


def _story(response: Json) -> Iterator[tuple[str, Json]]:
    opening = response | {"status": "in_progress", "output": [], "usage": None}
    opening |= {"error": None, "incomplete_details": None}
    yield "response.created", {"response": opening}
    yield "response.in_progress", {"response": opening}
    for index, item in enumerate(response["output"]):
        place = {"output_index": index}
        yield "response.output_item.added", place | {"item": _begun(item)}
        yield from _item(item, place | {"item_id": item["id"]})
        yield "response.output_item.done", place | {"item": item}
    yield f"response.{response['status']}", {"response": response}


def _begun(item: Json) -> Json:
    emptied = {"content": [], "summary": [], "arguments": "", "input": ""}
    begun = item | {key: value for key, value in emptied.items() if key in item}
    return begun | ({"status": "in_progress"} if "status" in item else {})


def _item(item: Json, place: Json) -> Iterator[tuple[str, Json]]:
    if item["type"] == "message":
        yield from _part(item["content"][0], place | {"content_index": 0})
    elif item["type"] == "reasoning":
        yield from _summary(item["summary"][0], place | {"summary_index": 0})
    elif item["type"] == "web_search_call":
        for step in ("in_progress", "searching", "completed"):
            yield f"response.web_search_call.{step}", place
    else:
        kind, key = ("function_call_arguments", "arguments")
        if item["type"] == "custom_tool_call":
            kind, key = ("custom_tool_call_input", "input")
        middle = len(item[key]) // 2
        for half in (item[key][:middle], item[key][middle:]):
            yield f"response.{kind}.delta", place | {"delta": half}
        yield f"response.{kind}.done", place | {key: item[key], "name": item["name"]}


def _part(part: Json, place: Json) -> Iterator[tuple[str, Json]]:
    key = "refusal" if part["type"] == "refusal" else "text"
    kind = "refusal" if key == "refusal" else "output_text"
    extra: Json = {} if key == "refusal" else {"logprobs": []}
    yield "response.content_part.added", place | {"part": part | {key: ""}}
    for piece in answers.pieces(part[key]):
        yield f"response.{kind}.delta", place | {"delta": piece} | extra
    yield f"response.{kind}.done", place | {key: part[key]} | extra
    yield "response.content_part.done", place | {"part": part}


def _summary(part: Json, place: Json) -> Iterator[tuple[str, Json]]:
    yield "response.reasoning_summary_part.added", place | {"part": part | {"text": ""}}
    for piece in answers.pieces(part["text"]):
        yield "response.reasoning_summary_text.delta", place | {"delta": piece}
    yield "response.reasoning_summary_text.done", place | {"text": part["text"]}
    yield "response.reasoning_summary_part.done", place | {"part": part}
