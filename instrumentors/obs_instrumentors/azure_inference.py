"""Azure AI Inference: chat completions in OpenAI's format, and embeddings of texts and images.

The library's own instrumentor patches the same methods once an agent asks it to. It finds nothing to patch while ours
are in place, because its spans would tell the same calls a second time, by names of yesterday.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.openai import chat, embeddings
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import messages, native_spans, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_CHAT = (
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
    "tools",
    "top_p",
)
_EMBEDDINGS = ("dimensions", "encoding_format", "input", "model")
_EXTRAS = "model_extras"


def begin(endpoint: Endpoint, names: tuple[str, ...], reader: Reader, call: Call) -> tuple[Operation, Reader]:
    """Return the operation that a call means; what it leaves out, the client's own settings say."""
    body = _body(names, call)
    operation = endpoint.begin(body)
    if body.get("stream"):
        operation.stream = True  # type: ignore[attr-defined] # only chats are asked for as a stream
    read_server_address(operation, str(payload.get(call.instance, "_config", "endpoint")))
    hosts_openai = (operation.server_address or "").endswith(".openai.azure.com")
    operation.provider = "azure.ai.openai" if hosts_openai else "azure.ai.inference"
    return operation, reader


def _body(names: tuple[str, ...], call: Call) -> dict[str, Any]:
    given = call.argument(0, "body")
    if isinstance(given, (bytes, bytearray)):
        given = messages.parsed(given.decode("utf-8", "replace"))
    if not isinstance(given, dict):
        own = call.instance.__dict__
        given = {name: payload.coalesce(call.kwargs.get(name), own.get(f"_{name}")) for name in names}
        given.update(call.kwargs.get(_EXTRAS) or own.get(f"_{_EXTRAS}") or {})
    form = given.get("response_format")
    if form is not None and not isinstance(form, dict):
        # A word, or an object that stands for a schema.
        given = {**given, "response_format": {"type": str.__str__(form) if isinstance(form, str) else "json_schema"}}
    return given


def _plain(read: Any, operation: Operation, response: Any) -> None:
    """Read a model of the library as what came over the wire."""
    read(operation, response.as_dict())


def _later(returned: Any) -> Any:
    return None if hasattr(returned, "as_dict") else returned


def _failure(operation: Operation, error: BaseException) -> None:
    operation.error_type = payload.get_text(error, "error", "code") or operation.error_type


def _itself(stream: Any) -> Any:
    return stream


def _no_injectors(_: Call) -> Iterator[Any]:
    """Return what the library's own instrumentor is to patch: nothing."""
    return iter(())


def _targets(package: str, call: Callable[..., Any]) -> tuple[Target, ...]:
    module = f"{package}._patch"
    embed = call(partial(begin, embeddings.ENDPOINT, _EMBEDDINGS, _VECTORS))
    return (
        Target(module, "ChatCompletionsClient.complete", call(partial(begin, chat.COMPATIBLE, _CHAT, _ANSWER))),
        Target(module, "EmbeddingsClient.embed", embed),
        Target(module, "ImageEmbeddingsClient.embed", embed, optional=True),
    )


_PACKAGE = "azure.ai.inference"
_MODELS = f"{_PACKAGE}.models._patch"
_ANSWER = Reader(
    partial(_plain, chat.COMPATIBLE.result),
    later=_later,
    chunk=partial(_plain, chat.COMPATIBLE.chunk),
    end=chat.COMPATIBLE.end,
    failure=_failure,
)
_VECTORS = Reader(partial(_plain, embeddings.ENDPOINT.result), failure=_failure)

INSTRUMENTORS = (
    Instrumentor(
        "azure-ai-inference",
        "azure-ai-inference",
        ">=1.0.0,<2",
        (
            *_targets(_PACKAGE, streams.call),
            *_targets(f"{_PACKAGE}.aio", streams.async_call),
            Target(_MODELS, "StreamingChatCompletions.__next__", streams.step(_itself)),
            Target(_MODELS, "StreamingChatCompletions.__exit__", streams.closing(_itself)),
            Target(_MODELS, "AsyncStreamingChatCompletions.__anext__", streams.async_step(_itself)),
            Target(_MODELS, "AsyncStreamingChatCompletions.__aexit__", streams.closing(_itself), optional=True),
            Target(
                f"{_PACKAGE}.tracing",
                "_AIInferenceInstrumentorPreview._available_inference_apis_and_injectors",
                native_spans.replaced(_no_injectors),
                optional=True,
            ),
        ),
        ("chat", "embeddings"),
    ),
)
