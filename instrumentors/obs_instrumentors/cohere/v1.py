"""The first version of the API: one message with a history before it, prompts, and classification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.cohere import data_of, read_meta
from obs_instrumentors.wire.cohere_chat import finish_reason, read_sampling
from obs_instrumentors.wire.openai import chat, compatible_chat, completions
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import ModelCall, ToolResult
from obs_run.core.outcomes import Reader

from .endpoint import RERANK, Method, system_instructions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_instrumentors.wire.openai.chat import Chat
    from obs_instrumentors.wire.openai.completions import Completion

_ROLES = {"CHATBOT": "assistant"}


def _parse_chat_request(body: dict[str, Any]) -> Chat:
    openai_body = {name: value for name, value in body.items() if name != "tools"}
    if content.wanted():
        openai_body["messages"] = _messages(body)
        openai_body["tools"] = [_tool_definition(tool) for tool in payload.as_list(body.get("tools"))]
    operation = compatible_chat.parse_request(openai_body)
    read_sampling(operation, body)
    operation.conversation_id = payload.as_text(body.get("conversation_id"))
    operation.tool_results = _tool_results(body)
    operation.offered_tools = (payload.get_text(tool, "name") for tool in payload.as_list(body.get("tools")))
    if content.wanted():
        operation.system_instructions = system_instructions(body.get("preamble"))
    return operation


def _tool_results(body: dict[str, Any]) -> Iterator[ToolResult]:
    """Go through what tools gave, the newest first; their names say which calls these are."""
    for raw in reversed(payload.as_list(body.get("tool_results"))):
        result = content.to_json(payload.get(raw, "outputs")) if content.wanted() else None
        yield ToolResult(None, payload.get_text(raw, "call", "name"), result=result)


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the conversation as OpenAI's messages: the history, the message, and results of tools that follow it."""
    return [
        *(_message(raw) for raw in payload.as_list(body.get("chat_history"))),
        {"role": "user", "content": body.get("message")},
        *(_tool_result(raw) for raw in payload.as_list(body.get("tool_results"))),
    ]


def _message(raw: Any) -> dict[str, Any]:
    role = str(payload.get(raw, "role"))
    if role == "TOOL":
        return _tool_result(payload.coalesce(*payload.get_list(raw, "tool_results")))
    return {
        "role": _ROLES.get(role, role.lower()),
        "content": payload.get(raw, "message"),
        "tool_calls": _tool_calls(raw),
    }


def _tool_result(raw: Any) -> dict[str, Any]:
    # The tool's name says which call it answers: calls have no ids in this version.
    outputs = [{"text": content.to_json(payload.get(raw, "outputs"))}]
    return {"role": "tool", "name": payload.get(raw, "call", "name"), "content": outputs}


def _tool_definition(raw: Any) -> dict[str, Any]:
    return {
        "name": payload.get(raw, "name"),
        "description": payload.get(raw, "description"),
        "parameters": _plain(payload.get(raw, "parameter_definitions")),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(element) for key, element in value.items()}
    if hasattr(value, "dict"):
        return value.dict()
    return value


def _tool_calls(raw: Any) -> list[dict[str, Any]]:
    calls = []
    for call in payload.get_list(raw, "tool_calls"):
        function = {"name": payload.get(call, "name"), "arguments": payload.get(call, "parameters")}
        calls.append({"function": function})
    return calls


def _read_chat_response(operation: Chat, returned: Any) -> None:
    """Read a NonStreamedChatResponse."""
    response = data_of(returned)
    tool_calls = _tool_calls(response)
    if tool_calls:
        # The API says COMPLETE then.
        reason: str | None = "tool_call"
    else:
        reason = finish_reason(payload.get(response, "finish_reason"))
    message = {"role": "assistant", "content": payload.get(response, "text"), "tool_calls": tool_calls}
    response_id = payload.coalesce(payload.get(response, "response_id"), payload.get(response, "generation_id"))
    chat.read_response(operation, {"id": response_id, "choices": [{"message": message, "finish_reason": reason}]})
    read_meta(operation, payload.get(response, "meta"))


def _read_chat_event(operation: Chat, event: Any) -> None:
    """Read a StreamedChatResponse; the last one brings the whole response."""
    kind = payload.get(event, "event_type")
    if kind == "stream-start":
        operation.response_id = payload.get_text(event, "generation_id")
    elif kind == "text-generation":
        delta = {"content": payload.get(event, "text")}
        chat.read_chunk(operation, {"choices": [{"delta": delta}]})
    elif kind == "stream-end":
        _read_chat_response(operation, payload.get(event, "response"))
        if not operation.tool_calls:
            operation.finish_reasons = [finish_reason(payload.get(event, "finish_reason")) or "error"]
        operation.choices = {}


def _finish_chat(operation: Chat) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.choices:
        chat.finish(operation)


def _parse_completion_request(body: dict[str, Any]) -> Completion:
    operation = completions.parse_request(body)
    read_sampling(operation, body)
    count = payload.as_count(body.get("num_generations"))
    operation.choice_count = count if count != 1 else None
    return operation


def _read_completion_response(operation: Completion, returned: Any) -> None:
    """Read a Generation."""
    response = data_of(returned)
    choices = []
    for generation in payload.get_list(response, "generations"):
        reason = finish_reason(payload.get(generation, "finish_reason"))
        choices.append({"text": payload.get(generation, "text"), "finish_reason": reason})
    completions.read_response(operation, {"id": payload.get(response, "id"), "choices": choices})
    read_meta(operation, payload.get(response, "meta"))


def _read_completion_event(operation: Completion, event: Any) -> None:
    """Read a GenerateStreamedResponse."""
    choice: dict[str, Any] = {"index": payload.get(event, "index")}
    if payload.get(event, "event_type") == "text-generation":
        choice["text"] = payload.get(event, "text")
    else:
        choice["finish_reason"] = finish_reason(payload.get(event, "finish_reason"))
        if payload.get(event, "err") is not None:
            operation.error_type = "_OTHER"
    completions.read_chunk(operation, {"id": payload.get(event, "response", "id"), "choices": [choice]})


def _parse_classification_request(body: dict[str, Any]) -> ModelCall:
    operation = ModelCall("classification", request_model=payload.as_text(body.get("model")))
    operation.input_count = len(payload.as_list(body.get("inputs")))
    return operation


def _read_classification_response(operation: ModelCall, returned: Any) -> None:
    read_meta(operation, payload.get(data_of(returned), "meta"))


_CHAT = Reader(_read_chat_response)
_CHAT_STREAM = Reader(_read_chat_response, chunk=_read_chat_event, end=_finish_chat, lazy=True)
_COMPLETION = Reader(_read_completion_response)
_COMPLETION_STREAM = Reader(_read_completion_response, chunk=_read_completion_event, end=completions.finish, lazy=True)
_CLASSIFICATION = Reader(_read_classification_response)

METHODS = {
    "chat": Method(_parse_chat_request, _CHAT),
    "chat_stream": Method(_parse_chat_request, _CHAT_STREAM),
    "generate": Method(_parse_completion_request, _COMPLETION),
    "generate_stream": Method(_parse_completion_request, _COMPLETION_STREAM),
    "rerank": RERANK,
    "classify": Method(_parse_classification_request, _CLASSIFICATION),
}
