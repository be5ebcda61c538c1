"""A server of Letta's: agents that it keeps, which call tools there, and their memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import answers
from .wire import DONE, Reply, Stream, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .wire import Json, Request

_MOMENT = "2025-10-09T08:53:20+00:00"
_USAGE = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42, "step_count": 1}
_ARGUMENTS = json.dumps({"city": "Lisbon"})


def converse(request: Request) -> Reply | Stream:
    """Answer what is said to an agent.

    Its words are the stub's switches: with `tools` it calls two tools of the server's, of which the second fails; with
    `stop=<reason>` it ends for that reason; with `failing` it tells an error amid the stream.
    """
    body = request.body
    told = _messages(request)
    reason = "requires_approval" if told[-1]["message_type"] == "approval_request_message" else "end_turn"
    stop = {"message_type": "stop_reason", "stop_reason": request.switches.get("stop", reason)}
    used = {"message_type": "usage_statistics", **_USAGE, "run_ids": [told[0]["run_id"]]}
    if "cached" in request.switches:
        used |= {"cached_input_tokens": 20, "cache_write_tokens": 5, "reasoning_tokens": 4}
    is_conversation = "/conversations/" in request.path
    if request.path.endswith("/stream") or body.get("streaming", is_conversation):
        return Stream(_events(request, told, [stop, used]))
    return Reply({"messages": told, "stop_reason": stop, "usage": used})


def start(request: Request) -> Reply:
    """Begin a run that goes on in the background."""
    agent_id = request.path.split("/")[-3]
    run = {"id": request.state.next_id("run-"), "agent_id": agent_id, "status": "created", "created_at": _MOMENT}
    return Reply(run)


def make_agent(request: Request) -> Reply:
    """Keep an agent."""
    agent_id = request.state.next_id("agent-")
    request.state.responses[agent_id] = {"name": "traveller", **request.body, "id": agent_id}
    return Reply(request.state.responses[agent_id])


def tell_agent(request: Request) -> Reply:
    """Tell what an agent is."""
    agent_id = request.path.rpartition("/")[2]
    named = {"id": agent_id, "name": "traveller", "model": "openai/gpt-5-mini"}
    return Reply(request.state.responses.get(agent_id, named))


def list_agents(request: Request) -> Reply:
    """List one agent, on the first page."""
    if "after" in request.query:
        return _listed([])
    return _listed([{"id": "agent-1", "name": "traveller", "model": "openai/gpt-5-mini"}])


def tell_block(request: Request) -> Reply:
    """Tell a block of memory as it is, or as the request would have it."""
    label = request.path.rpartition("/")[2]
    return Reply({"id": "block-1", "label": label, "value": "likes rain", **request.body})


def list_blocks(request: Request) -> Reply:
    """List one block, on the first page."""
    if "after" in request.query:
        return _listed([])
    return _listed([{"id": "block-1", "label": "human", "value": "likes rain"}])


def make_block(request: Request) -> Reply:
    """Keep a block."""
    return Reply({**request.body, "id": request.state.next_id("block-")})


def make_passages(request: Request) -> Reply:
    """Keep passages."""
    given = request.body.get("passages") or [request.body]
    kept = [{**each, "id": request.state.next_id("passage-")} for each in given]
    is_one = "/archives/" in request.path and not request.path.endswith("/batch")
    return Reply(kept[0]) if is_one else _listed(kept)


def search(request: Request) -> Reply:
    """Find one passage of an agent's."""
    assert request.query
    found = {"id": "passage-1", "content": "It rains in Lisbon.", "timestamp": _MOMENT}
    return Reply({"count": 1, "results": [found]})


def search_passages(_request: Request) -> Reply:
    """Find one passage of all."""
    return _listed([{"passage": {"id": "passage-1", "text": "It rains in Lisbon."}, "score": 0.5}])


def search_messages(_request: Request) -> Reply:
    """Find one message."""
    said = {"message_type": "user_message", "message_id": "message-1", "content": "Where to?", "created_at": _MOMENT}
    return _listed([said])


def run_tool(request: Request) -> Reply:
    """Run a tool; none but the weather's works."""
    works = "/weather/" in request.path
    return Reply({"status": "success" if works else "error", "func_return": "rain in Lisbon" if works else "nobody"})


def delete(_request: Request) -> Reply:
    """Forget something."""
    return Reply(b"null")


def error(status: int, message: str, code: str | None = None, kind: str = "") -> Reply:
    """Return a failure."""
    assert code is None or kind is not None
    return Reply({"detail": message}, status)


def _listed(elements: list[Any]) -> Reply:
    return Reply(json.dumps(elements).encode())


def _messages(request: Request) -> list[Json]:
    named = request.path.partition("/runs/")[2].partition("/")[0]
    run_id = named or request.state.next_id("run-")
    said = request.body.get("messages") or [{"role": "user", "content": request.body.get("input")}]
    prompt = answers.last_prompt(said)
    returns = [each for message in said for each in message.get("approvals") or message.get("tool_returns") or []]

    def message(kind: str, **fields: Any) -> Json:
        message_id = request.state.next_id("message-")
        return {"id": message_id, "date": _MOMENT, "run_id": run_id, "message_type": f"{kind}_message", **fields}

    told = [message("reasoning", reasoning="First I think about it.", source="reasoner_model")]
    asked = [tool["name"] for tool in request.body.get("client_tools") or []]
    if asked and not returns:
        return [*told, message("approval_request", **_calls(request, asked))]
    if "tools" in request.switches:
        calls = _calls(request, ["weather", "hotels"])
        told += [message("tool_call", **calls), message("tool_return", **_returned(calls["tool_calls"]))]
    results = [str(each.get("tool_return")) for each in returns]
    return [*told, message("assistant", content=answers.reply(prompt, results))]


def _calls(request: Request, names: list[str]) -> Json:
    calls = [
        {"name": name, "arguments": _ARGUMENTS, "tool_call_id": request.state.next_id("call_"), "type": "tool"}
        for name in names
    ]
    return {"tool_call": calls[0], "tool_calls": calls}


def _returned(calls: list[Json]) -> Json:
    returns = [
        {"tool_call_id": call["tool_call_id"], "status": status, "tool_return": given, "type": "tool"}
        for call, status, given in zip(calls, ("success", "error"), ("rain in Lisbon", "no hotels"), strict=True)
    ]
    return {**returns[0], "tool_returns": returns, "type": None}


def _events(request: Request, told: list[Json], last: list[Json]) -> Iterator[bytes]:
    for message in told:
        if "failing" in request.switches and message["message_type"] == "assistant_message":
            yield event({"message_type": "error_message", "error_type": "llm_timeout", "message": "Nobody answered."})
            last = [{"message_type": "stop_reason", "stop_reason": "llm_api_error"}]
            break
        for piece in _pieces(message) if request.body.get("stream_tokens") else [message]:
            yield event(piece)
    yield event({"message_type": "ping", "id": "ping-1", "date": _MOMENT})
    for message in last:
        yield event(message)
    yield DONE


def _pieces(message: Json) -> Iterator[Json]:
    if message["message_type"] == "assistant_message":
        for text in answers.pieces(message["content"]):
            yield {**message, "content": text}
    elif message["message_type"] == "tool_call_message":
        for call in message["tool_calls"]:
            half = len(call["arguments"]) // 2
            first, rest = call["arguments"][:half], call["arguments"][half:]
            for piece in ({**call, "arguments": first}, {"tool_call_id": call["tool_call_id"], "arguments": rest}):
                yield {**message, "tool_call": piece, "tool_calls": piece}
    else:
        yield message


ROUTES: dict[str, Callable[[Request], Reply | Stream]] = {
    "POST /v1/agents/*/messages": converse,
    "POST /v1/agents/*/messages/stream": converse,
    "POST /v1/agents/*/messages/async": start,
    "POST /v1/conversations/conv-*/messages": converse,
    "POST /v1/conversations/default/messages": converse,
    "POST /v1/runs/*/stream": converse,
    "POST /v1/agents": make_agent,
    "GET /v1/agents": list_agents,
    "GET /v1/agents/*/core-memory/blocks": list_blocks,
    "GET /v1/agents/*/core-memory/blocks/*": tell_block,
    "PATCH /v1/agents/*/core-memory/blocks/*": tell_block,
    "GET /v1/agents/*/archival-memory/search": search,
    "POST /v1/agents/*/archival-memory": make_passages,
    "DELETE /v1/agents/*/archival-memory/*": delete,
    "POST /v1/agents/*/tools/*/run": run_tool,
    "GET /v1/agents/agent-*": tell_agent,
    "GET /v1/blocks": list_blocks,
    "POST /v1/blocks": make_block,
    "GET /v1/blocks/*": tell_block,
    "DELETE /v1/blocks/*": delete,
    "POST /v1/archives/*/passages": make_passages,
    "POST /v1/archives/*/passages/batch": make_passages,
    "POST /v1/passages/search": search_passages,
    "POST /v1/messages/search": search_messages,
}
ERRORS = error
