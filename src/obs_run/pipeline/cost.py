"""What an operation cost, from its usage and the table of prices."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

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
_WITH_OUTPUT = ("Inference", "FetchedResponse", "RemoteAgentRun")
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
    return bill(record) if settings.get("OBS_COST") else None


def total(record: OperationRecord) -> Decimal | None:
    """Return what a model call that ended now cost in all, for budgets; None where that is not known."""
    priced = bill(record) if is_billable(record) else None
    return None if priced is None else priced.total


def bill(record: OperationRecord) -> Bill | None:
    """Return the cost of a model call, whether or not it is to be exported."""
    reported: dict[str, float] | None = record.pricing.get("cost")
    if reported is not None:
        input_side, output_side, total = (_decimal(reported.get(side)) for side in ("input", "output", "total"))
        return Bill(input_side, output_side, total, _REPORTED)
    calls = record.pricing.get("calls")
    if calls is None:
        return _of_one(record)
    return _sum([_of_one(_inner_call(record, *call)) for call in calls], _of_one(_fees(record)))


def _of_one(record: OperationRecord) -> Bill | None:
    """Return the cost of what one model did."""
    attributes = record.attributes
    model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    if model is None:
        return None
    usage = _usage(attributes, record.pricing)
    now = datetime.now(tz=timezone.utc)
    priced = _price(record, model, usage, now)
    if priced is None:
        request_model = attributes.get(semconv.REQUEST_MODEL)
        if request_model in (None, model) or not _is_same_model(request_model, model):
            return None
        model = request_model
        priced = _price(record, model, usage, now)
    return None if priced is None else _without_unknown(record, model, usage, priced, now)


def _inner_call(record: OperationRecord, model: str | None, counts: Attributes, pricing: Attributes) -> OperationRecord:
    """Return the record of one of several calls that the provider made for one; fees are for all of them."""
    attributes = {name: value for name, value in record.attributes.items() if name not in _USAGE}
    attributes.update(counts)
    if model is not None:
        attributes[semconv.RESPONSE_MODEL] = model
    context = record.pricing.get("context")
    return record._replace(attributes=attributes, pricing={**pricing, "context": context})


def _fees(record: OperationRecord) -> OperationRecord:
    """Return the record of what is paid for beside the tokens."""
    nothing = {semconv.USAGE_INPUT_TOKENS: 0, semconv.USAGE_OUTPUT_TOKENS: 0}
    fees = {"units": record.pricing.get("units")}
    return _inner_call(record, None, nothing, fees)


def _sum(bills: list[Bill | None], fees: Bill | None) -> Bill | None:
    """Return what several calls cost together; None where that of one is not known."""
    known = [bill for bill in (*bills, fees) if bill is not None]
    if not known or len(known) <= len(bills):
        return None
    sides = [_sum_or_none([bill[side] for bill in known]) for side in range(3)]
    return Bill(sides[0], sides[1], sides[2], known[0].source)


def _sum_or_none(amounts: list[Any]) -> Decimal | None:
    return None if None in amounts else sum(amounts, start=Decimal(0))


def _decimal(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(repr(amount))


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
        more = usage._replace(input_tokens=1) if side == "input" else usage._replace(output_tokens=1)
        one_more = _price(record, model, more, when)
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
