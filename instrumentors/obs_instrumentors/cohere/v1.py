"""The first version of the API: one message with a history before it, prompts, and classification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from obs_instrumentors.wire.cohere import data_of, read_meta
from obs_instrumentors.wire.openai import chat, completions
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.operations import Inference, ModelCall
from obs_run.core.outcomes import Reader

from .endpoint import RERANK, Method, finish_reason, read_sampling, system
from .v2 import chat_operation

if TYPE_CHECKING:
    from obs_instrumentors.wire.openai.chat import Chat

_ROLES = {"CHATBOT": "assistant"}


def _begin_chat(body: dict[str, Any]) -> Chat:
    plain = {name: body[name] for name in body if name != "tools"}
    if content.wanted():
        history = [_message(each) for each in payload.as_list(body.get("chat_history"))]
        results = [_tool_result(each) for each in payload.as_list(body.get("tool_results"))]
        plain["messages"] = [*history, {"role": "user", "content": body.get("message")}, *results]
        plain["tools"] = [_tool(each) for each in payload.as_list(body.get("tools"))]
    operation = chat_operation(plain)
    read_sampling(operation, body)
    operation.conversation_id = payload.as_text(body.get("conversation_id"))
    if content.wanted():
        operation.system_instructions = system(body.get("preamble"))
    return operation


def _begin_chat_stream(body: dict[str, Any]) -> Chat:
    operation = _begin_chat(body)
    operation.stream = True
    return operation


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
    # Which call it answers is told by the tool's name: calls have no ids in this version.
    outputs = [{"text": content.to_json(payload.get(raw, "outputs"))}]
    return {"role": "tool", "name": payload.get(raw, "call", "name"), "content": outputs}


def _tool(raw: Any) -> dict[str, Any]:
    made = {name: payload.get(raw, name) for name in ("name", "description")}
    return {**made, "parameters": _plain(payload.get(raw, "parameter_definitions"))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.dict() if hasattr(value, "dict") else value


def _tool_calls(raw: Any) -> list[dict[str, Any]]:
    return [
        {"function": {"name": payload.get(call, "name"), "arguments": payload.get(call, "parameters")}}
        for call in payload.get_list(raw, "tool_calls")
    ]


def _chat_result(operation: Chat, returned: Any) -> None:
    response = data_of(returned)
    calls = _tool_calls(response)
    reason = "tool_call" if calls else finish_reason(payload.get(response, "finish_reason"))
    said = {"role": "assistant", "content": payload.get(response, "text"), "tool_calls": calls}
    told = payload.coalesce(payload.get(response, "response_id"), payload.get(response, "generation_id"))
    chat.ENDPOINT.result(operation, {"id": told, "choices": [{"message": said, "finish_reason": reason}]})
    read_meta(operation, payload.get(response, "meta"))


def _chat_event(operation: Chat, event: Any) -> None:
    kind = payload.get(event, "event_type")
    if kind == "stream-start":
        operation.response_id = payload.get_text(event, "generation_id")
    elif kind == "text-generation":
        assert chat.ENDPOINT.chunk is not None
        chat.ENDPOINT.chunk(operation, {"choices": [{"delta": {"content": payload.get(event, "text")}}]})
    elif kind == "stream-end":
        _chat_result(operation, payload.get(event, "response"))
        if not operation.tool_calls:
            operation.finish_reasons = [finish_reason(payload.get(event, "finish_reason")) or "error"]
        operation.answers = {}


def _end_chat(operation: Chat) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.answers and chat.ENDPOINT.end is not None:
        chat.ENDPOINT.end(operation)


def _begin_completion(body: dict[str, Any]) -> Inference:
    operation = cast("Inference", completions.ENDPOINT.begin(body))
    read_sampling(operation, body)
    count = payload.as_count(body.get("num_generations"))
    operation.choice_count = count if count != 1 else None
    return operation


def _begin_completion_stream(body: dict[str, Any]) -> Inference:
    operation = _begin_completion(body)
    operation.stream = True
    return operation


def _completion_result(operation: Inference, returned: Any) -> None:
    response = data_of(returned)
    choices = [
        {"text": payload.get(each, "text"), "finish_reason": finish_reason(payload.get(each, "finish_reason"))}
        for each in payload.get_list(response, "generations")
    ]
    completions.ENDPOINT.result(operation, {"id": payload.get(response, "id"), "choices": choices})
    read_meta(operation, payload.get(response, "meta"))


def _completion_event(operation: Inference, event: Any) -> None:
    choice: dict[str, Any] = {"index": payload.get(event, "index")}
    if payload.get(event, "event_type") == "text-generation":
        choice["text"] = payload.get(event, "text")
    else:
        choice["finish_reason"] = finish_reason(payload.get(event, "finish_reason"))
        if payload.get(event, "err") is not None:
            operation.error_type = "_OTHER"
    assert completions.ENDPOINT.chunk is not None
    completions.ENDPOINT.chunk(operation, {"id": payload.get(event, "response", "id"), "choices": [choice]})


def _begin_classification(body: dict[str, Any]) -> ModelCall:
    operation = ModelCall("classification", request_model=payload.as_text(body.get("model")))
    operation.input_count = len(payload.as_list(body.get("inputs")))
    return operation


def _classified(operation: ModelCall, returned: Any) -> None:
    read_meta(operation, payload.get(data_of(returned), "meta"))


_WHOLE = Reader(_completion_result)
_STREAM = Reader(_completion_result, chunk=_completion_event, end=completions.ENDPOINT.end, lazy=True)

METHODS = {
    "chat": Method(_begin_chat, Reader(_chat_result)),
    "chat_stream": Method(_begin_chat_stream, Reader(_chat_result, chunk=_chat_event, end=_end_chat, lazy=True)),
    "generate": Method(_begin_completion, _WHOLE),
    "generate_stream": Method(_begin_completion_stream, _STREAM),
    "rerank": RERANK,
    "classify": Method(_begin_classification, Reader(_classified)),
}
