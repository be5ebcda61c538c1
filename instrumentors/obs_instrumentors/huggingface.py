"""Hugging Face's inference client; ``client.chat.completions.create`` is its ``chat_completion``.

What the agent asks for stands in the arguments; model, address and the provider that it is routed to are known once the
client has made its request, which it does in one method.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_instrumentors.wire.continuation import append_text, finish
from obs_instrumentors.wire.openai import chat
from obs_instrumentors.wire.server_address import read_server_address
from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import Call

    Asked = Callable[[dict[str, Any]], tuple[ModelCall, Reader]]

_OURS = "huggingface"
_ROUTER = "router.huggingface.co"
_PROVIDERS = {
    "auto": _OURS,
    "hf-inference": _OURS,
    "v1": _OURS,
    "fireworks-ai": "fireworks_ai",
    "together": "together_ai",
}
_FINISH_REASONS = {"eos_token": "stop", "stop_sequence": "stop"}


def begin(asked: Asked, first: str, call: Call) -> tuple[ModelCall, Reader]:
    """Return the operation that a call of one of the client's tasks means."""
    operation, reader = asked({**call.kwargs, first: call.argument(0, first)})
    operation.request_model = _name(call.kwargs.get("model")) or _name(payload.get(call.instance, "model"))
    operation.provider = provider(None, payload.get_text(call.instance, "provider"))
    return operation, reader


def note_request(operation: Operation, call: Call) -> None:
    """Read what the client asks of whom, from the request that it has made."""
    request = call.argument(0, "request_parameters")
    read_server_address(operation, request.url)
    operation.provider = provider(request.url, payload.get_text(call.instance, "provider"))
    known = payload.get(operation, "request_model")
    operation.request_model = known or _name(request.model)  # type: ignore[attr-defined] # all of ours have one


def provider(url: str | None, told: str | None) -> str:
    """Return who answers: the provider that the client is set to, or the one in the router's path."""
    place = urlsplit(url or "")
    if place.hostname == _ROUTER:
        told = place.path.lstrip("/").partition("/")[0]
    return _PROVIDERS.get(told or "auto", told or _OURS)


def _chat(asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    operation: Any = chat.COMPATIBLE.begin({**asked, **(asked.get("extra_body") or {})})
    operation.stream = True if asked.get("stream") else None
    return operation, _CHAT


def _generation(asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    stops = payload.as_list(asked.get("stop")) or payload.as_list(asked.get("stop_sequences"))
    operation = Inference(
        "text_completion",
        stream=True if asked.get("stream") else None,
        seed=payload.as_int(asked.get("seed")),
        temperature=payload.as_float(asked.get("temperature")),
        top_p=payload.as_float(asked.get("top_p")),
        top_k=payload.as_int(asked.get("top_k")),
        frequency_penalty=payload.as_float(asked.get("frequency_penalty")),
        max_tokens=payload.as_int(asked.get("max_new_tokens")),
        stop_sequences=stops or None,
    )
    return _said(operation, asked.get("prompt")), _GENERATION


def _features(asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    given = asked.get("text")
    operation = Embedding(
        "embeddings",
        input_count=len(given) if isinstance(given, list) else 1,
        dimensions=payload.as_int(asked.get("dimensions")),
    )
    return operation, _SILENT


def _picture(asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    operation = Inference("image_generation", output_type="image", seed=payload.as_int(asked.get("seed")))
    return _said(operation, asked.get("prompt")), _SILENT


def _speech(asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    return _said(Inference("speech", output_type="speech"), asked.get("text")), _SILENT


def _hearing(_asked: dict[str, Any]) -> tuple[ModelCall, Reader]:
    return Inference("transcription", output_type="text"), _TRANSCRIPT


def _said(operation: Inference, prompt: Any) -> Inference:
    if content.wanted() and isinstance(prompt, str):
        operation.input_messages = [messages.message("user", messages.text(prompt))]
    return operation


def _generated(operation: Inference, response: Any) -> None:
    """Read a continuation; reason and tokens are told only where the agent asked for details."""
    text = response if isinstance(response, str) else payload.get(response, "generated_text")
    _read_details(operation, payload.get(response, "details"))
    append_text(operation, payload.as_text(text) or "")


def _generated_piece(operation: Inference, piece: Any) -> None:
    token = payload.get(piece, "token")
    text = piece if isinstance(piece, str) else payload.get(token, "text")
    _read_details(operation, payload.get(piece, "details"))
    if payload.as_text(text) is not None and not payload.get(token, "special"):
        append_text(operation, text)


def _read_details(operation: Inference, details: Any) -> None:
    reason = payload.get_text(details, "finish_reason")
    if reason is None:
        return
    operation.finish_reasons = [_FINISH_REASONS.get(reason, reason)]
    prefilled = payload.get_list(details, "prefill")
    inputs = payload.coalesce(payload.get_int(details, "input_length"), len(prefilled) or None)
    operation.usage = Usage(inputs, payload.get_int(details, "generated_tokens"))


def _whole(operation: Inference, response: Any) -> None:
    _generated(operation, response)
    finish(operation)


def _heard(operation: Inference, response: Any) -> None:
    append_text(operation, payload.get_text(response, "text") or "")


def _nothing(_operation: ModelCall, _response: Any) -> None:
    """Leave vectors, pictures and sound alone: they tell neither text nor usage."""


def _name(model: Any) -> str | None:
    """Return a model's name; the address of an endpoint is none."""
    name = payload.as_text(model)
    return None if name is None or name.startswith(("http://", "https://")) else name


def _targets(module: str, client: str, call: Callable[..., Any]) -> tuple[Target, ...]:
    tasks = tuple(
        Target(module, f"{client}.{name}", call(partial(begin, asked, first))) for name, first, asked in _TASKS
    )
    return *tasks, Target(module, f"{client}._inner_post", streams.observed(note_request))


_CHAT = Reader(chat.COMPATIBLE.result, chunk=chat.COMPATIBLE.chunk, end=chat.COMPATIBLE.end)
_GENERATION = Reader(_whole, chunk=_generated_piece, end=finish)
_TRANSCRIPT = Reader(_heard)
_SILENT = Reader(_nothing)
_TASKS: tuple[tuple[str, str, Asked], ...] = (
    ("chat_completion", "messages", _chat),
    ("text_generation", "prompt", _generation),
    ("feature_extraction", "text", _features),
    ("text_to_image", "prompt", _picture),
    ("text_to_speech", "text", _speech),
    ("automatic_speech_recognition", "audio", _hearing),
)

INSTRUMENTORS = (
    Instrumentor(
        "huggingface_hub",
        "huggingface-hub",
        ">=0.28,<3",
        (
            *_targets("huggingface_hub.inference._client", "InferenceClient", streams.call),
            *_targets("huggingface_hub.inference._generated._async_client", "AsyncInferenceClient", streams.async_call),
        ),
        ("chat", "text_completion", "embeddings", "image_generation", "speech", "transcription"),
    ),
)
