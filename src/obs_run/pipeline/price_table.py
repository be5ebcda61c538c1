"""Reading the table of prices, which ``make prices`` writes: only its head at first, then one provider at a time."""

from __future__ import annotations

import json
import re
from datetime import timezone
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.pipeline import pattern_ways

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

FORMAT = "obs-prices/1"
_CACHED_MODELS = 256


class Unit(NamedTuple):
    """What is counted: its name in a usage, how many of it a price is for, and what tells it from other units."""

    name: str
    per: int
    dimensions: frozenset[tuple[str, str]]

    @property
    def direction(self) -> str | None:
        """Which side of the bill it is on: "input", "output" or neither."""
        return dict(self.dimensions).get("direction")


class Rate(NamedTuple):
    """A price, and the prices that replace it above so many input tokens (lowest first)."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()


Rates = dict[str, Rate]


class Alternative(NamedTuple):
    """Prices and when they hold: from a day on, between two times of each day, or always (all UTC)."""

    constraint: str
    rates: Rates

    def holds(self, when: datetime) -> bool:
        """Tell whether these prices hold at ``when``; a time without a zone is UTC."""
        if not self.constraint:
            return True
        utc = when if when.tzinfo is None else when.astimezone(timezone.utc)
        if ":" not in self.constraint:
            return utc.date().isoformat() >= self.constraint
        start, _, end = self.constraint.partition("-")
        now = utc.time().isoformat()
        if end < start:
            return now >= start or now < end
        return start <= now < end


class Model(NamedTuple):
    """What is known of one model.

    Its prices, those for special requests, the shortest recording that is billed (seconds), and how many tokens fit
    into its context window.
    """

    alternatives: list[Alternative]
    variants: list[tuple[dict[str, str], Alternative]]
    shortest_recording: int = 0
    context_window: int | None = None

    def steady(self, when: datetime, context: Mapping[str, str] | None) -> int | None:
        """Return the number of the one alternative that says all prices at ``when``; None where more must be asked."""
        if self.shortest_recording or (context and self.variants):
            return None
        number = len(self.alternatives) - 1
        while number and not self.alternatives[number].holds(when):
            number -= 1
        return number

    def rates(self, when: datetime, context: Mapping[str, str] | None) -> Rates:
        """Return the prices at ``when`` for a request with the properties ``context``."""
        holding = (one.rates for one in reversed(self.alternatives) if one.holds(when))
        standard = next(holding, self.alternatives[0].rates)
        special: Rates = {}
        for wanted, variant in self.variants if context else ():
            if variant.holds(when) and all(context and context.get(key) == value for key, value in wanted.items()):
                for name, rate in variant.rates.items():
                    special.setdefault(name, rate)
        return {**standard, **special}


class Provider(NamedTuple):
    """A provider's place in the table and how it is recognised."""

    id: str
    address: str
    model_match: str | None
    name_match: str | None
    fallbacks: list[str]
    start: int
    length: int

    def is_at(self, url: str) -> bool:
        """Whether the provider's API is at ``url``."""
        return re.match(self.address, url[: pattern_ways.LONGEST_TEXT]) is not None


def matches(logic: str, text: str) -> bool:
    """Tell whether ``text`` (lower case) fits ``logic``: marked words of which one must fit, or JSON with and/or."""
    if logic.startswith("["):
        return _fits(json.loads(logic), text)
    return any(_fits(word, text) for word in logic.split(" "))


def _fits(form: Any, text: str) -> bool:
    if not isinstance(form, str):
        return (any if form[0] == "|" else all)(_fits(part, text) for part in form[1:])
    mark, word = form[0], form[1:]
    if mark == "=":
        return text == word
    if mark == "^":
        return text.startswith(word)
    if mark == "$":
        return text.endswith(word)
    if mark == "*":
        return word in text
    return re.search(word, text[: pattern_ways.LONGEST_TEXT]) is not None


def _patterns(logic: str | None) -> Iterator[str]:
    """Yield the regular expressions in ``logic``."""
    if not logic:
        return
    forms: list[Any] = [json.loads(logic)] if logic.startswith("[") else list(logic.split(" "))
    while forms:
        form = forms.pop()
        if not isinstance(form, str):
            forms.extend(form[1:])
        elif form[0] not in "=^$*":
            yield form[1:]


_COMPACT_DAY = r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)"


def _dashed_days(model: str) -> str:
    """Write ``-20251211``, as gateways do, the way providers do: ``-2025-12-11``."""
    import datetime as dt

    def dashed(match: re.Match[str]) -> str:
        try:
            return f"-{dt.date(*map(int, match.groups()))}"
        except ValueError:
            return match.group()

    return re.sub(_COMPACT_DAY, dashed, model)


class Table:
    """A table of prices in a file; raises ValueError if the file is not one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            line = file.readline()
            size = file.seek(0, 2)
        head = json.loads(line)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise ValueError(f"not a table of prices in the format {FORMAT}")
        self.version = f"{head['source']} ({head['made']})"
        self._names: dict[str, str] = {}
        self.units: dict[str, Unit] = {}
        for code, (name, per, dimensions) in head["units"].items():
            self._names[code] = name
            pairs = (word.partition("=") for word in dimensions.split())
            self.units[name] = Unit(name, per, frozenset((key, value) for key, _, value in pairs))
        self._providers: list[Provider] = []
        start = len(line)
        for name, address, model_match, name_match, fallbacks, length in head["providers"]:
            self._providers.append(Provider(name, address, model_match, name_match, fallbacks, start, length))
            start += length
        if start != size:
            raise ValueError("cut short or changed by hand")
        self._models: dict[tuple[str, str], Model] = {}
        self._at: dict[str, Provider | None] = {}

    def provider_named(self, name: str) -> Provider | None:
        """Return the provider with this id, else the first that goes by this name."""
        name = name.lower().strip()
        for provider in self._providers:
            if provider.id == name:
                return provider
        return next((one for one in self._providers if one.name_match and matches(one.name_match, name)), None)

    def provider_at(self, url: str) -> Provider | None:
        """Return the first provider whose API is at ``url``."""
        if url not in self._at:
            if len(self._at) >= _CACHED_MODELS:
                self._at.clear()
            self._at[url] = next((one for one in self._providers if one.is_at(url)), None)
        return self._at[url]

    def provider_of(self, model: str) -> Provider | None:
        """Return the first provider that says of itself that a model of this name (lower case) is its own."""
        return next((one for one in self._providers if one.model_match and matches(one.model_match, model)), None)

    def model(self, provider: Provider, name: str) -> Model | None:
        """Return the model that ``provider`` sells under ``name`` (lower case)."""
        key = (provider.id, name)
        model = self._models.get(key)
        if model is None:
            model = self._find(provider, name)
            if model is None and (dashed := _dashed_days(name)) != name:
                model = self._find(provider, dashed)
            if model is not None:
                if len(self._models) >= _CACHED_MODELS:
                    self._models.clear()
                self._models[key] = model
        return model

    def _find(self, provider: Provider, name: str) -> Model | None:
        model = self._own_model(provider, name)
        for other in provider.fallbacks if model is None else ():
            seller = next((one for one in self._providers if one.id == other), None)
            if seller and (model := self._own_model(seller, name)):
                # Special prices are of the seller's own requests: genai-prices leaves them out here too.
                return model._replace(variants=[])
        return model

    def _own_model(self, provider: Provider, name: str) -> Model | None:
        lines = (line for line in self._lines(provider) if matches(line.partition("\t")[0], name))
        return next(map(self._read, lines), None)

    def _lines(self, provider: Provider) -> list[str]:
        # Not kept: a whole provider in memory costs more than reading it again for each new model.
        with self._path.open("rb") as file:
            file.seek(provider.start)
            return file.read(provider.length).decode().splitlines()

    def _read(self, line: str) -> Model:
        _, prices, variants, shortest, window, *_ = [*line.split("\t"), "", "", ""]
        alternatives = [self._alternative(text) for text in prices.split(";")]
        special = [(wanted, self._alternative(text)) for wanted, text in json.loads(variants or "[]")]
        return Model(alternatives, special, int(shortest or 0), int(window) if window else None)

    def _alternative(self, text: str) -> Alternative:
        constraint = ""
        if text.startswith("@"):
            constraint, _, text = text[1:].partition(" ")
        rates = {}
        for word in text.split():
            base, *tiers = word[1:].split(">")
            steps = (tier.partition(":") for tier in tiers)
            rates[self._names[word[0]]] = Rate(Decimal(base), tuple((int(at), Decimal(to)) for at, _, to in steps))
        return Alternative(constraint, rates)

    def check(self) -> None:
        """Read everything; raises ValueError where it cannot be read, or would take for ever."""
        try:
            for provider in self._providers:
                logics = [provider.model_match, provider.name_match]
                for line in self._lines(provider):
                    logics.append(line.partition("\t")[0])
                    self._read(line)
                for pattern in (provider.address, *chain.from_iterable(map(_patterns, logics))):
                    pattern_ways.check(pattern)
        except (ArithmeticError, KeyError, IndexError, TypeError, re.error) as error:
            raise ValueError(f"damaged: {error!r}") from None
