"""From the arguments of LiteLLM's functions to operations, and from what they return, OpenAI's shapes, back into them.

LiteLLM fills in the usage that a provider does not tell by counting itself; what was counted so is left out. In a
stream only the provider's own chunks tell it, before LiteLLM works on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import cohere
from obs_instrumentors.wire.openai import chat, common_fields, completions, embeddings, media, responses
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import semconv
from obs_run.core.operations import Embedding, Inference, ModelCall, Operation, Usage
from obs_run.core.outcomes import Reader

from . import providers

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_instrumentors.wire.openai.responses import Response
    from obs_run.core.outcomes import Call

_COUNTS = ("token", "eval_count")


@dataclass(frozen=True)
class Function:
    """A function of LiteLLM: the names of its first arguments, and how its outcome is read."""

    name: str
    positions: tuple[str, ...]
    begin: Callable[[dict[str, Any]], Operation]
    reader: Reader


def begin(function: Function, call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a call means; None where LiteLLM's sync function is asked for a coroutine."""
    body = {**dict(zip(function.positions, call.args, strict=False)), **call.kwargs}
    if body.get(f"a{function.name}"):
        return None
    operation = function.begin(body)
    operation.extra.pop(semconv.OPENAI_API_TYPE, None)
    if isinstance(operation, ModelCall):
        operation.provider, operation.request_model = providers.named(body)
    if body.get("stream") and isinstance(operation, Inference):
        operation.stream = True
    return operation, function.reader


def read_provider(operation: Operation, call: Call) -> None:
    """Read who is to answer, as LiteLLM found out."""
    told = call.kwargs.get("custom_llm_provider")
    if told and isinstance(operation, ModelCall):
        operation.provider = providers.provider(told)


def read_address(operation: Operation, call: Call) -> None:
    """Read where the request goes."""
    address = payload.get(call.argument(3, "additional_args"), "api_base")
    if address and isinstance(operation, ModelCall):
        read_server_address(operation, str(address))


def read_body(operation: Operation, call: Call) -> None:
    """Note whether the provider's answer speaks of tokens at all; where it does not, LiteLLM will count them."""
    raw = call.argument(0, "original_response")
    if isinstance(raw, str) and isinstance(operation, ModelCall) and not payload.get(operation, "stream"):
        operation.usage_told = any(word in raw for word in _COUNTS)


def read_chunk(operation: Operation, call: Call) -> None:
    """Read model and usage of a chunk as the provider sent it; a cached answer's chunks have cost nothing."""
    if not isinstance(operation, ModelCall) or payload.get(call.instance, "custom_llm_provider") == "cached_response":
        return
    chunk = call.argument(0, "chunk")
    operation.response_model = payload.get_text(chunk, "model") or operation.response_model
    if isinstance(operation, responses.Response):
        operation.usage_told = True
    told = _usage(payload.get(chunk, "usage"))
    if told is not None:
        known = {} if operation.usage is None else operation.usage.__dict__
        # Some tell input at the start and output at the end, each time with zeros for the rest.
        operation.usage = Usage(**{name: value or known.get(name, value) for name, value in told.__dict__.items()})


def source(returned: Any) -> Any:
    """Return the stream that a call gave, None where it gave an answer."""
    return returned if hasattr(returned, "__next__") or hasattr(returned, "__anext__") else None


def _usage(told: Any) -> Usage | None:
    """Return usage as LiteLLM tells it; nothing but zeros is what it writes where it knows nothing."""
    read = common_fields.usage(told)
    if read is None or not (read.input_tokens or read.output_tokens):
        return None
    details = payload.get(told, "prompt_tokens_details")
    read.cache_write_tokens = payload.coalesce(
        read.cache_write_tokens,
        payload.get_int(details, "cache_creation_tokens"),
        payload.get_int(told, "cache_creation_input_tokens"),
    )
    return read


def _result(read: Callable[[Any, Any], None], operation: ModelCall, response: Any) -> None:
    read(operation, response)
    cached = payload.get(response, "_hidden_params", "cache_hit")
    known = operation.usage_told is not False and not cached
    operation.usage = _usage(payload.get(response, "usage")) if known else None
    if operation.usage is not None and isinstance(operation, Embedding):
        operation.usage.output_tokens = None
    _read_model(operation)


def _read_model(operation: ModelCall) -> None:
    """Take off the provider's name, which LiteLLM puts before some models of answers."""
    _, _, model = (operation.response_model or "").partition("/")
    if model and model == operation.request_model:
        operation.response_model = model


def _chunk(read: Callable[[Any, Any], None] | None, operation: ModelCall, chunk: Any) -> None:
    """Read a piece of a stream but for what LiteLLM says of model and usage in the provider's place."""
    model, usage = operation.response_model, operation.usage
    assert read is not None
    read(operation, chunk)
    operation.response_model, operation.usage = model or operation.response_model, usage
    _read_model(operation)


def _text_chunk(operation: Inference, chunk: Any) -> None:
    """Read a piece of a completion's stream, which some providers send as a piece of a chat's."""
    choices = [
        {
            "index": payload.get(each, "index"),
            "text": payload.coalesce(payload.get(each, "text"), payload.get(each, "delta", "content")),
            "finish_reason": payload.get(each, "finish_reason"),
        }
        for each in payload.get_list(chunk, "choices")
    ]
    assert completions.ENDPOINT.chunk is not None
    header = {name: payload.get(chunk, name) for name in ("id", "model", "system_fingerprint")}
    completions.ENDPOINT.chunk(operation, {**header, "choices": choices})


def _event(operation: Response, event: Any) -> None:
    """Read an event of a response; where it was made of a chat's chunks, these have told the usage."""
    model, usage = operation.response_model, operation.usage
    assert responses.ENDPOINT.chunk is not None
    responses.ENDPOINT.chunk(operation, event)
    if operation.usage_told:
        operation.response_model, operation.usage = model or operation.response_model, usage
    elif operation.usage is not None:
        operation.usage = _usage(payload.get(event, "response", "usage")) or usage


def _reader(of: Endpoint, chunk: Callable[[Any, Any], None] | None = None) -> Reader:
    return Reader(partial(_result, of.result), later=source, chunk=chunk, end=of.end)


_CHAT = _reader(chat.ENDPOINT, partial(_chunk, chat.ENDPOINT.chunk))
_RERANK = Reader(cohere.read_rerank_response)
_TEXT = _reader(completions.ENDPOINT, partial(_chunk, _text_chunk))

FUNCTIONS = (
    Function("completion", ("model", "messages"), chat.ENDPOINT.begin, _CHAT),
    Function("text_completion", ("prompt", "model"), completions.ENDPOINT.begin, _TEXT),
    Function("responses", ("input", "model"), responses.ENDPOINT.begin, _reader(responses.ENDPOINT, _event)),
    Function("embedding", ("model", "input"), embeddings.ENDPOINT.begin, _reader(embeddings.ENDPOINT)),
    Function("rerank", ("model", "query", "documents"), cohere.parse_rerank_request, _RERANK),
    Function("image_generation", ("prompt", "model"), media.IMAGE_GENERATION.begin, _reader(media.IMAGE_GENERATION)),
)
