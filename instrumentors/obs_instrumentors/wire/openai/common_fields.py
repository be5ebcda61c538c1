"""What requests and responses of all endpoints name alike: sampling, ids, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.token_counts import merge_usage
from obs_run.base import payload
from obs_run.core import semconv
from obs_run.core.operations import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Inference, ModelCall


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what all inference requests name alike."""
    operation.request_model = payload.as_text(body.get("model"))
    for name, value in body.items():
        # Most requests have none of them.
        if name in _SAMPLING:
            setattr(operation, name, _SAMPLING[name](value))
    # The newer chats' name, that of responses, and the one that most providers still use.
    max_tokens = payload.coalesce(
        body.get("max_completion_tokens"), body.get("max_output_tokens"), body.get("max_tokens")
    )
    operation.max_tokens = payload.as_int(max_tokens)
    if "stop" in body:
        operation.stop_sequences = _stop_sequences(body["stop"])
    count = payload.as_int(body.get("n"))
    if count != 1:
        # The conventions leave the usual number out.
        operation.choice_count = count
    tier = payload.as_text(body.get("service_tier"))
    if tier is not None and tier != "auto":
        operation.extra[semconv.OPENAI_REQUEST_SERVICE_TIER] = tier


def _stop_sequences(stop: Any) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    return [text for text in payload.as_list(stop) if isinstance(text, str)] or None


def output_type(response_format: Any) -> str | None:
    """Return what a request wants to have, in the conventions' words."""
    if response_format is None:
        return None
    kind = payload.get_text(response_format, "type")
    if kind is not None and kind.startswith("json"):
        # With a schema or without.
        return "json"
    return kind


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
    if operation.provider != "openai":
        return
    for start, provider in _SERVERS.items():
        if fingerprint.startswith(start):
            operation.provider = provider


def read_usage(operation: ModelCall, raw: Any) -> None:
    """Read what a provider reports of tokens, searches and money; what it leaves out stays as it was."""
    if raw is None:
        return
    # A model of pydantic takes long to say that it has not got a field, and most fields of money it has not.
    counts = payload.as_dict(raw)
    operation.usage = merge_usage(operation.usage, usage(counts))
    billing.read_cost(operation, counts)
    billing.read_units(operation, counts)


def usage(raw: Any) -> Usage | None:
    """Return the tokens that a provider reports, by the names of the chat or of the newer endpoints."""
    if raw is None:
        return None
    counts = payload.as_dict(raw)
    result = Usage()
    _read_counts(result, counts, _OTHER_NAMES)
    _read_counts(result, counts, _NAMES)
    input_details = _details(counts, _INPUT_DETAILS)
    _read_counts(result, input_details, _INPUT_PARTS)
    _read_counts(result, _details(counts, _OUTPUT_DETAILS), _OUTPUT_PARTS)
    if "cached_tokens_details" in input_details:
        result.audio_cache_read_tokens = payload.get_int(input_details["cached_tokens_details"], "audio_tokens")
    if not result.is_told():
        return None
    _include_parts(result, counts)
    return result


def _include_parts(usage: Usage, counts: dict[str, Any]) -> None:
    """Count in what some providers count beside: the conventions' output has reasoning, their input what is cached.

    Gemini and xAI tell of it in the total alone; Perplexity's total leaves it out, as it does the citations.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return
    reasoning = usage.reasoning_tokens or 0
    citations = payload.as_int(counts.get("citation_tokens"))
    if citations is not None:
        usage.output_tokens += reasoning + citations
        return
    total = payload.as_int(counts.get("total_tokens"))
    missing = 0 if total is None else total - usage.input_tokens - usage.output_tokens
    if missing > 0 and missing != reasoning and missing == _cached_tokens(usage):
        usage.input_tokens += missing
    elif missing > 0 and not reasoning:
        usage.output_tokens += missing
        usage.reasoning_tokens = missing
    elif reasoning and (missing == reasoning or reasoning > usage.output_tokens):
        usage.output_tokens += reasoning


def _cached_tokens(usage: Usage) -> int:
    return (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)


def _details(counts: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        value = counts.get(name)
        if value is not None:
            return payload.as_dict(value)
    return {}


def _read_counts(usage: Usage, counts: dict[str, Any], names: dict[str, str]) -> None:
    for name, value in counts.items():
        # Most of what there might be is None, or not there.
        if value is not None and name in names:
            count = payload.as_int(value)
            if count is not None:
                setattr(usage, names[name], count)


_SAMPLING: dict[str, Callable[[Any], float | None]] = {
    "temperature": payload.as_float,
    "top_p": payload.as_float,
    "top_k": payload.as_int,
    "seed": payload.as_int,
    "frequency_penalty": payload.as_float,
    "presence_penalty": payload.as_float,
}
"""By the name that the parameter has in a request and on the operation."""
_HEADER = (
    ("service_tier", semconv.OPENAI_RESPONSE_SERVICE_TIER),
    ("system_fingerprint", semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
)
# The system fingerprints of servers that anyone can run. Others, such as LM Studio's, tell nothing of the kind.
_SERVERS = {"vllm-": "vllm", "fp_ollama": "ollama"}
_NAMES = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    # Moonshot's; others tell it in the details.
    "cached_tokens": "cache_read_tokens",
    "reasoning_tokens": "reasoning_tokens",
}
_OTHER_NAMES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    # DeepSeek's.
    "prompt_cache_hit_tokens": "cache_read_tokens",
}
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
