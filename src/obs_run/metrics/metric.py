"""What counters, gauges, histograms and timers have in common."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard
from obs_run.metrics.label_sets import LabelSets, Series
from obs_run.metrics.values import MetricType, MetricValue, number
from obs_run.process import fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.metrics.audience import Audience


class BeginsAtZero(Protocol):
    """What holds counts or locks that a forked child must not inherit."""

    def begin_at_zero(self) -> None:
        """Forget them, in a child process."""


_all: weakref.WeakSet[BeginsAtZero] = weakref.WeakSet()


def reset_in_children(counts: BeginsAtZero) -> None:
    """Have ``counts`` begin at zero in forked children."""
    _all.add(counts)


class Metric:
    """A metric by its name, with labels that all its values have."""

    _metric_type = MetricType.SET

    def __init__(self, name: str) -> None:
        self.name = name if type(name) is str else guard.shown(name)
        self._audience: Audience | None = None
        self._sets: LabelSets[Any] = LabelSets(self.name, Series)
        reset_in_children(self)

    def add_tags(self, /, **tags: Any) -> None:
        """Add labels to all later values; a call's own labels win."""
        self._sets.common(tags)

    def notify(self, audience: Audience) -> None:
        """Have subscribers and alerts get each value from now on."""
        self._audience = audience

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

    def _failed(self, suffix: str, error: Exception) -> MetricValue:
        """Say that a measurement of ours has failed, and return what the agent gets instead of its value."""
        guard.failed("metric", error)
        return MetricValue(f"{self.name}.{suffix}", 0.0, self._metric_type)

    def _value(self, suffix: str, value: Any, tags: dict[str, Any]) -> MetricValue:
        return MetricValue(f"{self.name}.{suffix}", value, self._metric_type, tags=self._sets.with_common(tags))


MetricCollector = Metric
"""The name that agents know."""


def _after_fork_in_child() -> None:
    # As the SDK's sums do (``sdk.metric_reader.begin_at_zero``): the parent reports its own.
    for counts in list(_all):
        guard.call("fork", counts.begin_at_zero)


fork.register(fork.USER_API, "metrics", in_child=_after_fork_in_child)
