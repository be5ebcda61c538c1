"""Hugging Face's inference client; ``client.chat.completions.create`` is its ``chat_completion``.

What the agent asks for stands in the arguments; model, address and the provider that it is routed to are known once the
client has made its request, which it does in one method.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_instrumentors.wire import continuation
from obs_instrumentors.wire.openai import compatible_chat
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, ModelCall, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

    Parse = Callable[[dict[str, Any]], ModelCall]

_HUGGINGFACE = "huggingface"
_ROUTER = "router.huggingface.co"
_PROVIDERS = {
    "auto": _HUGGINGFACE,
    "hf-inference": _HUGGINGFACE,
    "v1": _HUGGINGFACE,
    "fireworks-ai": "fireworks_ai",
    "together": "together_ai",
}
_FINISH_REASONS = {"eos_token": "stop", "stop_sequence": "stop"}


def start_operation(parse: Parse, first: str, reader: Reader, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call of one of the client's tasks means; ``first`` names its first parameter."""
    operation = parse({**call.kwargs, first: call.argument(0, first)})
    operation.request_model = _model_name(call.kwargs.get("model")) or _model_name(payload.get(call.instance, "model"))
    operation.provider = provider(None, payload.get_text(call.instance, "provider"))
    return operation, reader


def note_request(operation: Operation, call: Call) -> None:
    """Read what the client asks of whom, from the RequestParameters that it has made."""
    if not isinstance(operation, ModelCall):
        return
    request = call.argument(0, "request_parameters")
    read_server_address(operation, request.url)
    operation.provider = provider(request.url, payload.get_text(call.instance, "provider"))
    operation.request_model = operation.request_model or _model_name(request.model)


def provider(url: str | None, setting: str | None) -> str:
    """Return who answers: the provider that the client is set to, or the one in the router's path."""
    parts = urlsplit(url or "")
    name = setting
    if parts.hostname == _ROUTER:
        name, _, _ = parts.path.lstrip("/").partition("/")
    if not name:
        return _HUGGINGFACE
    return _PROVIDERS.get(name, name)


def _parse_chat(arguments: dict[str, Any]) -> ModelCall:
    # The client merges the extra body into the request's.
    operation = compatible_chat.parse_request({**arguments, **(arguments.get("extra_body") or {})})
    operation.stream = True if arguments.get("stream") else None
    return operation


def _parse_generation(arguments: dict[str, Any]) -> ModelCall:
    # The older parameter has the longer name.
    stops = payload.as_list(arguments.get("stop")) or payload.as_list(arguments.get("stop_sequences"))
    operation = Inference(
        "text_completion",
        stream=True if arguments.get("stream") else None,
        seed=payload.as_int(arguments.get("seed")),
        temperature=payload.as_float(arguments.get("temperature")),
        top_p=payload.as_float(arguments.get("top_p")),
        top_k=payload.as_int(arguments.get("top_k")),
        frequency_penalty=payload.as_float(arguments.get("frequency_penalty")),
        max_tokens=payload.as_int(arguments.get("max_new_tokens")),
        stop_sequences=stops or None,
    )
    _read_prompt(operation, arguments.get("prompt"))
    return operation


def _parse_features(arguments: dict[str, Any]) -> ModelCall:
    text = arguments.get("text")
    return Embedding(
        "embeddings",
        input_count=len(text) if isinstance(text, list) else 1,
        dimensions=payload.as_int(arguments.get("dimensions")),
    )


def _parse_image(arguments: dict[str, Any]) -> ModelCall:
    operation = Inference("image_generation", output_type="image", seed=payload.as_int(arguments.get("seed")))
    _read_prompt(operation, arguments.get("prompt"))
    return operation


def _parse_speech(arguments: dict[str, Any]) -> ModelCall:
    operation = Inference("speech", output_type="speech")
    _read_prompt(operation, arguments.get("text"))
    return operation


def _parse_transcription(_arguments: dict[str, Any]) -> ModelCall:
    return Inference("transcription", output_type="text")


def _read_prompt(operation: Inference, prompt: Any) -> None:
    if content.wanted() and isinstance(prompt, str):
        operation.input_messages = [messages.message("user", messages.text(prompt))]


def _read_generation(operation: Inference, response: Any) -> None:
    """Read a text or TextGenerationOutput; reason and tokens are there only if the agent asked for details."""
    text = response if isinstance(response, str) else payload.get(response, "generated_text")
    _read_details(operation, payload.get(response, "details"))
    continuation.append_text(operation, payload.as_text(text) or "")
    continuation.finish(operation)


def _read_generation_chunk(operation: Inference, chunk: Any) -> None:
    """Read a text or TextGenerationStreamOutput."""
    _read_details(operation, payload.get(chunk, "details"))
    token = payload.get(chunk, "token")
    text = chunk if isinstance(chunk, str) else payload.get(token, "text")
    # Special tokens, such as that of the end, are no text.
    if payload.as_text(text) is not None and not payload.get(token, "special"):
        continuation.append_text(operation, text)


def _read_details(operation: Inference, details: Any) -> None:
    reason = payload.get_text(details, "finish_reason")
    if reason is None:
        return
    operation.finish_reasons = [_FINISH_REASONS.get(reason, reason)]
    # Streams count the input, whole answers may list its tokens.
    prefilled = payload.get_list(details, "prefill")
    input_tokens = payload.coalesce(payload.get_int(details, "input_length"), len(prefilled) or None)
    operation.usage = Usage(input_tokens, payload.get_int(details, "generated_tokens"))


def _read_transcription(operation: Inference, response: Any) -> None:
    """Read an AutomaticSpeechRecognitionOutput."""
    continuation.append_text(operation, payload.get_text(response, "text") or "")


def _read_nothing(_operation: ModelCall, _response: Any) -> None:
    """Leave vectors, pictures and sound alone: they have neither text nor usage."""


def _model_name(model: Any) -> str | None:
    """Return a model's name; the address of an endpoint is none."""
    name = payload.as_text(model)
    if name is None or name.startswith(("http://", "https://")):
        return None
    return name


def _targets(module: str, client: str, call: Callable[..., Any]) -> Iterator[Target]:
    for name, first, parse, reader in _TASKS:
        yield Target(module, f"{client}.{name}", call(partial(start_operation, parse, first, reader)))
    yield Target(module, f"{client}._inner_post", streams.wrap_inner_call(note_request))


_CHAT = Reader(compatible_chat.read_response, chunk=compatible_chat.read_chunk, end=compatible_chat.finish)
_GENERATION = Reader(_read_generation, chunk=_read_generation_chunk, end=continuation.finish)
_TRANSCRIPTION = Reader(_read_transcription)
_SILENT = Reader(_read_nothing)
_TASKS: tuple[tuple[str, str, Parse, Reader], ...] = (
    ("chat_completion", "messages", _parse_chat, _CHAT),
    ("text_generation", "prompt", _parse_generation, _GENERATION),
    ("feature_extraction", "text", _parse_features, _SILENT),
    ("text_to_image", "prompt", _parse_image, _SILENT),
    ("text_to_speech", "text", _parse_speech, _SILENT),
    ("automatic_speech_recognition", "audio", _parse_transcription, _TRANSCRIPTION),
)

INSTRUMENTORS = (
    Instrumentor(
        "huggingface_hub",
        "huggingface-hub",
        ">=0.28,<3",
        (
            *_targets("huggingface_hub.inference._client", "InferenceClient", streams.wrap_call),
            *_targets(
                "huggingface_hub.inference._generated._async_client", "AsyncInferenceClient", streams.wrap_async_call
            ),
        ),
        ("chat", "text_completion", "embeddings", "image_generation", "speech", "transcription"),
    ),
)
