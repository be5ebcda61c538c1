"""What requests and responses of all endpoints name alike: sampling, ids, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import semconv
from obs_run.core.operations import Usage

if TYPE_CHECKING:
    from obs_run.core.operations import Inference


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what all inference requests name alike."""
    operation.request_model = payload.as_text(body.get("model"))
    operation.temperature = payload.as_float(body.get("temperature"))
    operation.top_p = payload.as_float(body.get("top_p"))
    operation.top_k = payload.as_int(body.get("top_k"))
    operation.seed = payload.as_int(body.get("seed"))
    operation.frequency_penalty = payload.as_float(body.get("frequency_penalty"))
    operation.presence_penalty = payload.as_float(body.get("presence_penalty"))
    operation.max_tokens = payload.as_int(
        payload.coalesce(body.get("max_completion_tokens"), body.get("max_output_tokens"), body.get("max_tokens"))
    )
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else [text for text in payload.as_list(stop) if isinstance(text, str)]
    operation.stop_sequences = stops or None
    count = payload.as_int(body.get("n"))
    operation.choice_count = count if count != 1 else None
    tier = payload.as_text(body.get("service_tier"))
    if tier is not None and tier != "auto":
        operation.extra[semconv.OPENAI_REQUEST_SERVICE_TIER] = tier


def read_header(operation: Inference, response: dict[str, Any]) -> None:
    """Read what all responses and stream chunks name alike; what a chunk leaves out stays as it was."""
    operation.response_id = payload.as_text(response.get("id")) or operation.response_id
    operation.response_model = payload.as_text(response.get("model")) or operation.response_model
    for name, key in _HEADER:
        value = payload.as_text(response.get(name))
        if value is not None and operation.extra.get(key) != value:
            operation.extra[key] = value
            if name == "system_fingerprint":
                _recognise_server(operation, value)


def _recognise_server(operation: Inference, fingerprint: str) -> None:
    """Say who answers where only the answer tells: servers that speak OpenAI's API stand at any address."""
    if operation.provider == "openai":
        for start, provider in _SERVERS.items():
            if fingerprint.startswith(start):
                operation.provider = provider


def usage(told: Any) -> Usage | None:
    """Return the tokens that a provider reports, by the names of the chat or of the newer endpoints."""
    if told is None:
        return None
    told = payload.as_dict(told)
    inputs, outputs = _details(told, _INPUT_DETAILS), _details(told, _OUTPUT_DETAILS)
    whole, first = payload.as_int, payload.coalesce
    read = Usage(
        input_tokens=whole(first(told.get("prompt_tokens"), told.get("input_tokens"))),
        output_tokens=whole(first(told.get("completion_tokens"), told.get("output_tokens"))),
        cache_read_tokens=whole(first(told.get("cached_tokens"), told.get("prompt_cache_hit_tokens"))),
        reasoning_tokens=whole(told.get("reasoning_tokens")),
    )
    for details, names in ((inputs, _INPUT_PARTS), (outputs, _OUTPUT_PARTS)):
        for name, value in details.items():
            if name in names and (count := whole(value)) is not None:
                setattr(read, names[name], count)
    read.audio_cache_read_tokens = whole(payload.get(inputs.get("cached_tokens_details"), "audio_tokens"))
    return read if any(value is not None for value in read.__dict__.values()) else None


_HEADER = (
    ("service_tier", semconv.OPENAI_RESPONSE_SERVICE_TIER),
    ("system_fingerprint", semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
)
# The system fingerprints of servers that anyone can run. Others, such as LM Studio's, tell nothing of the kind.
_SERVERS = {"vllm-": "vllm", "fp_ollama": "ollama"}
_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_INPUT_PARTS = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "text_tokens": "text_input_tokens",
    "image_tokens": "image_input_tokens",
    "audio_tokens": "audio_input_tokens",
}
_OUTPUT_PARTS = {
    "reasoning_tokens": "reasoning_tokens",
    "text_tokens": "text_output_tokens",
    "image_tokens": "image_output_tokens",
    "audio_tokens": "audio_output_tokens",
}
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def _details(told: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        value = told.get(name)
        if value is not None:
            return payload.as_dict(value)
    return {}
