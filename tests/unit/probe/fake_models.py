"""Read by agents under test: a client of openai whose model answers what it is given, and shapes of such answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import openai

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def sse(events: list[Any]) -> bytes:
    """Return a body of server-sent events."""
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events) + b"data: [DONE]\n\n"


def answer(given: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    """Return a handler: bytes are a body of JSON, a list is a stream of events, a function is asked."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        told = given(request) if callable(given) else given
        if isinstance(told, list):
            stream = _Stream([sse([event]) for event in told] or [b""])
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    return handle


class _Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece.replace(b"data: [DONE]\n\n", b"") for piece in pieces] + [b"data: [DONE]\n\n"]

    def __iter__(self) -> Any:
        return iter(self._pieces)

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece


def client(given: Any, base_url: str = "http://127.0.0.1:9/v1", **more: Any) -> openai.OpenAI:
    """Return a client whose model answers what is given."""
    http = httpx2.Client(transport=httpx2.MockTransport(answer(given)), **more)
    return openai.OpenAI(api_key="k", base_url=base_url, max_retries=0, http_client=http)


def async_client(given: Any) -> openai.AsyncOpenAI:
    """Return an async client whose model answers what is given."""
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer(given)))
    return openai.AsyncOpenAI(api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0, http_client=http)


def completion(**message: Any) -> dict[str, Any]:
    """Return a chat completion."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi", **message}}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    return {**head, "choices": [choice], "usage": USAGE}


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk of one."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    return {**head, "choices": [choice], **more}


def usage_chunk() -> dict[str, Any]:
    """Return the chunk that tells the usage."""
    return {**chunk({}), "choices": [], "usage": USAGE}


def tool_call(name: str, arguments: str, call_id: str = "t1") -> dict[str, Any]:
    """Return the call of a tool."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


HELLO = [chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk({}, "stop")]


def response(*output: Any, **more: Any) -> dict[str, Any]:
    """Return a response of the Responses API."""
    fields: dict[str, Any] = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5-mini",
        "output": list(output),
    }
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "status": "completed", **more}
    counts: dict[str, Any] = {
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {**fields, "usage": {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150, **counts}, **more}


def response_events(item: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
    """Return the events of a response of one item, up to the last."""
    started = {**item, "arguments": ""} if "arguments" in item else item
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response(status="in_progress", usage=None)},
        {"type": "response.output_item.added", "output_index": 0, "item": started},
        *({"output_index": 0, "item_id": "i", **delta} for delta in deltas),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response(item)},
    ]
    return [{"sequence_number": number, **event} for number, event in enumerate(events)]
