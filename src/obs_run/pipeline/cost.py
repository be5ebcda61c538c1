"""What an operation cost, from its usage and the table of prices."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.core import semconv
from obs_run.pipeline import prices

if TYPE_CHECKING:
    from obs_run.core.operations import ModelCall, Usage


def of(operation: ModelCall) -> prices.Cost | None:
    """Return the cost in USD of a model call that ended now; None where model or usage are unknown."""
    if operation.usage is None or not settings.get("OBS_COST"):
        return None
    usage = _counts(operation.usage)
    now = datetime.now(tz=timezone.utc)
    address, context = operation.server_address, _context(operation)
    for model in dict.fromkeys((operation.response_model, operation.request_model)):
        cost = prices.price(operation.provider, model, usage, now, address, context) if model else None
        if cost is not None:
            return cost
    return None


def _context(operation: ModelCall) -> dict[str, str] | None:
    """Return what changes the price besides the usage; the tier that answered, not the one that was asked for."""
    tier = operation.extra.get(semconv.OPENAI_RESPONSE_SERVICE_TIER)
    if isinstance(tier, str) and tier != "default":
        return {"service_tier": tier, **(operation.price_context or {})}
    return operation.price_context


def _counts(usage: Usage) -> prices.Usage:
    return prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        input_audio_tokens=usage.audio_input_tokens,
        output_audio_tokens=usage.audio_output_tokens,
        cache_audio_read_tokens=usage.audio_cache_read_tokens,
        input_image_tokens=usage.image_input_tokens,
        output_image_tokens=usage.image_output_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )
