"""What an operation cost, from its usage and the table of prices."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.core import semconv
from obs_run.pipeline import instruments, prices

if TYPE_CHECKING:
    from obs_run.core.sink import Attributes, OperationRecord

_USAGE = (
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.USAGE_CACHE_READ_TOKENS,
    semconv.USAGE_CACHE_WRITE_TOKENS,
    semconv.USAGE_REASONING_TOKENS,
    semconv.USAGE_TEXT_INPUT_TOKENS,
    semconv.USAGE_IMAGE_INPUT_TOKENS,
    semconv.USAGE_AUDIO_INPUT_TOKENS,
    semconv.USAGE_TEXT_OUTPUT_TOKENS,
    semconv.USAGE_IMAGE_OUTPUT_TOKENS,
    semconv.USAGE_AUDIO_OUTPUT_TOKENS,
    semconv.USAGE_AUDIO_CACHE_READ_TOKENS,
)


def is_billable(record: OperationRecord) -> bool:
    """Whether the record is a model call with usage; an agent's run only sums up what its calls used."""
    if record.kind not in instruments.COST.operations:
        return False
    attributes = record.attributes
    return any(name in attributes for name in _USAGE)


def of(record: OperationRecord) -> prices.Cost | None:
    """Return the cost in USD of a model call that ended now; None where model or usage are unknown."""
    if not settings.get("OBS_COST"):
        return None
    attributes = record.attributes
    usage = _usage(attributes, record.pricing)
    now = datetime.now(tz=timezone.utc)
    provider, address = attributes.get(semconv.PROVIDER_NAME), attributes.get(semconv.SERVER_ADDRESS)
    context = _context(attributes, record.pricing)
    models = (attributes.get(semconv.RESPONSE_MODEL), attributes.get(semconv.REQUEST_MODEL))
    for model in dict.fromkeys(models):
        cost = prices.price(provider, model, usage, now, address, context) if model else None
        if cost is not None:
            return cost
    return None


def _context(attributes: Attributes, pricing: Attributes) -> dict[str, str] | None:
    """Return what changes the price besides the usage; the tier that answered, not the one that was asked for."""
    context: dict[str, str] | None = pricing.get("context")
    tier = attributes.get(semconv.OPENAI_RESPONSE_SERVICE_TIER)
    if isinstance(tier, str) and tier != "default":
        return {"service_tier": tier, **(context or {})}
    return context


def _usage(attributes: Attributes, pricing: Attributes) -> prices.Usage:
    return prices.Usage(
        input_tokens=attributes.get(semconv.USAGE_INPUT_TOKENS),
        output_tokens=attributes.get(semconv.USAGE_OUTPUT_TOKENS),
        cache_read_tokens=attributes.get(semconv.USAGE_CACHE_READ_TOKENS),
        cache_write_tokens=attributes.get(semconv.USAGE_CACHE_WRITE_TOKENS),
        cache_write_5m_tokens=pricing.get("cache_write_5m_tokens"),
        cache_write_1h_tokens=pricing.get("cache_write_1h_tokens"),
        input_audio_tokens=attributes.get(semconv.USAGE_AUDIO_INPUT_TOKENS),
        output_audio_tokens=attributes.get(semconv.USAGE_AUDIO_OUTPUT_TOKENS),
        cache_audio_read_tokens=attributes.get(semconv.USAGE_AUDIO_CACHE_READ_TOKENS),
        input_image_tokens=attributes.get(semconv.USAGE_IMAGE_INPUT_TOKENS),
        output_image_tokens=attributes.get(semconv.USAGE_IMAGE_OUTPUT_TOKENS),
        output_reasoning_tokens=attributes.get(semconv.USAGE_REASONING_TOKENS),
    )
