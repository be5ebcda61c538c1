"""What a model call costs, offline, from the table of prices or the user's own; None where that is not known."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.pipeline.price_plan import ContradictoryUsageError, Plan, check_absent, step_price
from obs_run.pipeline.price_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from obs_run.pipeline.price_own import OwnPrices
    from obs_run.pipeline.price_table import Model, Provider, Rates, Unit

    Amount = int | float | Decimal

BUILT_IN = Path(__file__).with_name("price_table.txt")

_MOST_CACHED = 256
_TABLE_START = '{"format":"obs-prices/'

# Values of gen_ai.provider.name whose id in the table is another one and that the table would not find by itself,
# or would take for someone else (azure.ai.openai for openai).
_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "x_ai": "x-ai",
}


class Usage(NamedTuple):
    """What a call used; input and output include their parts (cached, audio, reasoning ...); None is not reported."""

    input_tokens: Amount | None = None
    output_tokens: Amount | None = None
    cache_read_tokens: Amount | None = None
    cache_write_tokens: Amount | None = None
    cache_write_5m_tokens: Amount | None = None
    cache_write_1h_tokens: Amount | None = None
    input_audio_tokens: Amount | None = None
    output_audio_tokens: Amount | None = None
    cache_audio_read_tokens: Amount | None = None
    input_image_tokens: Amount | None = None
    output_image_tokens: Amount | None = None
    cache_image_read_tokens: Amount | None = None
    output_reasoning_tokens: Amount | None = None
    web_searches: Amount | None = None
    other: Mapping[str, Amount] | None = None
    """Any other unit of the table's head by its name, such as audio_seconds or input_document_pages."""

    def reported(self) -> dict[str, Amount]:
        """Return what was reported, by the table's names of units."""
        named = {name: value for name, value in self._asdict().items() if name != "other" and value is not None}
        return {**(self.other or {}), **named}


class Cost(NamedTuple):
    """Money for one call; total can be more than input and output (fees for a request or a search)."""

    input: Decimal
    output: Decimal
    total: Decimal
    table_version: str
    currency: str = "USD"


def price(
    provider: str | None,
    model: str,
    usage: Usage,
    when: datetime,
    host: str | None = None,
    context: Mapping[str, str] | None = None,
) -> Cost | None:
    """Return what the call cost, or None if the model or its provider is unknown, or the usage contradicts itself.

    ``provider`` is the value of ``gen_ai.provider.name``, ``host`` the server's host name or URL, ``context`` what
    changes a price besides (``{"processing": "batch"}``, ``{"service_tier": "flex"}``).
    """
    return _chosen().price(provider, model, usage, when, host, context)


def context_window(provider: str | None, model: str, host: str | None = None) -> int | None:
    """Return how many tokens fit into a model's context window, by the same names as ``price``; None where unknown."""
    return _chosen().context_window(provider, model, host)


def version() -> str:
    """Return the version and date of the table in use."""
    return _chosen().table.version


@cache
def _chosen() -> Prices:
    from obs_run import settings

    file = settings.get("OBS_PRICES_FILE")
    built_in = Table(BUILT_IN)
    if not file:
        return Prices(built_in)
    try:
        text = Path(file).read_text("utf-8")
        if not text.startswith(_TABLE_START):
            from obs_run.pipeline.price_own import OwnPrices

            return Prices(built_in, OwnPrices(text, built_in.units))
        table = Table(Path(file))
        table.check()
        return Prices(table)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        from obs_run.base.guard import warn

        reason = error.strerror if isinstance(error, OSError) else error
        warn(f"OBS_PRICES_FILE: {file}: {reason}; using the built-in prices")
        return Prices(built_in)


class Prices:
    """A table, and the user's own prices before it."""

    def __init__(self, table: Table, own: OwnPrices | None = None) -> None:
        self.table = table
        self._own = own
        self._models: dict[tuple[str | None, str, str | None], tuple[Model | None, str]] = {}
        self._plans: dict[tuple[Any, ...], Plan | None] = {}

    def price(
        self,
        provider: str | None,
        model: str,
        usage: Usage,
        when: datetime,
        host: str | None = None,
        context: Mapping[str, str] | None = None,
    ) -> Cost | None:
        """Return what the call cost, or None; see ``price`` of this module."""
        shape = _shape(usage)
        if shape is None:
            return self._price(provider, model, usage, when, host, context)
        entry, source = self._cached_model(provider, model, host)
        if entry is None:
            return None
        alternative = entry.steady(when, context)
        if alternative is None:
            return self._price(provider, model, usage, when, host, context)
        plan = self._plan((provider, model, host, alternative, shape), entry.alternatives[alternative].rates, usage)
        try:
            return None if plan is None else Cost(*plan.bill(usage), source)
        except ContradictoryUsageError:
            return None

    def context_window(self, provider: str | None, model: str, host: str | None) -> int | None:
        """Return how many tokens fit into a model's context window; None where that is not known."""
        entry, _ = self._cached_model(provider, model, host)
        return None if entry is None else entry.context_window

    def _cached_model(self, provider: str | None, model: str, host: str | None) -> tuple[Model | None, str]:
        key = provider, model, host
        entry = self._models.get(key)
        if entry is None:
            if len(self._models) >= _MOST_CACHED:
                self._models.clear()
                self._plans.clear()
            entry = self._models[key] = self._model(provider, model.lower(), host)
        return entry

    def _plan(self, key: tuple[Any, ...], rates: Rates, usage: Usage) -> Plan | None:
        if key not in self._plans:
            if len(self._plans) >= _MOST_CACHED:
                self._plans.clear()
            reported = _checked(usage, self.table.units)
            try:
                some = {name: value > 0 for name, value in (reported or {}).items()}
                self._plans[key] = Plan(rates, self.table.units, some, Usage._fields) if reported else None
            except ContradictoryUsageError:
                self._plans[key] = None
        return self._plans[key]

    def _price(
        self,
        provider: str | None,
        model: str,
        usage: Usage,
        when: datetime,
        host: str | None,
        context: Mapping[str, str] | None,
    ) -> Cost | None:
        """Return what the call cost, of whatever shape."""
        reported = _checked(usage, self.table.units)
        if not reported:
            return None
        entry, source = self._model(provider, model.lower(), host)
        if entry is None:
            return None
        if entry.shortest_recording:
            reported = _billed_recording(reported, entry.shortest_recording)
        try:
            return Cost(*_bill(entry.rates(when, context), reported, self.table.units), source)
        except ContradictoryUsageError:
            return None

    def _model(self, provider: str | None, model: str, host: str | None) -> tuple[Model | None, str]:
        if self._own:
            name = (provider or "").lower()
            if own := self._own.model({name, _PROVIDERS.get(name, name)}, model):
                return own, "own prices"
        seller, model = self._seller(provider, model, host)
        return self.table.model(seller, model) if seller else None, self.table.version

    def _seller(self, provider: str | None, model: str, host: str | None) -> tuple[Provider | None, str]:
        """Return who is paid, and the name of the model there.

        A known host is where the money goes, whatever the library calls the provider; only a provider that shares the
        host stays. An unknown host is a proxy of a named provider; without a name it can be anything, so nobody.
        """
        name = provider.lower().strip() if provider else None
        litellm = name == "litellm"
        named = None
        if litellm and "/" in model:
            prefix, _, rest = model.partition("/")
            if prefix and (named := self.table.provider_named(prefix)):
                model = rest
        elif name:
            named = self.table.provider_named(_PROVIDERS.get(name, name))
        if host:
            url = host if "://" in host else f"https://{host}"
            by_host = None if named and named.is_at(url) else self.table.provider_at(url)
            return by_host or named, model
        if named or (name and not litellm):
            return named, model
        return self.table.provider_of(model), model


def _shape(usage: Usage) -> tuple[bool | None, ...] | None:
    """Return which units were reported, and whether there were any; None where not all are plain counts."""
    shape: list[bool | None] = []
    for amount in usage:
        if amount is None:
            shape.append(None)
        elif type(amount) is int and amount >= 0:
            shape.append(amount > 0)
        else:
            return None
    return tuple(shape)


def _checked(usage: Usage, units: Mapping[str, Unit]) -> dict[str, Amount] | None:
    """Return what was reported in units that the table knows, or None if one is not an amount."""
    reported = {}
    for name, value in usage.reported().items():
        if name == "requests" or name not in units:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            return None
        if not math.isfinite(value) or value < 0:
            return None
        reported[name] = value
    return reported


def _billed_recording(reported: dict[str, Amount], shortest: int) -> dict[str, Amount]:
    seconds = reported.get("audio_seconds") or reported.get("input_audio_seconds")
    if seconds is None:
        return reported
    billed = max(seconds, shortest) if seconds > 0 else 0
    return {**reported, "audio_seconds": billed, "input_audio_seconds": billed}


def _bill(rates: Rates, reported: Mapping[str, Amount], units: Mapping[str, Unit]) -> tuple[Decimal, Decimal, Decimal]:
    """Return the money for input, output and all; every token is paid once, by the narrowest unit with a price."""
    counts = _counts([units[name] for name in rates], reported, units)
    tiered = any(rate.tiers for rate in rates.values())
    length = _amount(units["input_tokens"], reported, units) if tiered else 0
    sides = {"input": Decimal(0), "output": Decimal(0), None: Decimal(0)}
    total = Decimal(0)
    # The agent may have changed the precision of its thread.
    with localcontext(Context(prec=28, rounding=ROUND_HALF_EVEN)):
        for name, rate in rates.items():
            part = step_price(rate, length) * _decimal(counts[name]) / units[name].per
            sides[units[name].direction] += part
            total += part
    return sides["input"], sides["output"], total


def _counts(priced: list[Unit], reported: Mapping[str, Amount], units: Mapping[str, Unit]) -> dict[str, Amount]:
    """Return how much is left of each priced unit once the narrower priced units have had theirs."""
    counts: dict[str, Amount] = {}
    for unit in sorted(priced, key=lambda one: (-len(one.dimensions), one.name)):
        if unit.name == "requests":
            counts[unit.name] = 1
            continue
        narrower = [counts[one.name] for one in priced if one.dimensions > unit.dimensions]
        left = _less(_amount(unit, reported, units), narrower)
        if left < 0:
            raise ContradictoryUsageError
        counts[unit.name] = left
    return counts


def _amount(unit: Unit, reported: Mapping[str, Amount], units: Mapping[str, Unit]) -> Amount:
    """Return what was reported of ``unit``; 0 if nothing, unless what was reported tells that there must be some."""
    if unit.name in reported:
        return reported[unit.name]
    check_absent(unit, [units[name].dimensions for name, value in reported.items() if value > 0])
    return 0


def _less(whole: Amount, parts: list[Amount]) -> Amount:
    """Subtract without rounding; seconds come as floats and stay floats."""
    if all(isinstance(value, int) for value in (whole, *parts)):
        return whole - sum(parts)  # type: ignore[operator]
    with localcontext(Context(prec=2000, traps=[Inexact])):
        left = _decimal(whole) - sum((_decimal(part) for part in parts), start=Decimal(0))
    return left if any(isinstance(value, Decimal) for value in (whole, *parts)) else float(left)


def _decimal(value: Amount) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value)
