"""Cohere's chat, second version: messages and chunks are those of OpenAI's under other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.cohere import data_of, read_meta
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import error_type
from obs_instrumentors.wire.openai import chat, chat_tools, compatible_chat
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_instrumentors.wire.openai.chat import Chat
    from obs_run.core.operations import Inference

_FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
}


def finish_reason(value: Any) -> str | None:
    """Return a finish reason in the conventions' words; those that have none stay as they are."""
    reason = payload.as_text(value)
    if reason is None:
        return None
    return _FINISH_REASONS.get(reason, reason.lower())


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what inference requests name otherwise than OpenAI's."""
    operation.top_p = payload.as_float(body.get("p"))
    operation.top_k = payload.as_count(body.get("k"))
    # Only the older endpoint has end sequences; arguments that were not given are objects of the client's own.
    stops = [body[name] for name in ("stop_sequences", "end_sequences") if name in body]
    operation.stop_sequences = payload.as_list(payload.coalesce(*stops)) or None


def tool_result_texts(raw: Any) -> list[dict[str, Any]]:
    """Return a tool's result as OpenAI's parts of text; a document's data stands as JSON."""
    parts = []
    for item in payload.as_list(raw):
        text = payload.get_text(item, "text") or content.to_json(payload.get(item, "document", "data"))
        parts.append({"text": text})
    return parts


def parse_request(body: dict[str, Any]) -> Chat:
    """Return the call that a request asks for."""
    openai_body = {name: value for name, value in body.items() if name != "messages"}
    if content.wanted():
        openai_body["messages"] = [_message(raw) for raw in payload.as_list(body.get("messages"))]
    operation = compatible_chat.parse_request(openai_body)
    operation.tool_results = _tool_results(body.get("messages"))
    read_sampling(operation, body)
    return operation


def _tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    for raw in chat_tools.results_of(raw_messages):
        result = chat_tools.response(_message(raw)) if content.wanted() else None
        yield ToolResult(payload.get_text(raw, "tool_call_id"), result=result)


def _message(raw: Any) -> dict[str, Any]:
    """Return a message in OpenAI's shape: plans and thoughts are what it calls reasoning."""
    role = payload.get(raw, "role")
    raw_content = payload.get(raw, "content")
    message: dict[str, Any] = {
        "role": role,
        "tool_calls": payload.get(raw, "tool_calls"),
        "tool_call_id": payload.get(raw, "tool_call_id"),
        "content": raw_content,
    }
    if role == "tool":
        if not isinstance(raw_content, str):
            message["content"] = tool_result_texts(raw_content)
        return message
    thoughts = [payload.get_text(raw, "tool_plan") or ""]
    parts = []
    for part in payload.as_list(raw_content):
        thoughts.append(payload.get_text(part, "thinking") or "")
        if payload.get(part, "type") != "thinking":
            parts.append(part)
    message["reasoning_content"] = "".join(thoughts)
    if not isinstance(raw_content, str):
        message["content"] = parts
    return message


def read_response(operation: Chat, returned: Any) -> None:
    """Read a V2ChatResponse."""
    response = data_of(returned)
    reason = finish_reason(payload.get(response, "finish_reason"))
    choice = {"message": _message(payload.get(response, "message")), "finish_reason": reason}
    chat.read_response(operation, {"id": payload.get(response, "id"), "choices": [choice]})
    read_meta(operation, payload.get(response, "usage"))


def read_event(operation: Chat, event: Any) -> None:
    """Read a V2ChatStreamResponse."""
    kind = payload.get(event, "type")
    choice: dict[str, Any] = {}
    if kind == "message-start":
        chat.read_chunk(operation, {"id": payload.get(event, "id")})
    elif kind == "message-end":
        delta = payload.get(event, "delta")
        read_meta(operation, payload.get(delta, "usage"))
        choice["finish_reason"] = finish_reason(payload.get(delta, "finish_reason"))
        operation.error_type = error_type(payload.get(delta, "error")) or operation.error_type
    else:
        delta = _delta(kind, event)
        if delta is not None:
            choice["delta"] = delta
    if choice:
        chat.read_chunk(operation, {"choices": [choice]})


def _delta(kind: Any, event: Any) -> dict[str, Any] | None:
    """Return what an event adds to the message in OpenAI's shape; None for one that adds nothing."""
    message = payload.get(event, "delta", "message")
    if kind in ("content-start", "content-delta"):
        part = payload.get(message, "content")
        return {"content": payload.get(part, "text"), "reasoning_content": payload.get(part, "thinking")}
    if kind == "tool-plan-delta":
        return {"reasoning_content": payload.get(message, "tool_plan")}
    if kind in ("tool-call-start", "tool-call-delta"):
        tool_call = payload.get(message, "tool_calls")
        delta = {
            "index": payload.get(event, "index"),
            "id": payload.get(tool_call, "id"),
            "function": payload.get(tool_call, "function"),
        }
        return {"tool_calls": [delta]}
    return None


ENDPOINT = Endpoint(parse_request, read_response, read_event, chat.finish)
