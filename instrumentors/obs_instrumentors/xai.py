"""xAI's client, which speaks gRPC: a conversation collects the request, and its methods send it.

The client makes spans of its own, with the texts in them unless told otherwise; they are silenced where ours are made.
"""

from __future__ import annotations

from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_instrumentors.wire.server_address import read_store_address
from obs_run.base import payload
from obs_run.base.json_text import from_exact_json
from obs_run.core import content, messages, native_spans, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Inference, ToolResult, Usage
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.hooks import Wrapper
    from obs_run.core.messages import Message, Part
    from obs_run.core.outcomes import Call

_PROVIDER = "x_ai"
_HOST = "api.x.ai"
_addresses: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""Host and perhaps port by the stub of a client."""
# The protocol's enumerations, by number as its messages have them.
_ROLES = {1: "user", 2: "assistant", 3: "system", 4: "tool", 5: "tool", 6: "system"}
_ASSISTANT = 2
_REASONING_LEVELS = {1: "low", 2: "medium", 3: "high", 4: "none", 5: "xhigh"}
_OUTPUT_TYPES = {1: "text", 2: "json", 3: "json"}
_FINISH_REASONS = {1: "length", 2: "length", 3: "stop", 4: "tool_call", 5: "time_limit"}

_REQUIRED = 3
"""The mode of a tool choice that leaves the model none."""
_WEB_SEARCH, _X_SEARCH = 1, 2

# The fields that have no value unless the agent sets them.
_SAMPLING_FIELDS = ("seed", "temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens")


@sparse_dataclass
class Answer(Inference):
    """A conversation's next answer; ``latest`` is the Response that the client adds chunks to."""

    latest: Any = field(default=None, repr=False)


def start_operation(output_type: str | None, call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an answer that is asked for at once."""
    operation = _parse_request(call)
    _read_address(operation, call.instance)
    operation.output_type = output_type or operation.output_type
    return operation, Reader(_read_response, failure=_read_failure)


def start_stream(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an answer that comes in pieces."""
    operation = _parse_request(call)
    _read_address(operation, call.instance)
    operation.stream = True
    return operation, Reader(_read_response, chunk=_read_chunk, end=_finish, failure=_read_failure, lazy=True)


def start_media(output_type: str, call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an image or video that is made from a prompt."""
    operation = Inference(f"{output_type}_generation", _PROVIDER, output_type=output_type)
    operation.request_model = payload.as_text(call.argument(1, "model"))
    _read_address(operation, call.instance)
    prompt = payload.as_text(call.argument(0, "prompt"))
    if prompt is not None and content.wanted():
        operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation, Reader(_read_media, failure=_read_failure)


def note_address(_: None, call: Call) -> None:
    """Note where a new client's requests go: gRPC's stubs, which send them, do not tell."""
    address = call.kwargs.get("api_host", _HOST)
    for name in ("chat", "image", "video"):
        stub = payload.get(call.instance, name, "_stub")
        if stub is not None:
            _addresses[stub] = address


def _read_address(operation: Inference, holder: Any) -> None:
    read_store_address(operation, _addresses.get(payload.get(holder, "_stub")))


def _parse_request(call: Call) -> Answer:
    """Read the GetCompletionsRequest that the conversation has collected."""
    request = call.instance._proto  # noqa: SLF001 (the public property is not there in every release)
    operation = Answer("chat", _PROVIDER, request_model=payload.as_text(request.model))
    for name in _SAMPLING_FIELDS:
        if request.HasField(name):
            setattr(operation, name, _as_written(getattr(request, name)))
    count = payload.as_int(call.argument(0, "n"))
    if count is not None and count > 1:
        operation.choice_count = count
    operation.stop_sequences = list(request.stop) or None
    operation.previous_response_id = payload.as_text(getattr(request, "previous_response_id", None))
    if request.HasField("reasoning_effort"):
        operation.reasoning_level = _REASONING_LEVELS.get(request.reasoning_effort)
    if request.HasField("response_format"):
        operation.output_type = _OUTPUT_TYPES.get(request.response_format.format_type)
    operation.tool_results = _tool_results(request.messages)
    operation.offered_tools = (tool.function.name for tool in request.tools)
    operation.must_call_tool = _is_forced(request)
    if content.wanted():
        operation.input_messages = [_message(message) for message in request.messages]
        operation.tool_definitions = [_tool_definition(tool) for tool in request.tools] or None
    return operation


def _tool_results(raw_messages: Any) -> Iterator[ToolResult]:
    """Go through what tools gave after the model's last answer, the newest first; older releases know no ids."""
    for raw in reversed(raw_messages):
        role = _ROLES.get(raw.role)
        if role == "assistant":
            return
        if role == "tool":
            result = _message(raw)["parts"][0]["response"] if content.wanted() else None
            yield ToolResult(payload.as_text(getattr(raw, "tool_call_id", None)), result=result)


def _is_forced(request: Any) -> bool:
    if not request.HasField("tool_choice"):
        return False
    choice = request.tool_choice
    return bool(choice.WhichOneof("tool_choice") == "function_name" or choice.mode == _REQUIRED)


def _as_written(value: Any) -> Any:
    """Return a number as the agent wrote it: the wire has single precision, where 0.7 would read as 0.699999988."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _first(value: Any) -> Any:
    """Return the first of several answers to one request: all of them share the Response of the wire."""
    return payload.coalesce(*value) if isinstance(value, (list, tuple)) else value


def _read_response(operation: Answer, returned: Any) -> None:
    response = _first(returned)
    if response.proto.HasField("usage"):
        _read_usage(operation, response.proto.usage)
    operation.latest = response
    _finish(operation)


def _read_chunk(operation: Answer, item: Any) -> None:
    """Read the pair of a Response, as far as it has come, and the Chunk that was added to it."""
    response, chunk = item
    operation.latest = _first(response)
    proto = _first(chunk).proto
    if proto.HasField("usage"):
        _read_usage(operation, proto.usage)


def _finish(operation: Answer) -> None:
    """Complete the operation from the latest response."""
    if operation.latest is None:
        return
    response, operation.latest = operation.latest.proto, None
    operation.response_id = payload.as_text(response.id)
    operation.response_model = payload.as_text(getattr(response, "model", None))
    outputs = [output for output in _outputs(response) if output.message.role in (0, _ASSISTANT)]
    reasons = [_FINISH_REASONS.get(output.finish_reason) for output in outputs]
    operation.finish_reasons = [reason for reason in reasons if reason is not None] or None
    _read_tool_calls(operation, outputs)
    if content.wanted():
        operation.output_messages = [_output_message(output) for output in outputs]


def _read_tool_calls(operation: Answer, outputs: list[Any]) -> None:
    tool_calls = [call for output in outputs for call in output.message.tool_calls]
    operation.tool_calls = [call.function.name for call in tool_calls] or None
    operation.tool_call_ids = [call.id or None for call in tool_calls] or None


def _outputs(response: Any) -> Any:
    """Return the answers, which releases before 1.4 call choices."""
    return payload.coalesce(payload.get(response, "outputs"), payload.get(response, "choices"))


def _read_usage(operation: Answer, raw: Any) -> None:
    operation.usage = _usage(raw)
    tools = list(getattr(raw, "server_side_tools_used", ()))
    billing.add_units(operation, "web_searches", tools.count(_WEB_SEARCH))
    billing.add_units(operation, "social_searches", tools.count(_X_SEARCH))
    _read_cost(operation, raw)


def _read_cost(operation: Inference, raw: Any) -> None:
    """Read what the provider says that it takes, which newer releases know."""
    if "cost_in_usd_ticks" in raw.DESCRIPTOR.fields_by_name and raw.HasField("cost_in_usd_ticks"):
        billing.read_cost(operation, {"cost_in_usd_ticks": raw.cost_in_usd_ticks})


def _usage(raw: Any) -> Usage:
    output_tokens = raw.completion_tokens
    # Reasoning is counted beside the answer; the total tells so.
    if raw.prompt_tokens + output_tokens + raw.reasoning_tokens <= raw.total_tokens:
        output_tokens += raw.reasoning_tokens
    # A zero is what the wire has for a count that is not there.
    return Usage(
        input_tokens=raw.prompt_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=raw.cached_prompt_text_tokens or None,
        reasoning_tokens=raw.reasoning_tokens or None,
        text_input_tokens=raw.prompt_text_tokens or None,
        image_input_tokens=raw.prompt_image_tokens or None,
    )


def _read_media(operation: Inference, returned: Any) -> None:
    """Read an ImageResponse or VideoResponse; fetching what lies at its address is the agent's affair."""
    response = _first(returned)
    operation.response_model = payload.get_text(response, "model")
    usage = payload.get(response, "proto", "usage")
    if usage is not None:
        _read_cost(operation, usage)
    url = payload.get_text(response, "_image", "url") or payload.get_text(response, "_video", "url")
    if url is not None and content.wanted():
        part = messages.uri(operation.output_type or "image", url)
        operation.output_messages = [messages.message("assistant", part, finish_reason="stop")]


def _read_failure(operation: Inference, error: BaseException) -> None:
    """Read an RpcError, which has a method for its code."""
    code = getattr(error, "code", None)
    if callable(code):
        operation.error_type = payload.get_text(code(), "name")


def _output_message(output: Any) -> Message:
    message = output.message
    parts = _reasoning_parts(message)
    if message.content:
        parts.append(messages.text(message.content))
    parts += _tool_call_parts(message)
    return messages.message("assistant", *parts, finish_reason=_FINISH_REASONS.get(output.finish_reason))


def _message(raw: Any) -> Message:
    role = _ROLES.get(raw.role, "user")
    parts = [_part(part) for part in raw.content]
    if role == "tool":
        text = "".join(str(part.get("content", "")) for part in parts)
        call_id = payload.as_text(getattr(raw, "tool_call_id", None))
        return messages.message(role, messages.tool_call_response(call_id, text))
    return messages.message(role, *_reasoning_parts(raw), *parts, *_tool_call_parts(raw), name=raw.name or None)


def _reasoning_parts(raw: Any) -> list[Part]:
    text = payload.as_text(getattr(raw, "reasoning_content", None))
    return [] if text is None else [messages.reasoning(text)]


def _tool_call_parts(raw: Any) -> list[Part]:
    return [messages.tool_call(call.id or None, call.function.name, call.function.arguments) for call in raw.tool_calls]


def _part(raw: Any) -> Part:
    kind = raw.WhichOneof("content")
    if kind == "image_url":
        return data_part("image", raw.image_url.image_url)
    if kind == "file":
        return messages.file("document", raw.file.file_id)
    return messages.text(raw.text)


def _tool_definition(raw: Any) -> messages.ToolDefinition:
    kind = raw.WhichOneof("tool")
    if kind != "function":
        # A tool that xAI runs itself.
        return messages.tool_definition(str(kind), kind=str(kind))
    function = raw.function
    schema = from_exact_json(function.parameters) if function.parameters else None
    return messages.tool_definition(function.name, function.description or None, schema)


def _targets(package: str, call: Callable[..., Wrapper]) -> Iterator[Target]:
    chat, image, video = (f"{package}.{name}" for name in ("chat", "image", "video"))
    for module in (chat, image, video):
        yield Target(module, "tracer.start_as_current_span", native_spans.start_no_span, optional=True)
    start = call(partial(start_operation, None))
    for name in ("sample", "sample_batch", "defer", "defer_batch"):
        yield Target(chat, f"Chat.{name}", start)
    yield Target(chat, "Chat.parse", call(partial(start_operation, "json")))
    # Streams are generators of either kind: their methods are no coroutines.
    for name in ("stream", "stream_batch"):
        yield Target(chat, f"Chat.{name}", streams.wrap_call(start_stream))
    start_image = call(partial(start_media, "image"))
    for name in ("sample", "sample_batch"):
        yield Target(image, f"Client.{name}", start_image)
    yield Target(video, "Client.generate", call(partial(start_media, "video")))


INSTRUMENTORS = (
    Instrumentor(
        "xai",
        "xai-sdk",
        ">=1.0,<2",
        (
            Target("xai_sdk.client", "BaseClient.__init__", native_spans.wrap_result(note_address), optional=True),
            *_targets("xai_sdk.sync", streams.wrap_call),
            *_targets("xai_sdk.aio", streams.wrap_async_call),
        ),
        ("chat", "image_generation", "video_generation"),
    ),
)
