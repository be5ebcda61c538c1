"""What counters, gauges, histograms and timers have in common."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard
from obs_run.metrics.label_sets import LabelSets, Series
from obs_run.metrics.values import MetricType, MetricValue, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.metrics.audience import Audience


class BeginsAtZero(Protocol):
    """What holds counts or locks that a forked child must not inherit."""

    def begin_at_zero(self) -> None:
        """Forget them, in a child process."""


_every: weakref.WeakSet[BeginsAtZero] = weakref.WeakSet()


def in_children(made: BeginsAtZero) -> None:
    """Have ``made`` begin at zero in forked children."""
    _every.add(made)


class MetricCollector:
    """A metric by its name, with labels that all its values have."""

    _metric_type = MetricType.SET

    def __init__(self, name: str) -> None:
        self.name = name if type(name) is str else guard.shown(name)
        self._audience: Audience | None = None
        self._sets: LabelSets[Any] = LabelSets(self.name, Series)
        in_children(self)

    def add_tags(self, /, **tags: Any) -> None:
        """Add labels to all later values; a call's own labels win."""
        self._sets.common(tags)

    def tell(self, listeners: Audience) -> None:
        """Have subscribers and alerts hear of each value."""
        self._audience = listeners

    def begin_at_zero(self) -> None:
        """Forget what was measured, in this process only."""
        self._sets.clear()

    def shown(self) -> dict[str, Any]:
        """Return type and value or statistics, and those of each label set."""
        return {"type": self._metric_type.value}

    def _shown(self, kind: str, of: str, all_: Any, one: Callable[[Any], Any]) -> dict[str, Any]:
        series = [{"tags": dict(each.attributes), of: one(each)} for each in self._sets.matching({}) if each.attributes]
        return {"type": kind, of: all_, **({"series": series} if series else {})}

    def _number(self, value: Any) -> float | None:
        """Return a finite number; None, said once, for anything else."""
        if type(value) is float and value - value == 0:
            return value
        taken = number(value)
        if taken is None:
            self._refuse(f"a value that is not a finite number ({type(value).__name__}) was left out")
        return taken

    def _refuse(self, why: str) -> None:
        guard.warn_once(f"metric {self.name}: {why}", f"metric {self.name} {why[:30]}")

    def _value(self, suffix: str, value: Any, tags: dict[str, Any]) -> MetricValue:
        return MetricValue(f"{self.name}.{suffix}", value, self._metric_type, tags=self._sets.with_common(tags))


def _after_fork_in_child() -> None:
    # As the SDK's sums do (``sdk.metric_reader.begin_at_zero``): the parent reports its own.
    for made in list(_every):
        guard.call("fork", made.begin_at_zero)


os.register_at_fork(after_in_child=_after_fork_in_child)
