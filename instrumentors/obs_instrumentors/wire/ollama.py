"""Ollama's own API, whole and in pieces: chats, completions and embeddings."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.openai import chat_tools
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Embedding, Inference, ToolResult, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message
    from obs_run.core.operations import ModelCall

PROVIDER = "ollama"


@sparse_dataclass
class Answer(Inference):
    """A chat or completion; its texts are kept only while content is wanted."""

    texts: dict[str, str] = field(default_factory=dict)
    raw_tool_calls: list[Any] = field(default_factory=list)


def _parse_chat(body: dict[str, Any]) -> Answer:
    operation = _parse_inference("chat", body)
    operation.tool_results = _tool_results(body)
    operation.offered_tools = chat_tools.tool_names(body.get("tools"))
    if content.wanted():
        operation.input_messages = [_message(message) for message in payload.as_list(body.get("messages"))]
        tools = payload.as_list(body.get("tools"))
        operation.tool_definitions = [_tool_definition(tool) for tool in tools] or None
    return operation


def _tool_results(body: dict[str, Any]) -> Iterator[ToolResult]:
    """Go through what tools gave, the newest first; newer agents tell their names, and others only the order."""
    for raw in chat_tools.results_of(body.get("messages")):
        name = payload.coalesce(payload.get_text(raw, "tool_name"), payload.get_text(raw, "name"))
        yield ToolResult(None, name, result=payload.get_text(raw, "content") if content.wanted() else None)


def _parse_completion(body: dict[str, Any]) -> Answer:
    operation = _parse_inference("text_completion", body)
    if content.wanted():
        images = [_image(image) for image in payload.as_list(body.get("images"))]
        operation.input_messages = [messages.message("user", messages.text(body.get("prompt") or ""), *images)]
        system = payload.as_text(body.get("system"))
        if system is not None:
            operation.system_instructions = [messages.text(system)]
    return operation


def _parse_inference(name: str, body: dict[str, Any]) -> Answer:
    options = body.get("options") or {}
    stop = options.get("stop")
    return Answer(
        name,
        request_model=payload.as_text(body.get("model")),
        stream=True if body.get("stream") else None,
        # "json", or a schema.
        output_type="json" if body.get("format") else None,
        seed=payload.as_int(options.get("seed")),
        temperature=payload.as_float(options.get("temperature")),
        top_p=payload.as_float(options.get("top_p")),
        top_k=payload.as_int(options.get("top_k")),
        frequency_penalty=payload.as_float(options.get("frequency_penalty")),
        presence_penalty=payload.as_float(options.get("presence_penalty")),
        max_tokens=payload.as_int(options.get("num_predict")),
        stop_sequences=[stop] if isinstance(stop, str) else payload.as_list(stop) or None,
        # A level, or only whether to think at all.
        reasoning_level=payload.as_text(body.get("think")),
    )


def _parse_embedding(body: dict[str, Any]) -> Embedding:
    # The older endpoint takes one prompt.
    embedding_input = payload.coalesce(body.get("input"), body.get("prompt"))
    count = len(embedding_input) if isinstance(embedding_input, (list, tuple)) else 1
    return Embedding(
        "embeddings",
        request_model=payload.as_text(body.get("model")),
        dimensions=payload.as_int(body.get("dimensions")),
        input_count=count,
    )


def _read_response(operation: ModelCall, response: Any) -> None:
    """Read a ChatResponse, GenerateResponse or EmbedResponse."""
    _read_header(operation, response)
    if isinstance(operation, Answer):
        _read_answer(operation, response)
        _finish(operation)


def _read_chunk(operation: Answer, chunk: Any) -> None:
    """Read a ChatResponse or GenerateResponse that is a piece of a stream."""
    _read_header(operation, chunk)
    _read_answer(operation, chunk)


def _read_header(operation: ModelCall, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model") or operation.response_model
    usage = Usage(
        input_tokens=payload.get_int(response, "prompt_eval_count"),
        output_tokens=payload.get_int(response, "eval_count"),
    )
    if usage != Usage():
        operation.usage = usage


def _read_answer(operation: Answer, response: Any) -> None:
    # A completion has the fields of a message itself.
    message = payload.coalesce(payload.get(response, "message"), response)
    operation.raw_tool_calls += [_copied_call(call) for call in payload.get_list(message, "tool_calls")]
    reason = payload.get_text(response, "done_reason")
    if reason is not None:
        # Ollama says that it stopped, also where it stopped to have a tool called.
        operation.finish_reasons = ["tool_call" if operation.raw_tool_calls else reason]
    if not content.wanted():
        return
    for name in ("thinking", "content", "response"):
        piece = payload.get_text(message, name)
        if piece is not None:
            operation.texts[name] = operation.texts.get(name, "") + piece


def _copied_call(raw: Any) -> dict[str, Any]:
    """Return a call of a tool as it came; the agent may change its own before the stream is over."""
    function = payload.get(raw, "function")
    arguments = content.copied(payload.get(function, "arguments")) if content.wanted() else None
    return {"function": {"name": payload.get(function, "name"), "arguments": arguments}}


def _finish(operation: Answer) -> None:
    names = [str(payload.get(call, "function", "name")) for call in operation.raw_tool_calls]
    operation.tool_calls = names or None
    if content.wanted():
        message = {**operation.texts, "role": "assistant", "tool_calls": operation.raw_tool_calls}
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [_message(message, reason)]


def _message(raw: Any, finish_reason: str | None = None) -> Message:
    role = payload.get_text(raw, "role") or "user"
    text = payload.as_text(payload.coalesce(payload.get(raw, "content"), payload.get(raw, "response")))
    if role == "tool":
        return messages.message(role, messages.tool_call_response(None, text))
    parts = []
    reasoning = payload.get_text(raw, "thinking")
    if reasoning is not None:
        parts.append(messages.reasoning(reasoning))
    if text is not None:
        parts.append(messages.text(text))
    parts += [_image(image) for image in payload.get_list(raw, "images")]
    parts += [_tool_call(call) for call in payload.get_list(raw, "tool_calls")]
    return messages.message(role, *parts, finish_reason=finish_reason)


def _tool_call(raw: Any) -> messages.Part:
    function = payload.get(raw, "function")
    return messages.tool_call(None, str(payload.get(function, "name")), payload.get(function, "arguments"))


def _image(raw: Any) -> messages.Part:
    # The client's Image around base64, or base64 itself.
    return messages.blob("image", None, str(payload.coalesce(payload.get(raw, "value"), raw)))


def _tool_definition(raw: Any) -> messages.ToolDefinition:
    function = payload.get(raw, "function")
    return messages.tool_definition(
        str(payload.get(function, "name")),
        payload.get_text(function, "description"),
        payload.get(function, "parameters"),
    )


_EMBEDDING = Endpoint(_parse_embedding, _read_response)
ENDPOINTS: dict[str, Endpoint] = {
    "/api/chat": Endpoint(_parse_chat, _read_response, _read_chunk, _finish),
    "/api/generate": Endpoint(_parse_completion, _read_response, _read_chunk, _finish),
    "/api/embed": _EMBEDDING,
    "/api/embeddings": _EMBEDDING,
}
