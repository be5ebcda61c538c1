"""Chat completions, whole (``ChatCompletion``) and in chunks (``ChatCompletionChunk``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference

from .chat_messages import chat_message, tool_definition
from .common_fields import output_type, read_header, read_sampling, usage


@dataclass
class Chat(Inference):
    """A chat completion; while it streams, what has come in so far."""

    name: str = "chat"
    asked_for_usage: bool = False
    """Whether we asked for usage that the agent did not ask for."""
    agent_asks_for_usage: bool = False
    """Whether the agent asks for usage itself."""
    choices: dict[int, Choice] = field(default_factory=dict)
    is_whole: bool = False
    """Whether each choice has come to its end."""
    last_chunk_id: str | None = None
    """The id of the chunk before; the rest of a chunk's header changes with it, or at the end."""

    def is_answered(self) -> bool:
        """Whether all has come in, with the usage where the agent asks for it, which comes last."""
        return self.is_whole and (self.usage is not None or not self.agent_asks_for_usage)


@dataclass
class Choice:
    """One choice of a stream; texts are kept only while content is wanted."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    tool_calls: dict[int, ToolCallDelta] = field(default_factory=dict)
    finish_reason: str | None = None


@dataclass
class ToolCallDelta:
    """A tool call of a stream: its name comes first, its arguments in pieces."""

    name: str = ""
    call_id: str | None = None
    arguments: list[str] = field(default_factory=list)


_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}
_TEXT_FIELDS = ("reasoning_content", "reasoning", "content", "refusal")
_FUNCTION_CALL = -1
"""The index under which the older ``function_call``, which has none, is kept beside the tool calls."""


def finish_reason(value: Any) -> str:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(value)
    if reason is None:
        return "error"
    return _FINISH_REASONS.get(reason, reason)


def parse_request(body: dict[str, Any]) -> Chat:
    """Return the operation that a request means."""
    operation = Chat(extra={semconv.OPENAI_API_TYPE: "chat_completions"})
    read_sampling(operation, body)
    operation.reasoning_level = payload.as_text(body.get("reasoning_effort"))
    if "audio" in payload.as_list(body.get("modalities")):
        operation.output_type = "speech"
    else:
        operation.output_type = output_type(body.get("response_format"))
    operation.agent_asks_for_usage = bool(payload.get(body.get("stream_options"), "include_usage"))
    if content.wanted():
        operation.input_messages = [chat_message(message) for message in payload.as_list(body.get("messages"))]
        # Functions are what tools were called before there were others.
        tools = [*payload.as_list(body.get("tools")), *payload.as_list(body.get("functions"))]
        operation.tool_definitions = [tool_definition(tool) for tool in tools] or None
    return operation


def read_response(operation: Chat, response: Any) -> None:
    """Read a ChatCompletion."""
    fields = payload.as_dict(response)
    read_header(operation, fields)
    operation.usage = usage(fields.get("usage"))
    finish_reasons: list[str] = []
    tool_names: list[str] = []
    output_messages: list[messages.Message] = []
    wants_content = content.wanted()
    for raw_choice in payload.as_list(fields.get("choices")):
        choice = payload.as_dict(raw_choice)
        message = payload.as_dict(choice.get("message"))
        reason = finish_reason(choice.get("finish_reason"))
        finish_reasons.append(reason)
        tool_names += _tool_names(message)
        if wants_content:
            output_messages.append(chat_message(message, reason))
    operation.finish_reasons = finish_reasons or None
    operation.tool_calls = tool_names or None
    if wants_content:
        operation.output_messages = output_messages


def _tool_names(message: dict[str, Any]) -> list[str]:
    functions = [_called_function(call) for call in payload.as_list(message.get("tool_calls"))]
    functions.append(message.get("function_call"))
    names = [payload.get_text(function, "name") for function in functions]
    return [name for name in names if name is not None]


def _called_function(tool_call: Any) -> Any:
    return payload.coalesce(payload.get(tool_call, "function"), payload.get(tool_call, "custom"))


def read_chunk(operation: Chat, chunk: Any) -> None:
    """Read a ChatCompletionChunk into what came before it."""
    fields = payload.as_dict(chunk)
    raw_usage = fields.get("usage")
    chunk_id = fields.get("id")
    if raw_usage is not None or chunk_id is None or chunk_id != operation.last_chunk_id:
        operation.last_chunk_id = chunk_id
        read_header(operation, fields)
    if raw_usage is None and "x_groq" in fields:
        raw_usage = payload.get(fields["x_groq"], "usage")
    if raw_usage is not None:
        operation.usage = usage(raw_usage)
        if operation.asked_for_usage:
            operation.usage_source = "requested"
    error = fields.get("error")
    if error is not None:
        # Some clients of the family hand an error event to the agent as a chunk.
        operation.error_type = payload.get_text(error, "code") or "_OTHER"
    choices = fields.get("choices")
    # A list, as it nearly always is, is read in place: as_list() would copy it for every chunk.
    for choice in choices if type(choices) is list else payload.as_list(choices):
        _read_choice(operation, payload.as_dict(choice))


def _read_choice(operation: Chat, choice: dict[str, Any]) -> None:
    index = choice.get("index") or 0
    state = operation.choices.get(index)
    if state is None:
        state = operation.choices[index] = Choice()
    reason = choice.get("finish_reason")
    if reason is not None:
        state.finish_reason = payload.as_text(reason) or state.finish_reason
    delta = payload.as_dict(choice.get("delta"))
    wants_content = content.wanted()
    if wants_content:
        for name in _TEXT_FIELDS:
            text = delta.get(name)
            if text and isinstance(text, str):
                state.texts.setdefault(name, []).append(text)
    tool_calls = delta.get("tool_calls")
    # Most chunks bring a piece of text alone.
    if tool_calls:
        _read_tool_calls(state, tool_calls, wants_content=wants_content)
    function = delta.get("function_call")
    if function is not None:
        tool_call = state.tool_calls.setdefault(_FUNCTION_CALL, ToolCallDelta())
        _read_tool_call(tool_call, {"function": function}, wants_content=wants_content)


def _read_tool_calls(state: Choice, tool_calls: Any, *, wants_content: bool) -> None:
    for position, raw_call in enumerate(payload.as_list(tool_calls)):
        # Together's client reads the index as a float.
        index = payload.get_float(raw_call, "index")
        key = position if index is None else int(index)
        tool_call = state.tool_calls.setdefault(key, ToolCallDelta())
        _read_tool_call(tool_call, raw_call, wants_content=wants_content)


def _read_tool_call(tool_call: ToolCallDelta, delta: Any, *, wants_content: bool) -> None:
    function = _called_function(delta)
    tool_call.name = payload.get_text(function, "name") or tool_call.name
    tool_call.call_id = payload.get_text(delta, "id") or tool_call.call_id
    piece = payload.as_text(payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input")))
    if wants_content and piece is not None:
        tool_call.arguments.append(piece)


def hides_chunk(operation: Chat, chunk: Any) -> bool:
    """Whether the chunk is there only because we asked for usage; others lose the null that came with them."""
    if not operation.asked_for_usage:
        return False
    fields = payload.as_dict(chunk)
    if fields.get("usage") is not None:
        return not fields.get("choices")
    names = payload.get(chunk, "model_fields_set")
    if isinstance(names, set):
        # Once usage is asked for, every other chunk has a null that the agent would see in a dump of it.
        names.discard("usage")
    return False


def finish(operation: Chat) -> None:
    """Complete the operation from the choices that have streamed."""
    choices = [choice for _, choice in sorted(operation.choices.items())]
    operation.choices = {}
    is_whole = len(choices) >= (operation.choice_count or 1) and all(choice.finish_reason for choice in choices)
    operation.is_whole = operation.is_whole or is_whole
    if any(choice.finish_reason for choice in choices):
        operation.finish_reasons = [finish_reason(choice.finish_reason) for choice in choices]
    names = [tool_call.name for choice in choices for tool_call in choice.tool_calls.values()]
    operation.tool_calls = [name for name in names if name] or None
    if content.wanted() and choices:
        operation.output_messages = [_streamed_message(choice) for choice in choices]


def _streamed_message(choice: Choice) -> messages.Message:
    """Return the message whose pieces have streamed, by the way of its shape when it comes whole."""
    message: dict[str, Any] = {"role": "assistant", "tool_calls": []}
    for name, pieces in choice.texts.items():
        message[name] = "".join(pieces)
    for tool_call in choice.tool_calls.values():
        function = {"name": tool_call.name, "arguments": "".join(tool_call.arguments)}
        message["tool_calls"].append({"id": tool_call.call_id, "function": function})
    reason = None
    if choice.finish_reason is not None:
        reason = finish_reason(choice.finish_reason)
    return chat_message(message, reason)


ENDPOINT = Endpoint(parse_request, read_response, read_chunk, finish, hides_chunk)
