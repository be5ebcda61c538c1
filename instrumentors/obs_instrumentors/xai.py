"""xAI's client, which speaks gRPC: a conversation collects the request, and its methods send it.

The client makes spans of its own, with the texts in them unless told otherwise; they are silenced where ours are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_run.base import payload
from obs_run.core import content, messages, native_spans, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Inference, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.core.outcomes import Call

_PROVIDER = "x_ai"
_ROLES = {1: "user", 2: "assistant", 3: "system", 4: "tool", 5: "tool", 6: "system"}
_ASSISTANT = 2
_EFFORTS = {1: "low", 2: "medium", 3: "high", 4: "none", 5: "xhigh"}
_FORMATS = {1: "text", 2: "json", 3: "json"}
_FINISHED = {1: "length", 2: "length", 3: "stop", 4: "tool_call", 5: "time_limit"}


@dataclass
class Answer(Inference):
    """A conversation's next answer; ``latest`` is the response that the client adds chunks to."""

    latest: Any = field(default=None, repr=False)


def begin(form: str | None, call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an answer that is asked for at once."""
    return _asked(call, form), Reader(_result, failure=_failure)


def begin_stream(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an answer that comes in pieces."""
    operation = _asked(call)
    operation.stream = True
    return operation, Reader(_result, chunk=_chunk, end=_end, failure=_failure, lazy=True)


def begin_media(form: str, call: Call) -> tuple[Inference, Reader]:
    """Return the operation of an image or video that is made from a prompt."""
    operation = Inference(f"{form}_generation", _PROVIDER, output_type=form)
    operation.request_model = payload.as_text(call.argument(1, "model"))
    prompt = payload.as_text(call.argument(0, "prompt"))
    if prompt is not None and content.wanted():
        operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation, Reader(_made, failure=_failure)


def _asked(call: Call, form: str | None = None) -> Answer:
    request = call.instance._proto  # noqa: SLF001 (the public property is not there in every release)
    count = payload.as_int(call.argument(0, "n"))
    operation = Answer("chat", _PROVIDER, request_model=payload.as_text(request.model))
    for name in ("seed", "temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens"):
        if request.HasField(name):
            given = getattr(request, name)
            # The wire has single precision: 0.7 would read as 0.699999988.
            setattr(operation, name, float(f"{given:.7g}") if isinstance(given, float) else given)
    operation.choice_count = count if count is not None and count > 1 else None
    operation.stop_sequences = list(request.stop) or None
    operation.previous_response_id = payload.as_text(getattr(request, "previous_response_id", None))
    operation.reasoning_level = _EFFORTS.get(request.reasoning_effort) if request.HasField("reasoning_effort") else None
    told = _FORMATS.get(request.response_format.format_type) if request.HasField("response_format") else None
    operation.output_type = form or told
    if content.wanted():
        operation.input_messages = [_message(each) for each in request.messages]
        operation.tool_definitions = [_tool(each) for each in request.tools] or None
    return operation


def _result(operation: Answer, returned: Any) -> None:
    response = payload.coalesce(*returned) if isinstance(returned, (list, tuple)) else returned
    if response.proto.HasField("usage"):
        operation.usage = _usage(response.proto.usage)
    operation.latest = response
    _end(operation)


def _chunk(operation: Answer, item: Any) -> None:
    response, chunk = (payload.coalesce(*each) if isinstance(each, (list, tuple)) else each for each in item)
    operation.latest = response
    if chunk.proto.HasField("usage"):
        operation.usage = _usage(chunk.proto.usage)


def _end(operation: Answer) -> None:
    if operation.latest is None:
        return
    response, operation.latest = operation.latest.proto, None
    operation.response_id = payload.as_text(response.id)
    operation.response_model = payload.as_text(getattr(response, "model", None))
    said = [each for each in _outputs(response) if each.message.role in (0, _ASSISTANT)]
    reasons = [_FINISHED[each.finish_reason] for each in said if each.finish_reason in _FINISHED]
    operation.finish_reasons = reasons or None
    operation.tool_calls = [one.function.name for each in said for one in each.message.tool_calls] or None
    if content.wanted():
        operation.output_messages = [_spoken(each) for each in said]


def _outputs(response: Any) -> Any:
    """Return the answers, which releases before 1.4 call choices."""
    return payload.coalesce(payload.get(response, "outputs"), payload.get(response, "choices"))


def _usage(told: Any) -> Usage:
    output, reasoning = told.completion_tokens, told.reasoning_tokens
    # Reasoning is counted beside the answer; the total tells so.
    if told.prompt_tokens + output + reasoning <= told.total_tokens:
        output += reasoning
    return Usage(
        input_tokens=told.prompt_tokens,
        output_tokens=output,
        cache_read_tokens=told.cached_prompt_text_tokens or None,
        reasoning_tokens=reasoning or None,
        text_input_tokens=told.prompt_text_tokens or None,
        image_input_tokens=told.prompt_image_tokens or None,
    )


def _made(operation: Inference, returned: Any) -> None:
    response = payload.coalesce(*returned) if isinstance(returned, (list, tuple)) else returned
    operation.response_model = payload.get_text(response, "model")
    place = payload.as_text(payload.get(response, "_image", "url") or payload.get(response, "_video", "url"))
    if place is not None and content.wanted():
        part = messages.uri(operation.output_type or "image", place)
        operation.output_messages = [messages.message("assistant", part, finish_reason="stop")]


def _failure(operation: Inference, error: BaseException) -> None:
    code = getattr(error, "code", None)
    if callable(code):
        operation.error_type = payload.get_text(code(), "name")


def _spoken(output: Any) -> Message:
    said = output.message
    parts = _thought(said) + ([messages.text(said.content)] if said.content else []) + _calls(said)
    return messages.message("assistant", *parts, finish_reason=_FINISHED.get(output.finish_reason))


def _message(raw: Any) -> Message:
    role = _ROLES.get(raw.role, "user")
    parts = [_part(each) for each in raw.content]
    if role == "tool":
        text = "".join(str(part.get("content", "")) for part in parts)
        call_id = payload.as_text(getattr(raw, "tool_call_id", None))
        return messages.message(role, messages.tool_call_response(call_id, messages.parsed(text)))
    return messages.message(role, *_thought(raw), *parts, *_calls(raw), name=raw.name or None)


def _thought(raw: Any) -> list[Part]:
    thought = payload.as_text(getattr(raw, "reasoning_content", None))
    return [] if thought is None else [messages.reasoning(thought)]


def _calls(raw: Any) -> list[Part]:
    return [messages.tool_call(each.id or None, each.function.name, each.function.arguments) for each in raw.tool_calls]


def _part(raw: Any) -> Part:
    kind = raw.WhichOneof("content")
    if kind == "image_url":
        return data_part("image", raw.image_url.image_url)
    if kind == "file":
        return messages.file("document", raw.file.file_id)
    return messages.text(raw.text)


def _tool(raw: Any) -> messages.ToolDefinition:
    if raw.WhichOneof("tool") != "function":
        kind = str(raw.WhichOneof("tool"))
        return messages.tool_definition(kind, kind=kind)
    known = raw.function
    return messages.tool_definition(known.name, known.description or None, messages.parsed(known.parameters))


def _targets(side: str) -> tuple[Target, ...]:
    call = streams.call if side == "sync" else streams.async_call
    chat, image, video = (f"xai_sdk.{side}.{name}" for name in ("chat", "image", "video"))
    return (
        *(
            Target(each, "tracer.start_as_current_span", native_spans.silent, optional=True)
            for each in (chat, image, video)
        ),
        *(Target(chat, f"Chat.{name}", call(partial(begin, None))) for name in ("sample", "sample_batch", "defer")),
        Target(chat, "Chat.defer_batch", call(partial(begin, None))),
        Target(chat, "Chat.parse", call(partial(begin, "json"))),
        *(Target(chat, f"Chat.{name}", streams.call(begin_stream)) for name in ("stream", "stream_batch")),
        *(Target(image, f"Client.{name}", call(partial(begin_media, "image"))) for name in ("sample", "sample_batch")),
        Target(video, "Client.generate", call(partial(begin_media, "video"))),
    )


INSTRUMENTORS = (
    Instrumentor(
        "xai",
        "xai-sdk",
        ">=1.0,<2",
        (*_targets("sync"), *_targets("aio")),
        ("chat", "image_generation", "video_generation"),
    ),
)
