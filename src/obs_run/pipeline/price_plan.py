"""How a bill is reckoned for usages of one shape, worked out once: what is left are a few exact multiplications."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obs_run.pipeline.price_table import Rate, Rates, Unit

# Not the thread's own, whose precision the agent may have changed.
_EXACT = Context(prec=28, rounding=ROUND_HALF_EVEN)
_ZERO = Decimal(0)
_ONE = -1  # in place of a position: a request counts as one


class ContradictoryUsageError(Exception):
    """The usage's parts are more than their whole, or the whole is missing."""


class _Step(NamedTuple):
    """One priced unit: where its count stands in the usage (None: nowhere), which earlier steps are its parts."""

    position: int | None
    parts: tuple[int, ...]


class _Line(NamedTuple):
    """One line of the bill, in the order of the prices."""

    step: int
    rate: Rate
    per: Decimal
    side: int


class Plan:
    """The bill of usages that report the same units, each of them again some or again none."""

    def __init__(self, rates: Rates, units: Mapping[str, Unit], some: Mapping[str, bool], order: Sequence[str]) -> None:
        """Work it out; ``some`` tells of each reported unit whether there were any, ``order`` where counts stand."""
        self._steps: list[_Step] = []
        self._lines: list[_Line] = []
        place: dict[str, int] = {}
        priced = [units[name] for name in rates]
        present = [units[name].dimensions for name, any_ in some.items() if any_]
        for unit in sorted(priced, key=lambda one: (-len(one.dimensions), one.name)):
            parts = tuple(place[one.name] for one in priced if one.dimensions > unit.dimensions)
            place[unit.name] = len(self._steps)
            position = order.index(unit.name) if unit.name in some else None
            if unit.name == "requests":
                position, parts = _ONE, ()
            elif position is None:
                check_absent(unit, present)
            self._steps.append(_Step(position, parts))
        for name, rate in rates.items():
            side = {"input": 0, "output": 1, None: 2}[units[name].direction]
            self._lines.append(_Line(place[name], rate, Decimal(units[name].per), side))
        self._length: int | None = None
        if any(rate.tiers for rate in rates.values()):
            if "input_tokens" in some:
                self._length = order.index("input_tokens")
            else:
                check_absent(units["input_tokens"], present)

    def bill(self, amounts: Sequence[Any]) -> tuple[Decimal, Decimal, Decimal]:
        """Return the money for input, output and all."""
        counts: list[int] = []
        for position, parts in self._steps:
            if position is None:
                left = 0
            elif position == _ONE:
                left = 1
            else:
                left = amounts[position]
            for part in parts:
                left -= counts[part]
            if left < 0:
                raise ContradictoryUsageError
            counts.append(left)
        length = 0 if self._length is None else amounts[self._length]
        sides = [_ZERO, _ZERO, _ZERO]
        total = _ZERO
        for step, rate, per, side in self._lines:
            if not counts[step]:
                continue
            each = step_price(rate, length) if rate.tiers else rate.base
            money = _EXACT.divide(_EXACT.multiply(each, Decimal(counts[step])), per)
            sides[side] = _EXACT.add(sides[side], money)
            total = _EXACT.add(total, money)
        return sides[0], sides[1], total


def step_price(rate: Rate, length: float | Decimal) -> Decimal:
    """Return the price for a request of this many input tokens."""
    return next((price for start, price in reversed(rate.tiers) if length > start), rate.base)


def check_absent(unit: Unit, present: Sequence[frozenset[tuple[str, str]]]) -> None:
    """Raise where what was reported tells that there must be some of a unit that was not."""
    if any(unit.dimensions < one for one in present):
        raise ContradictoryUsageError
    for index, one in enumerate(present):
        for other in present[index + 1 :]:
            # dict: two values for one dimension cannot both be; then the sets' union is no unit anyway.
            if one | other == unit.dimensions and not (one <= other or other <= one):
                raise ContradictoryUsageError
