"""What an operation cost, from its usage and the table of prices."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

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
_WITH_OUTPUT = ("Inference", "RemoteAgentRun")
"""Kinds of operations that have output by their nature: what others do not tell of it is none."""


class Bill(NamedTuple):
    """What an operation cost in US dollars; a side that is not known is None, which is not 0."""

    input: Decimal | None
    output: Decimal | None
    total: Decimal | None
    source: str


_REPORTED = "provider"
"""The source of a cost that the answer tells itself."""
# What a name of a model may have behind it and still be the same one: a day, a version, a stage.
_SAME_MODEL = re.compile(r"(?:[-@:_.](?:v?\d[\d.]*|latest|preview|exp|stable))*")


def is_billable(record: OperationRecord) -> bool:
    """Whether the record is a model call with usage; an agent's run only sums up what its calls used."""
    if record.kind not in instruments.COST.operations:
        return False
    if "units" in record.pricing or "cost" in record.pricing:
        return True
    attributes = record.attributes
    return any(name in attributes for name in _USAGE)


def of(record: OperationRecord) -> Bill | None:
    """Return the cost in USD of a model call that ended now; None where model or usage are unknown."""
    if not settings.get("OBS_COST"):
        return None
    reported: dict[str, float] | None = record.pricing.get("cost")
    if reported is not None:
        input_side, output_side, total = (_decimal(reported.get(side)) for side in ("input", "output", "total"))
        return Bill(input_side, output_side, total, _REPORTED)
    model = _priced_model(record.attributes)
    if model is None:
        return None
    usage = _usage(record.attributes, record.pricing)
    now = datetime.now(tz=timezone.utc)
    priced = _price(record, model, usage, now)
    if priced is None:
        request_model = record.attributes.get(semconv.REQUEST_MODEL)
        if request_model in (None, model) or not _is_same_model(request_model, model):
            return None
        model = request_model
        priced = _price(record, model, usage, now)
    return None if priced is None else _without_unknown(record, model, usage, priced, now)


def _decimal(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(repr(amount))


def _priced_model(attributes: Attributes) -> str | None:
    """Return the model that answered; the one that was asked for where the answer does not tell."""
    model: str | None = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    return model


def _is_same_model(request_model: str, response_model: str) -> bool:
    """Whether two names are of one model, whose prices hold for both."""
    asked, answered = request_model.lower().rpartition("/")[2], response_model.lower().rpartition("/")[2]
    if not answered.startswith(asked):
        asked, answered = answered, asked
    return answered.startswith(asked) and _SAME_MODEL.fullmatch(answered, len(asked)) is not None


def _price(record: OperationRecord, model: str, usage: prices.Usage, when: datetime) -> prices.Cost | None:
    attributes = record.attributes
    return prices.price(
        attributes.get(semconv.PROVIDER_NAME),
        model,
        usage,
        when,
        attributes.get(semconv.SERVER_ADDRESS),
        _context(attributes, record.pricing),
    )


def _without_unknown(
    record: OperationRecord, model: str, usage: prices.Usage, priced: prices.Cost, when: datetime
) -> Bill | None:
    """Return the cost without the sides whose tokens were not told although the model has a price for them."""
    sides: dict[str, Decimal | None] = {"input": priced.input, "output": priced.output}
    is_known = True
    for side, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
        if tokens is not None or (side == "output" and record.kind not in _WITH_OUTPUT):
            continue
        one_more = _price(record, model, usage._replace(**{f"{side}_tokens": 1}), when)
        if one_more is None or one_more.total != priced.total:
            is_known = False
    if is_known:
        return Bill(sides["input"], sides["output"], priced.total, priced.table_version)
    for side in sides:
        if not _has_tokens(side, usage):
            sides[side] = None
    if sides["input"] is None and sides["output"] is None:
        return None
    return Bill(sides["input"], sides["output"], None, priced.table_version)


def _has_tokens(side: str, usage: prices.Usage) -> bool:
    """Whether a part of a side's tokens was told."""
    return any(amount for name, amount in usage._asdict().items() if name.startswith(side) and name != "other")


def _context(attributes: Attributes, pricing: Attributes) -> dict[str, str] | None:
    """Return what changes the price besides the usage; the tier that answered, not the one that was asked for."""
    context: dict[str, str] | None = pricing.get("context")
    tier = attributes.get(semconv.OPENAI_RESPONSE_SERVICE_TIER)
    if isinstance(tier, str) and tier != "default":
        return {"service_tier": tier, **(context or {})}
    return context


def _usage(attributes: Attributes, pricing: Attributes) -> prices.Usage:
    units: dict[str, float] = dict(pricing.get("units") or {})
    searches = units.pop("web_searches", None)
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
        web_searches=searches,
        other=units or None,
    )
