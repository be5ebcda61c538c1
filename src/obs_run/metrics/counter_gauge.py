"""Counters and gauges."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.metrics import instruments
from obs_run.metrics.label_sets import LabelSets, Series, key_of
from obs_run.metrics.metric import Metric
from obs_run.metrics.one_at_a_time import measured
from obs_run.metrics.values import MetricType, MetricValue, number, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.metrics.instruments import Cell
    from obs_run.metrics.values import Label

_MOST_STATES = 100


class _Total(Series):
    """The sum of one label set."""

    __slots__ = ("cell", "value")

    def __init__(self, attributes: dict[str, Label]) -> None:
        super().__init__(attributes)
        self.value = 0.0
        self.cell: Cell | None = None


class Counter(Metric):
    """Counts what only ever grows, for each label set."""

    _metric_type = MetricType.COUNTER

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._total = 0.0
        self._sets: LabelSets[_Total] = LabelSets(self.name, _Total)
        self._instrument = instruments.observed("counter", self.name)

    def increment(self, /, amount: float = 1.0, **tags: Any) -> MetricValue:
        """Count ``amount``; a negative one is refused, and said once.

        Returns the sum of this label set as ``<name>.count``; alerts see the sum over all label sets.
        """
        try:
            series = self._sets.of(tags)
            added = amount if type(amount) is float and 0.0 <= amount < math.inf else self._not_negative(amount)
            if added is not None:
                measured(self._add, series, added)
            counted = self._value("count", series.value, tags)
            if self._audience and added is not None:
                total = self._total
                self._audience.notify(counted, ((self.name, total), (counted.name, total)))
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            return self._failed("count", error)
        return counted

    def _add(self, series: _Total, added: float) -> None:
        instrument = self._instrument
        with instrument.lock:
            series.value += added
            self._total += added
            cell = series.cell
            if cell is None:
                cell = series.cell = instrument.cell(key_of(series.attributes), series.attributes)
            cell.value += added
        instrument.bind()

    def _not_negative(self, amount: Any) -> float | None:
        added = self._number(amount)
        if added is not None and added < 0:
            self._refuse("a counter only grows, a negative amount was left out")
            return None
        return added

    def get_value(self, /, **tags: Any) -> float:
        """Return the sum: over all label sets, or over those with all of these labels."""
        if not tags:
            return self._total
        return sum((series.value for series in self._sets.matching(tags)), 0.0)

    def shown(self) -> dict[str, Any]:
        """Return type and value, and the value of each label set."""
        return self._shown("counter", "value", self._total, lambda series: series.value)

    def reset(self) -> None:
        """Begin at zero in this process; what is exported goes on, because counters only grow."""
        measured(self._reset)

    def _reset(self) -> None:
        with self._instrument.lock:
            self.begin_at_zero()

    def begin_at_zero(self) -> None:
        """Forget what was counted, in this process only."""
        super().begin_at_zero()
        self._total = 0.0


class _Present(Series):
    """The present value of one label set; the order tells which one was set last."""

    __slots__ = ("order", "states", "value")

    def __init__(self, attributes: dict[str, Label]) -> None:
        super().__init__(attributes)
        self.value: float | str = 0.0
        self.states: dict[str | None, Cell] = {}
        self.order = 0


class Gauge(Metric):
    """Holds a value that goes up and down, or a state by its name, for each label set.

    A state is exported as OpenMetrics has its StateSet: one series for each state, with the state under a label that
    is named as the metric; 1 for the present state, 0 for the earlier ones.
    """

    _metric_type = MetricType.GAUGE

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._order = 0
        self._latest: float | str = 0.0
        self._sets: LabelSets[_Present] = LabelSets(self.name, _Present)
        self._instrument = instruments.observed("gauge", self.name)

    def set(self, /, value: float | str | Enum, **tags: Any) -> MetricValue:
        """Set the value, a number or the name of a state; returns it as ``<name>.value``."""
        return self._changed(self._number_or_state, self._put, value, tags)

    def increment(self, /, amount: float = 1.0, **tags: Any) -> MetricValue:
        """Add ``amount`` to the value of this label set."""
        return self._changed(self._number, self._add, amount, tags)

    def _changed(
        self, read: Callable[[Any], Any], change: Callable[[_Present, Any], None], given: Any, tags: dict[str, Any]
    ) -> MetricValue:
        try:
            series = self._sets.of(tags)
            taken = read(given)
            if taken is not None:
                measured(change, series, taken)
            return self._present_value(series, taken, tags)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            return self._failed("value", error)

    def decrement(self, /, amount: float = 1.0, **tags: Any) -> MetricValue:
        """Take ``amount`` from the value of this label set."""
        taken = guard.call("metric", self._number, amount)
        return self.increment(0.0 if taken is None else -taken, **tags)

    def get_value(self, /, **tags: Any) -> float | str:
        """Return the value set last: of all label sets, or of those with all of these labels; 0.0 before the first."""
        if not tags:
            return self._latest
        latest = max(self._sets.matching(tags), key=lambda series: series.order, default=None)
        return 0.0 if latest is None else latest.value

    def shown(self) -> dict[str, Any]:
        """Return type and value, and the value of each label set."""
        return self._shown("gauge", "value", self._latest, lambda series: series.value)

    def begin_at_zero(self) -> None:
        """Forget the values, in this process only."""
        super().begin_at_zero()
        self._latest = 0.0

    def _present_value(self, series: _Present, changed_by: object, tags: dict[str, Any]) -> MetricValue:
        value = series.value
        present = self._value("value", value, tags)
        if self._audience and changed_by is not None:
            self._audience.notify(present, ((self.name, value), (present.name, value)))
        return present

    def _number_or_state(self, value: Any) -> float | str | None:
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, str) and number(value) is None and value.strip():
            return text_of(value)
        return self._number(value)

    def _put(self, series: _Present, value: float | str) -> None:
        with self._instrument.lock:
            self._become(series, value)
        self._instrument.bind()

    def _add(self, series: _Present, added: float) -> None:
        with self._instrument.lock:
            self._become(series, added if isinstance(series.value, str) else series.value + added)
        self._instrument.bind()

    def _become(self, series: _Present, value: float | str) -> None:
        earlier, series.value = series.value, value
        self._order += 1
        series.order = self._order
        self._latest = value
        if isinstance(earlier, str):
            self._cell(series, earlier).value = 0.0
        if isinstance(value, str):
            self._cell(series, value).value = 1.0
        else:
            self._cell(series, None).value = value

    def _cell(self, series: _Present, state: str | None) -> Cell:
        cell = series.states.get(state)
        if cell is None:
            attributes = series.attributes if state is None else {**series.attributes, self.name: state}
            cell = self._instrument.cell(key_of(attributes), attributes)
            if len(series.states) < _MOST_STATES:
                series.states[state] = cell
        return cell
