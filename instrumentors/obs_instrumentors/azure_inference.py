"""Azure AI Inference: chat completions in OpenAI's format, and embeddings of texts and images.

The library's own instrumentor patches the same methods once an agent asks it to. It finds nothing to patch while ours
are in place, because its spans would tell the same calls a second time, by names of yesterday.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients.stream_objects import itself
from obs_instrumentors.wire.openai import compatible_chat, embeddings
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import native_spans, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call

    Parse = Callable[[dict[str, Any]], ModelCall]

_CHAT_PARAMETERS = (
    "frequency_penalty",
    "max_tokens",
    "messages",
    "model",
    "presence_penalty",
    "response_format",
    "seed",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
)
_EMBEDDING_PARAMETERS = ("dimensions", "encoding_format", "input", "model")
_EXTRAS = "model_extras"


def start_operation(parse: Parse, names: tuple[str, ...], reader: Reader, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call means; what it leaves out, the client's own settings say."""
    body = _body(names, call)
    operation = parse(body)
    if body.get("stream"):
        operation.stream = True  # type: ignore[attr-defined] # only chats are asked for as a stream
    read_server_address(operation, str(payload.get(call.instance, "_config", "endpoint")))
    operation.provider = "azure.ai.inference"
    if (operation.server_address or "").endswith(".openai.azure.com"):
        operation.provider = "azure.ai.openai"
    return operation, reader


def _body(names: tuple[str, ...], call: Call) -> dict[str, Any]:
    """Return the request's body, which is given whole as JSON or bytes, or as arguments."""
    body: Any = call.argument(0, "body")
    if isinstance(body, (bytes, bytearray)):
        body = from_json(body)
    if not isinstance(body, dict):
        body = _body_of_arguments(names, call)
    response_format = body.get("response_format")
    if response_format is None or isinstance(response_format, dict):
        return dict(body)
    kind = "json_schema"
    if isinstance(response_format, str):
        # A member of an enumeration of texts would show its own name.
        kind = str.__str__(response_format)
    return {**body, "response_format": {"type": kind}}


def _body_of_arguments(names: tuple[str, ...], call: Call) -> dict[str, Any]:
    client_settings = call.instance.__dict__
    body = {name: payload.coalesce(call.kwargs.get(name), client_settings.get(f"_{name}")) for name in names}
    body.update(call.kwargs.get(_EXTRAS) or client_settings.get(f"_{_EXTRAS}") or {})
    return body


def _read_model(read: Callable[[Any, Any], None], operation: Operation, response: Any) -> None:
    """Read a ChatCompletions or EmbeddingsResult as what came over the wire."""
    read(operation, response.as_dict())


def _stream_or_none(returned: Any) -> Any:
    return None if hasattr(returned, "as_dict") else returned


def _read_failure(operation: Operation, error: BaseException) -> None:
    operation.error_type = payload.get_text(error, "error", "code") or operation.error_type


def _no_injectors(_: Call) -> Iterator[Any]:
    """Return what the library's own instrumentor is to patch: nothing."""
    return iter(())


def _targets(package: str, call: Callable[..., Any]) -> tuple[Target, ...]:
    module = f"{package}._patch"
    complete = call(partial(start_operation, compatible_chat.parse_request, _CHAT_PARAMETERS, _CHAT))
    embed = call(partial(start_operation, embeddings.parse_request, _EMBEDDING_PARAMETERS, _EMBEDDING))
    return (
        Target(module, "ChatCompletionsClient.complete", complete),
        Target(module, "EmbeddingsClient.embed", embed),
        Target(module, "ImageEmbeddingsClient.embed", embed, optional=True),
    )


_PACKAGE = "azure.ai.inference"
_MODELS = f"{_PACKAGE}.models._patch"
_CHAT = Reader(
    partial(_read_model, compatible_chat.read_response),
    deferred=_stream_or_none,
    chunk=partial(_read_model, compatible_chat.read_chunk),
    end=compatible_chat.finish,
    failure=_read_failure,
)
_EMBEDDING = Reader(partial(_read_model, embeddings.read_response), failure=_read_failure)

INSTRUMENTORS = (
    Instrumentor(
        "azure-ai-inference",
        "azure-ai-inference",
        ">=1.0.0,<2",
        (
            *_targets(_PACKAGE, streams.wrap_call),
            *_targets(f"{_PACKAGE}.aio", streams.wrap_async_call),
            Target(_MODELS, "StreamingChatCompletions.__next__", streams.wrap_next(itself)),
            Target(_MODELS, "StreamingChatCompletions.__exit__", streams.wrap_close(itself)),
            Target(_MODELS, "AsyncStreamingChatCompletions.__anext__", streams.wrap_anext(itself)),
            Target(_MODELS, "AsyncStreamingChatCompletions.__aexit__", streams.wrap_close(itself), optional=True),
            Target(
                f"{_PACKAGE}.tracing",
                "_AIInferenceInstrumentorPreview._available_inference_apis_and_injectors",
                native_spans.wrap_replaced(_no_injectors),
                optional=True,
            ),
        ),
        ("chat", "embeddings"),
    ),
)
