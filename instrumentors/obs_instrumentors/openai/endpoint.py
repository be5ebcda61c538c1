"""What the requests and responses of the endpoints have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.stainless import Endpoint
from obs_run.core import payload, semconv
from obs_run.core.operations import Usage

from . import hosts

if TYPE_CHECKING:
    from obs_run.core.operations import Inference

__all__ = ["Endpoint", "read_header", "read_sampling", "usage"]


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what all inference requests name alike."""
    operation.request_model = payload.text(body.get("model"))
    operation.temperature = payload.number(body.get("temperature"))
    operation.top_p = payload.number(body.get("top_p"))
    operation.top_k = payload.whole(body.get("top_k"))
    operation.seed = payload.whole(body.get("seed"))
    operation.frequency_penalty = payload.number(body.get("frequency_penalty"))
    operation.presence_penalty = payload.number(body.get("presence_penalty"))
    operation.max_tokens = payload.whole(
        payload.first(body.get("max_completion_tokens"), body.get("max_output_tokens"), body.get("max_tokens"))
    )
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else [text for text in payload.items(stop) if isinstance(text, str)]
    operation.stop_sequences = stops or None
    count = payload.whole(body.get("n"))
    operation.choice_count = count if count != 1 else None
    tier = payload.text(body.get("service_tier"))
    if tier is not None and tier != "auto":
        operation.extra[semconv.OPENAI_REQUEST_SERVICE_TIER] = tier


def read_header(operation: Inference, response: Any) -> None:
    """Read what all responses and stream chunks name alike; what a chunk leaves out stays as it was."""
    operation.response_id = payload.text(payload.field(response, "id")) or operation.response_id
    operation.response_model = payload.text(payload.field(response, "model")) or operation.response_model
    for name, key in (
        ("service_tier", semconv.OPENAI_RESPONSE_SERVICE_TIER),
        ("system_fingerprint", semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
    ):
        value = payload.text(payload.field(response, name))
        if value is not None and operation.extra.get(key) != value:
            operation.extra[key] = value
            if name == "system_fingerprint":
                hosts.recognise(operation, value)


def usage(told: Any) -> Usage | None:
    """Return the tokens that a provider reports, by the names of the chat or of the newer endpoints."""
    if told is None:
        return None
    told = payload.fields(told)
    inputs, outputs = (
        payload.fields(payload.first(*(payload.field(told, f"{word}_details") for word in words)))
        for words in (_INPUT_WORDS, _OUTPUT_WORDS)
    )

    def count(details: Any, *names: str) -> int | None:
        if details is None:
            return None
        for name in names:
            value = payload.field(details, name)
            if value is not None:
                return payload.whole(value)
        return None

    read = Usage(
        input_tokens=count(told, "prompt_tokens", "input_tokens"),
        output_tokens=count(told, "completion_tokens", "output_tokens"),
        cache_read_tokens=payload.first(
            count(inputs, "cached_tokens"), count(told, "cached_tokens", "prompt_cache_hit_tokens")
        ),
        cache_write_tokens=count(inputs, "cache_write_tokens"),
        reasoning_tokens=payload.first(count(outputs, "reasoning_tokens"), count(told, "reasoning_tokens")),
        text_input_tokens=count(inputs, "text_tokens"),
        image_input_tokens=count(inputs, "image_tokens"),
        audio_input_tokens=count(inputs, "audio_tokens"),
        text_output_tokens=count(outputs, "text_tokens"),
        image_output_tokens=count(outputs, "image_tokens"),
        audio_output_tokens=count(outputs, "audio_tokens"),
        audio_cache_read_tokens=count(payload.field(inputs, "cached_tokens_details"), "audio_tokens"),
    )
    return read if any(value is not None for value in read.__dict__.values()) else None


_INPUT_WORDS = ("prompt_tokens", "input_tokens", "input_token")
_OUTPUT_WORDS = ("completion_tokens", "output_tokens", "output_token")
