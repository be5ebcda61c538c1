"""From the arguments of LiteLLM's functions to operations, and from what they return, OpenAI's shapes, back into them.

LiteLLM fills in the usage that a provider does not tell by counting itself; what was counted so is left out. In a
stream only the provider's own chunks tell it, before LiteLLM works on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients.stream_objects import stream_or_none
from obs_instrumentors.wire import cohere, litellm_providers
from obs_instrumentors.wire.anthropic import messages as anthropic
from obs_instrumentors.wire.openai import chat, common_fields, completions, embeddings, media, responses
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import semconv
from obs_run.core.operations import Embedding, Inference, ModelCall, Operation, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_instrumentors.wire.openai.completions import Completion
    from obs_instrumentors.wire.openai.responses import Response
    from obs_run.core.outcomes import Call

    Parse = Callable[[dict[str, Any]], Operation]
    Read = Callable[[Any, Any], None]

_USAGE_WORDS = ("token", "eval_count")


@dataclass(frozen=True)
class Function:
    """A function of LiteLLM: the names of its first parameters, and how its outcome is read."""

    name: str
    parameters: tuple[str, ...]
    parse_request: Parse
    reader: Reader


def start_operation(function: Function, call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a call means; None where LiteLLM's sync function is asked for a coroutine."""
    body = {**dict(zip(function.parameters, call.args, strict=False)), **call.kwargs}
    if body.get(f"a{function.name}") or body.get("is_async"):
        return None
    operation = function.parse_request(body)
    operation.extra.pop(semconv.OPENAI_API_TYPE, None)
    if isinstance(operation, ModelCall):
        operation.provider, operation.request_model = litellm_providers.provider_and_model(body)
    if body.get("stream") and isinstance(operation, Inference):
        operation.stream = True
    return operation, function.reader


def read_provider(operation: Operation, call: Call) -> None:
    """Read who is to answer, as LiteLLM resolved it."""
    provider = call.kwargs.get("custom_llm_provider")
    if provider and isinstance(operation, ModelCall):
        operation.provider = litellm_providers.provider(provider)


def read_address(operation: Operation, call: Call) -> None:
    """Read where the request goes."""
    address = payload.get(call.argument(3, "additional_args"), "api_base")
    if address and isinstance(operation, ModelCall):
        read_server_address(operation, str(address))


def read_body(operation: Operation, call: Call) -> None:
    """Note whether the provider's answer speaks of tokens at all; where it does not, LiteLLM will count them."""
    body = call.argument(0, "original_response")
    if not isinstance(body, str) or not isinstance(operation, ModelCall):
        return
    if not payload.get(operation, "stream"):
        operation.provider_reports_usage = any(word in body for word in _USAGE_WORDS)


def read_provider_chunk(operation: Operation, call: Call) -> None:
    """Read model and usage of a chunk as the provider sent it; a cached answer's chunks have cost nothing."""
    if not isinstance(operation, ModelCall) or payload.get(call.instance, "custom_llm_provider") == "cached_response":
        return
    chunk = call.argument(0, "chunk")
    operation.response_model = payload.get_text(chunk, "model") or operation.response_model
    if isinstance(operation, responses.Response):
        operation.provider_reports_usage = True
    usage = _usage(payload.get(chunk, "usage"))
    if usage is not None:
        operation.usage = _merge_usage(operation.usage, usage)


def _merge_usage(before: Usage | None, usage: Usage) -> Usage:
    """Return usage with the counts from before in the place of zeros.

    Some providers tell the input at the start and the output at the end, each time with zeros for the rest.
    """
    if before is None:
        return usage
    for name, count in vars(before).items():
        if not getattr(usage, name):
            setattr(usage, name, count)
    return usage


def _usage(raw: Any) -> Usage | None:
    """Return usage as LiteLLM tells it; nothing but zeros is what it writes where it knows nothing."""
    usage = common_fields.usage(raw)
    if usage is None or not (usage.input_tokens or usage.output_tokens):
        return None
    usage.cache_write_tokens = payload.coalesce(
        usage.cache_write_tokens,
        payload.get_int(raw, "prompt_tokens_details", "cache_creation_tokens"),
        payload.get_int(raw, "cache_creation_input_tokens"),
    )
    return usage


def _read_response(read: Read, operation: ModelCall, response: Any) -> None:
    """Read a ModelResponse or another answer of LiteLLM's; what comes from its cache has cost nothing."""
    read(operation, response)
    operation.usage = None
    is_cached = payload.get(response, "_hidden_params", "cache_hit")
    if is_cached:
        operation.billed_units = operation.reported_cost = None
    if operation.provider_reports_usage is not False and not is_cached:
        operation.usage = _usage(payload.get(response, "usage"))
    if operation.usage is not None and isinstance(operation, Embedding):
        operation.usage.output_tokens = None
    _strip_provider(operation)


def _strip_provider(operation: ModelCall) -> None:
    """Take off the provider's name, which LiteLLM puts before some models of answers."""
    _, _, model = (operation.response_model or "").partition("/")
    if model and model == operation.request_model:
        operation.response_model = model


def _read_chunk(read: Read, operation: ModelCall, chunk: Any) -> None:
    """Read a ModelResponseStream but for what LiteLLM says of model and usage in the provider's place."""
    model, usage = operation.response_model, operation.usage
    read(operation, chunk)
    operation.response_model, operation.usage = model or operation.response_model, usage
    _strip_provider(operation)


def _read_text_chunk(operation: Completion, chunk: Any) -> None:
    """Read a piece of a completion's stream, which some providers send as a piece of a chat's."""
    choices = []
    for choice in payload.get_list(chunk, "choices"):
        text = payload.coalesce(payload.get(choice, "text"), payload.get(choice, "delta", "content"))
        choices.append(
            {
                "index": payload.get(choice, "index"),
                "text": text,
                "finish_reason": payload.get(choice, "finish_reason"),
            }
        )
    completion = {
        "id": payload.get(chunk, "id"),
        "model": payload.get(chunk, "model"),
        "system_fingerprint": payload.get(chunk, "system_fingerprint"),
        "choices": choices,
    }
    completions.read_chunk(operation, completion)


def _read_event(operation: Response, event: Any) -> None:
    """Read an event of a response; where it was made of a chat's chunks, these have told the usage."""
    model, usage = operation.response_model, operation.usage
    responses.read_event(operation, event)
    if operation.provider_reports_usage:
        operation.response_model, operation.usage = model or operation.response_model, usage
    elif operation.usage is not None:
        operation.usage = _usage(payload.get(event, "response", "usage")) or usage


@dataclass
class MessagesCall(anthropic.Answer):
    """A message in Anthropic's format, whoever answers; a stream of it comes as the bytes of events."""

    unread: bytes = b""
    """The beginning of a line whose end has not come yet."""


def _parse_message(body: dict[str, Any]) -> MessagesCall:
    operation = MessagesCall()
    vars(operation).update(vars(anthropic.parse_request(body)))
    return operation


def _read_message(operation: MessagesCall, response: Any) -> None:
    """Read a Message; what comes from LiteLLM's cache has cost nothing."""
    anthropic.read_response(operation, response)
    if payload.get(response, "_hidden_params", "cache_hit"):
        operation.usage = operation.billed_units = operation.billed_calls = None
    _strip_provider(operation)


def _read_message_chunk(operation: MessagesCall, chunk: Any) -> None:
    """Read an event of a message, or bytes of events, which may end anywhere."""
    if not isinstance(chunk, (bytes, str)):
        anthropic.read_event(operation, chunk)
        return
    data = chunk.encode() if isinstance(chunk, str) else chunk
    *lines, operation.unread = (operation.unread + data).split(b"\n")
    for line in lines:
        if not line.startswith(b"data:"):
            continue
        event = from_json(line.removeprefix(b"data:"))
        if isinstance(event, dict):
            anthropic.read_event(operation, event)


def _finish_message(operation: MessagesCall) -> None:
    if operation.blocks:
        anthropic.finish(operation)
    _strip_provider(operation)


def _reader(read: Read, read_chunk: Read | None = None, finish: Callable[[Any], None] | None = None) -> Reader:
    return Reader(partial(_read_response, read), deferred=stream_or_none, chunk=read_chunk, end=finish)


_IMAGES = media.IMAGE_GENERATION
_CHAT = _reader(chat.read_response, partial(_read_chunk, chat.read_chunk), chat.finish)
_TEXT = _reader(completions.read_response, partial(_read_chunk, _read_text_chunk), completions.finish)
_RESPONSES = _reader(responses.read_response, _read_event, responses.finish)
_EMBEDDING = _reader(embeddings.read_response)
_RERANK = Reader(cohere.read_rerank_response)

MESSAGES = Function(
    "anthropic_messages",
    ("max_tokens", "messages", "model"),
    _parse_message,
    Reader(_read_message, deferred=stream_or_none, chunk=_read_message_chunk, end=_finish_message),
)
FUNCTIONS = (
    Function("completion", ("model", "messages"), chat.parse_request, _CHAT),
    Function("text_completion", ("prompt", "model"), completions.parse_request, _TEXT),
    Function("responses", ("input", "model"), responses.parse_request, _RESPONSES),
    Function("embedding", ("model", "input"), embeddings.parse_request, _EMBEDDING),
    Function("rerank", ("model", "query", "documents"), cohere.parse_rerank_request, _RERANK),
    Function("image_generation", ("prompt", "model"), _IMAGES.parse_request, _reader(_IMAGES.read_response)),
)
