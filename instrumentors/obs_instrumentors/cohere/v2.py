"""The second version of the API: messages and chunks are those of OpenAI's chat under other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from obs_instrumentors.wire.cohere import data_of, read_meta
from obs_instrumentors.wire.openai import chat
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.outcomes import Reader

from .endpoint import EMBED, RERANK, Method, finish_reason, read_sampling, tool_answer

if TYPE_CHECKING:
    from obs_instrumentors.wire.openai.chat import Chat


def chat_operation(body: dict[str, Any]) -> Chat:
    """Return the chat that a body in OpenAI's words asks for, without what only OpenAI has."""
    operation = cast("Chat", chat.ENDPOINT.begin(body))
    operation.extra = {}
    return operation


def _begin(body: dict[str, Any]) -> Chat:
    plain = {name: body[name] for name in body if name != "messages"}
    if content.wanted():
        plain["messages"] = [_message(each) for each in payload.as_list(body.get("messages"))]
    operation = chat_operation(plain)
    read_sampling(operation, body)
    return operation


def _begin_stream(body: dict[str, Any]) -> Chat:
    operation = _begin(body)
    operation.stream = True
    return operation


def _message(raw: Any) -> dict[str, Any]:
    """Return a message in OpenAI's shape: plans and thoughts are what it calls reasoning."""
    role, said = payload.get(raw, "role"), payload.get(raw, "content")
    plain = {name: payload.get(raw, name) for name in ("tool_calls", "tool_call_id")}
    if role == "tool":
        return {**plain, "role": role, "content": said if isinstance(said, str) else tool_answer(said)}
    parts = payload.as_list(said)
    thoughts = [payload.get(raw, "tool_plan"), *(payload.get(each, "thinking") for each in parts)]
    plain["reasoning_content"] = "".join(thought for thought in map(payload.as_text, thoughts) if thought)
    texts = [each for each in parts if payload.get(each, "type") != "thinking"]
    return {**plain, "role": role, "content": said if isinstance(said, str) else texts}


def _result(operation: Chat, returned: Any) -> None:
    response = data_of(returned)
    reason = finish_reason(payload.get(response, "finish_reason"))
    choice = {"message": _message(payload.get(response, "message")), "finish_reason": reason}
    chat.ENDPOINT.result(operation, {"id": payload.get(response, "id"), "choices": [choice]})
    read_meta(operation, payload.get(response, "usage"))


def _chunk(operation: Chat, event: Any) -> None:
    kind, delta = payload.get(event, "type"), payload.get(event, "delta")
    said = payload.get(delta, "message")
    choice: dict[str, Any] = {}
    if kind == "message-end":
        read_meta(operation, payload.get(delta, "usage"))
        choice["finish_reason"] = finish_reason(payload.get(delta, "finish_reason"))
        if payload.get(delta, "error") is not None:
            operation.error_type = "_OTHER"
    elif kind in ("content-start", "content-delta"):
        part = payload.get(said, "content")
        choice["delta"] = {
            "content": payload.get(part, "text"),
            "reasoning_content": payload.get(part, "thinking"),
        }
    elif kind == "tool-plan-delta":
        choice["delta"] = {"reasoning_content": payload.get(said, "tool_plan")}
    elif kind in ("tool-call-start", "tool-call-delta"):
        call, index = payload.get(said, "tool_calls"), payload.get(event, "index")
        made = {name: payload.get(call, name) for name in ("id", "function")}
        choice["delta"] = {"tool_calls": [{"index": index, **made}]}
    told = payload.get(event, "id") if kind == "message-start" else None
    _read(operation, {"id": told, "choices": [choice] if choice else []})


def _read(operation: Chat, chunk: dict[str, Any]) -> None:
    assert chat.ENDPOINT.chunk is not None
    chat.ENDPOINT.chunk(operation, chunk)


METHODS = {
    "chat": Method(_begin, Reader(_result)),
    "chat_stream": Method(_begin_stream, Reader(_result, chunk=_chunk, end=chat.ENDPOINT.end, lazy=True)),
    "embed": EMBED,
    "rerank": RERANK,
}
