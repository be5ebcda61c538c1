"""The user's own prices: ``{"models": {"my-model": {"input_per_million": 1.0, "output_per_million": 2.0}}}``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.pipeline.price_table import Alternative, Model, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.pipeline.price_table import Unit

_SUFFIX = "_per_million"
_MILLION = 1_000_000


class OwnModel(NamedTuple):
    """One entry: a model's name or the start of it (``name*``), whose it is if that matters, and its prices."""

    name: str
    provider: str | None
    model: Model


class OwnPrices:
    """What the user said; raises ValueError if it cannot be understood."""

    def __init__(self, text: str, units: Mapping[str, Unit]) -> None:
        content = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        models = content.get("models") if isinstance(content, dict) else None
        if not isinstance(models, dict) or len(content) > 1:
            raise ValueError('expected {"models": {"NAME": {"input_per_million": PRICE, ...}}}')
        read = [_own_model(name, entry, units) for name, entry in models.items()]
        # An exact name comes before a start of a name, and a longer start before a shorter one.
        self._models = sorted(read, key=lambda one: (one.name.endswith("*"), one.provider is None, -len(one.name)))

    def model(self, provider: set[str], name: str) -> Model | None:
        """Return the user's prices of the model ``name`` (lower case) at a provider of one of these names."""
        for one in self._models:
            fits = name.startswith(one.name[:-1]) if one.name.endswith("*") else name == one.name
            if fits and (one.provider is None or one.provider in provider):
                return one.model
        return None


def _own_rate(name: str, key: str, value: Any, units: Mapping[str, Unit]) -> tuple[str, Rate]:
    unit = _unit(key, units)
    if unit is None:
        raise ValueError(f"{name!r}: no such price as {key!r}")
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise ValueError(f"{name!r}: {key} must be a number, 0 or more")
    return unit.name, Rate(value * unit.per if key == "per_request" else value)


def _own_model(name: str, entry: Any, units: Mapping[str, Unit]) -> OwnModel:
    provider = entry.get("provider") if isinstance(entry, dict) else None
    prices = {key: value for key, value in entry.items() if key != "provider"} if isinstance(entry, dict) else None
    if not prices or (provider is not None and not isinstance(provider, str)):
        raise ValueError(f'{name!r}: expected {{"input_per_million": PRICE, ...}}, and "provider" as text if at all')
    rates = dict(_own_rate(name, key, value, units) for key, value in prices.items())
    if missing := _uncovered([units[one] for one in rates], units):
        raise ValueError(f"{name!r}: needs {_key(missing)} too")
    return OwnModel(name.lower(), provider.lower() if provider else None, Model([Alternative("", rates)], []))


def _unit(key: str, units: Mapping[str, Unit]) -> Unit | None:
    if key == "per_request":
        return units["requests"]
    unit = units.get(key[: -len(_SUFFIX)] + "_tokens") if key.endswith(_SUFFIX) else None
    return unit if unit and unit.per == _MILLION else None


def _key(unit: str) -> str:
    return unit[: -len("_tokens")] + _SUFFIX


def _uncovered(priced: list[Unit], units: Mapping[str, Unit]) -> str | None:
    """Return a unit without which tokens would be counted twice, or not at all."""
    names = {unit.name for unit in priced}
    for unit in priced:
        for wider in units.values():
            if wider.dimensions <= unit.dimensions and wider.name not in names:
                return wider.name
        for other in priced:
            both = unit.dimensions | other.dimensions
            joined = next((one.name for one in units.values() if one.dimensions == both), None)
            if len(dict(both)) == len(both) and joined and joined not in names:
                return joined
    return None
