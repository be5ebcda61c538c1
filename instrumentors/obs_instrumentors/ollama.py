"""Ollama's client: every endpoint passes ``_request`` with its path and its final body.

The module's own functions (``ollama.chat``) are methods of a default client, bound when the package is imported, which
is after its submodule ``_client`` that the targets live in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.messages import Message
    from obs_run.core.operations import ModelCall
    from obs_run.core.outcomes import Call

_PROVIDER = "ollama"


@dataclass
class Answer(Inference):
    """A chat or completion; its texts are kept only while content is wanted."""

    texts: dict[str, str] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)


def begin(call: Call) -> tuple[ModelCall, Reader] | None:
    """Return the operation that a request means; None where it is no model call."""
    path, body = call.argument(2, "url"), payload.get(call.kwargs, "json")
    made = _OPERATIONS.get(path)
    if made is None:
        return None
    operation: ModelCall = made(body)
    operation.provider = _PROVIDER
    operation.request_model = payload.as_text(body.get("model"))
    url = payload.get(call.instance, "_client", "base_url")
    operation.server_address, operation.server_port = payload.get_text(url, "host"), url.port
    return operation, _STREAM if call.kwargs.get("stream") else _WHOLE


def _chat(body: dict[str, Any]) -> Answer:
    operation = _inference("chat", body)
    if content.wanted():
        operation.input_messages = [_message(each) for each in payload.as_list(body.get("messages"))]
        operation.tool_definitions = [_tool(each) for each in payload.as_list(body.get("tools"))] or None
    return operation


def _completion(body: dict[str, Any]) -> Answer:
    operation = _inference("text_completion", body)
    if content.wanted():
        images = [_image(each) for each in payload.as_list(body.get("images"))]
        operation.input_messages = [messages.message("user", messages.text(body.get("prompt") or ""), *images)]
        system = payload.as_text(body.get("system"))
        operation.system_instructions = None if system is None else [messages.text(system)]
    return operation


def _inference(name: str, body: dict[str, Any]) -> Answer:
    options = body.get("options") or {}
    stop = options.get("stop")
    thinking = body.get("think")
    return Answer(
        name,
        stream=True if body.get("stream") else None,
        output_type="json" if body.get("format") else None,
        seed=payload.as_int(options.get("seed")),
        temperature=payload.as_float(options.get("temperature")),
        top_p=payload.as_float(options.get("top_p")),
        top_k=payload.as_int(options.get("top_k")),
        frequency_penalty=payload.as_float(options.get("frequency_penalty")),
        presence_penalty=payload.as_float(options.get("presence_penalty")),
        max_tokens=payload.as_int(options.get("num_predict")),
        stop_sequences=[stop] if isinstance(stop, str) else payload.as_list(stop) or None,
        reasoning_level=thinking if isinstance(thinking, str) else None,
    )


def _embedding(body: dict[str, Any]) -> Embedding:
    given = payload.coalesce(body.get("input"), body.get("prompt"))
    count = len(given) if isinstance(given, (list, tuple)) else 1
    return Embedding("embeddings", dimensions=payload.as_int(body.get("dimensions")), input_count=count)


def _result(operation: ModelCall, response: Any) -> None:
    _read_header(operation, response)
    if isinstance(operation, Answer):
        _read_answer(operation, response)
        _end(operation)


def _chunk(operation: Answer, part: Any) -> None:
    _read_header(operation, part)
    _read_answer(operation, part)


def _read_header(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model") or operation.response_model
    usage = Usage(
        input_tokens=payload.get_int(response, "prompt_eval_count"),
        output_tokens=payload.get_int(response, "eval_count"),
    )
    if usage != Usage():
        operation.usage = usage


def _read_answer(operation: Answer, response: Any) -> None:
    message = payload.coalesce(payload.get(response, "message"), response)
    calls = payload.get_list(message, "tool_calls")
    operation.calls += calls
    reason = payload.get_text(response, "done_reason")
    if reason is not None:
        operation.finish_reasons = ["tool_call" if operation.calls else reason]
    if content.wanted():
        for name in ("thinking", "content", "response"):
            piece = payload.get_text(message, name)
            if piece is not None:
                operation.texts[name] = operation.texts.get(name, "") + piece


def _end(operation: Answer) -> None:
    operation.tool_calls = [str(payload.get(each, "function", "name")) for each in operation.calls] or None
    if content.wanted():
        raw = {**operation.texts, "role": "assistant", "tool_calls": operation.calls}
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [_message(raw, reason)]


def _message(raw: Any, finish_reason: str | None = None) -> Message:
    role = payload.get_text(raw, "role") or "user"
    said = payload.as_text(payload.coalesce(payload.get(raw, "content"), payload.get(raw, "response")))
    if role == "tool":
        return messages.message(role, messages.tool_call_response(None, messages.parsed(said)))
    thought = payload.get_text(raw, "thinking")
    parts = [] if thought is None else [messages.reasoning(thought)]
    parts += [] if said is None else [messages.text(said)]
    parts += [_image(each) for each in payload.get_list(raw, "images")]
    for call in payload.get_list(raw, "tool_calls"):
        function = payload.get(call, "function")
        parts.append(messages.tool_call(None, str(payload.get(function, "name")), payload.get(function, "arguments")))
    return messages.message(role, *parts, finish_reason=finish_reason)


def _image(raw: Any) -> messages.Part:
    return messages.blob("image", None, str(payload.coalesce(payload.get(raw, "value"), raw)))


def _tool(raw: Any) -> messages.ToolDefinition:
    function = payload.get(raw, "function")
    return messages.tool_definition(
        str(payload.get(function, "name")),
        payload.get_text(function, "description"),
        payload.get(function, "parameters"),
    )


_OPERATIONS = {
    "/api/chat": _chat,
    "/api/generate": _completion,
    "/api/embed": _embedding,
    "/api/embeddings": _embedding,
}
_WHOLE = Reader(_result)
_STREAM = Reader(_result, chunk=_chunk, end=_end, lazy=True)

INSTRUMENTORS = (
    Instrumentor(
        "ollama",
        "ollama",
        ">=0.4.5,<1",
        (
            Target("ollama._client", "Client._request", streams.call(begin)),
            Target("ollama._client", "AsyncClient._request", streams.async_call(begin)),
        ),
        ("chat", "text_completion", "embeddings"),
    ),
)
