"""Chat completions, whole (``ChatCompletion``) and in chunks (``ChatCompletionChunk``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import UNKNOWN, error_type, read_error, read_missing_answer
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .chat_messages import chat_message, tool_definition
from .chat_tools import read_tools
from .common_fields import output_type, read_header, read_sampling, read_usage
from .tool_call_deltas import ToolCallDelta, ToolCallDeltas


@sparse_dataclass
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
    audio: dict[str, list[str]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    """Fields of the answer that come whole."""
    tool_calls: ToolCallDeltas = field(default_factory=ToolCallDeltas)
    function_call: ToolCallDelta | None = None
    """What tool calls were before there could be several."""
    finish_reason: str | None = None


_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}
_TEXT_FIELDS = ("reasoning_content", "reasoning", "content", "refusal")
_AUDIO_FIELDS = ("id", "transcript", "data")
_WHOLE_FIELDS = ("annotations", "executed_tools", "images")
"""Fields beside the texts that a stream does not cut into pieces."""
_CONTENT_FIELDS = frozenset({*_TEXT_FIELDS, *_WHOLE_FIELDS, "audio"})


def finish_reason(value: Any) -> str | None:
    """Return a finish reason as the conventions call it; None where the provider tells none."""
    reason = payload.as_text(value)
    if reason is None:
        return None
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
    read_tools(operation, body)
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
    read_usage(operation, fields.get("usage"))
    finish_reasons: list[str] = []
    tool_calls: list[tuple[str | None, str]] = []
    output_messages: list[messages.Message] = []
    wants_content = content.wanted()
    for raw_choice in payload.as_list(fields.get("choices")):
        choice = payload.as_dict(raw_choice)
        message = payload.as_dict(choice.get("message"))
        reason = finish_reason(choice.get("finish_reason"))
        if reason is not None:
            finish_reasons.append(reason)
        _read_choice_error(operation, choice, reason)
        if message.get("tool_calls") or message.get("function_call"):
            tool_calls += _called_tools(message)
        if wants_content:
            output_messages.append(chat_message(message, reason))
    read_error(operation, fields)
    read_missing_answer(operation, fields, "choices")
    operation.finish_reasons = finish_reasons or None
    if tool_calls:
        operation.tool_calls = [name for _, name in tool_calls]
        operation.tool_call_ids = [call_id for call_id, _ in tool_calls]
    if wants_content:
        operation.output_messages = output_messages


def _read_choice_error(operation: Chat, choice: dict[str, Any], reason: str | None) -> None:
    """Read the error that one choice ended with, as gateways pass on what went wrong behind them."""
    error = choice.get("error")
    found = error_type(error) if error else None
    if found is None and reason == "error":
        found = UNKNOWN
    if found is not None and operation.error_type in (None, UNKNOWN):
        operation.error_type = found


def _called_tools(message: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Return ids and names of the tools that a message asks for."""
    raw_calls, function = message.get("tool_calls"), message.get("function_call")
    if not raw_calls and function is None:
        return []
    calls = [(call, _called_function(call)) for call in payload.as_list(raw_calls)]
    calls.append((None, function))
    names = [(payload.get_text(call, "id"), payload.get_text(function, "name")) for call, function in calls]
    return [(call_id, name) for call_id, name in names if name is not None]


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
        read_usage(operation, raw_usage)
        if operation.asked_for_usage:
            operation.usage_source = "requested"
    if "error" in fields or "base_resp" in fields or fields.get("object") == "error":
        # Some clients of the family hand an error event to the agent as a chunk.
        read_error(operation, fields)
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
        state.finish_reason = finish_reason(reason) or state.finish_reason
        _read_choice_error(operation, choice, state.finish_reason)
    delta = payload.as_dict(choice.get("delta"))
    wants_content = content.wanted()
    if wants_content:
        _read_content(state, delta)
    tool_calls = delta.get("tool_calls")
    # Most chunks bring a piece of text alone.
    if tool_calls:
        state.tool_calls.read(tool_calls, wants_content=wants_content)
    function = delta.get("function_call")
    if function is not None:
        state.function_call = state.function_call or ToolCallDelta()
        name, piece = payload.get_text(function, "name"), payload.get_text(function, "arguments")
        state.function_call.add(None, name, piece, wants_content=wants_content)


def _read_content(state: Choice, delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        # Most fields of most chunks are null, and the others bring one more piece of a text.
        if value and name in _CONTENT_FIELDS:
            pieces = state.texts.get(name)
            if pieces is not None and type(value) is str:
                pieces.append(value)
            else:
                _read_content_field(state, name, value)


def _read_content_field(state: Choice, name: str, value: Any) -> None:
    if name == "audio":
        for part in _AUDIO_FIELDS:
            piece = payload.get_text(value, part)
            if piece is not None:
                state.audio.setdefault(part, []).append(piece)
    elif name in _WHOLE_FIELDS:
        state.others.setdefault(name, []).extend(payload.as_list(value))
    elif isinstance(value, str):
        state.texts.setdefault(name, []).append(value)
    elif name == "content":
        # A list of parts, as answers that come whole may have too.
        state.others.setdefault(name, []).extend(payload.as_list(value))


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


def _read_finish_reasons(operation: Chat, choices: list[Choice]) -> None:
    # A choice that the agent did not read to its end has none.
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    if len(reasons) == len(choices) and len(choices) >= (operation.choice_count or 1):
        operation.is_whole = True
    operation.finish_reasons = reasons or None


def finish(operation: Chat) -> None:
    """Complete the operation from the choices that have streamed."""
    choices = [choice for _, choice in sorted(operation.choices.items())]
    operation.choices = {}
    if not choices:
        # The answer came whole.
        return
    _read_finish_reasons(operation, choices)
    calls = [tool_call for choice in choices for tool_call in _tool_calls(choice) if tool_call.name]
    operation.tool_calls = [call.name for call in calls] or None
    operation.tool_call_ids = [call.call_id for call in calls] or None
    if content.wanted():
        operation.output_messages = [_streamed_message(choice) for choice in choices]


def _tool_calls(choice: Choice) -> list[ToolCallDelta]:
    calls = list(choice.tool_calls)
    if choice.function_call is not None:
        calls.append(choice.function_call)
    return calls


def _streamed_message(choice: Choice) -> messages.Message:
    """Return the message whose pieces have streamed, by the way of its shape when it comes whole."""
    message: dict[str, Any] = {"role": "assistant", "tool_calls": [], **choice.others}
    for name, pieces in choice.texts.items():
        message[name] = "".join(pieces)
    if choice.audio:
        message["audio"] = {name: "".join(pieces) for name, pieces in choice.audio.items()}
        # The same with each piece, if it is repeated.
        message["audio"]["id"] = choice.audio.get("id", [None])[0]
    for tool_call in _tool_calls(choice):
        function = {"name": tool_call.name, "arguments": "".join(tool_call.arguments)}
        message["tool_calls"].append({"id": tool_call.call_id, "function": function})
    return chat_message(message, choice.finish_reason)


ENDPOINT = Endpoint(parse_request, read_response, read_chunk, finish, hides_chunk)
