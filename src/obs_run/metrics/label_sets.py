"""The label sets of one metric, each with what was measured under it, and a bound on how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.metrics.values import labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.metrics.values import Label

MOST_SETS = 2000
"""As many as OpenTelemetry's SDK keeps of one metric."""
_MOST_SEEN = 2 * MOST_SETS
_PLAIN = frozenset((str, int, bool, float))
_OVERFLOW: dict[str, Any] = {semconv.METRIC_OVERFLOW: True}


class Series:
    """What was measured under one label set; ``attributes`` are the labels."""

    __slots__ = ("attributes",)

    def __init__(self, attributes: dict[str, Label]) -> None:
        self.attributes = attributes


S = TypeVar("S", bound=Series)


class LabelSets(Generic[S]):
    """Finds the series of a call's tags; safe from any thread, also in the midst of itself."""

    def __init__(self, name: str, make: Callable[[dict[str, Label]], S]) -> None:
        self._name = name
        self._make = make
        self._common: dict[Any, Any] = {}
        self.clear()

    def clear(self) -> None:
        """Forget everything that was measured."""
        self._sets: dict[Any, S] = {}
        self._seen: dict[Any, S] = {}

    def common(self, tags: Mapping[Any, Any]) -> None:
        """Add tags that every later call has."""
        self._common = {**self._common, **tags}
        self._seen = {}

    def with_common(self, tags: dict[str, Any]) -> dict[str, Any]:
        """Return a call's tags with those that every call has."""
        return {**self._common, **tags} if self._common else tags

    def of(self, tags: dict[str, Any]) -> S:
        """Return the series of a call's tags; beyond the bound it is the one of all that are too many."""
        try:
            # Equal is not the same: 1, 1.0 and True are three labels.
            key = (*tags.items(), *map(type, tags.values()))
            series = self._seen.get(key)
        except Exception as error:  # noqa: BLE001 (objects of the agent may have no hash, or one that raises)
            guard.pass_on_thrown_in(error)
            return self._find(tags)
        if series is not None:
            return series
        series = self._find(tags)
        if _PLAIN.issuperset(key[len(tags) :]):
            if len(self._seen) >= _MOST_SEEN:
                self._seen = {}
            self._seen[key] = series
        return series

    def matching(self, tags: Mapping[str, Any]) -> list[S]:
        """Return the series that have all of ``tags``; all series for none."""
        wanted = labels(tags).items()
        return [
            series
            for series in list(self._sets.values())
            if all(name in series.attributes and _same(series.attributes[name], value) for name, value in wanted)
        ]

    def _find(self, tags: dict[str, Any]) -> S:
        attributes = labels(self.with_common(tags))
        key = key_of(attributes)
        series = self._sets.get(key)
        if series is None and len(self._sets) >= MOST_SETS:
            guard.warn_once(
                f"metric {self._name}: more than {MOST_SETS} label sets; the rest is counted under "
                f"{semconv.METRIC_OVERFLOW}",
                f"label sets {self._name}",
            )
            attributes = dict(_OVERFLOW)
            key = key_of(attributes)
        # Atomic, without a lock that a finaliser could meet.
        return series if series is not None else self._sets.setdefault(key, self._make(attributes))


def key_of(attributes: Mapping[str, Label]) -> Any:
    """Return what stands for a label set, whatever the order of its labels."""
    return tuple([(name, type(attributes[name]), attributes[name]) for name in sorted(attributes)])


def _same(one: Label, other: Label) -> bool:
    return type(one) is type(other) and one == other
