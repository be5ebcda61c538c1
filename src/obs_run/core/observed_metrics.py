"""What the agent's threads count and time, and is read when metrics are collected: counts, durations, observations.

What a cache or a pool does is too frequent for a record of each. Counts are added to without a lock, durations are
appended, and observations, as of how many connections are in use now and which state a breaker is in, are computed of
plain values, or of what an object has at that moment. Nothing of the agent's is called, and no object of it is kept.
"""

from __future__ import annotations

import weakref
from collections import deque
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from obs_run.core import semconv, sink
from obs_run.core.sink import Readings
from obs_run.process import fork
from obs_run.process.unpatched import allocate_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Count", "Durations", "Observation", "Observed", "observed_metrics"]

_MOST_SERIES = 1000
_MOST_DURATIONS = 10_000


class Count:
    """A count that any thread adds to by ``add()``, which is one call of a function written in C."""

    __slots__ = ("_reads", "add", "attributes")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = attributes
        self.begin_at_zero()

    def begin_at_zero(self) -> None:
        """Forget what was counted, in a child process."""
        self.add: Callable[[], int] = count().__next__
        self._reads = 0

    def add_many(self, number: int) -> None:
        """Add ``number``."""
        deque(islice(iter(self.add, -1), number), maxlen=0)

    def read(self) -> int:
        """Return the count, to one reader at a time: reading adds to it as well."""
        value = self.add() - self._reads
        self._reads += 1
        return value


class Durations:
    """Durations in seconds; the oldest go where nobody reads them in time."""

    __slots__ = ("_values", "add", "attributes")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = attributes
        self.begin_at_zero()

    def begin_at_zero(self) -> None:
        """Forget what is not read yet, in a child process."""
        self._values: deque[float] = deque(maxlen=_MOST_DURATIONS)
        self.add = self._values.append

    def take(self) -> list[float]:
        """Return what came in since the last time."""
        # Those that come in meanwhile are for the next time.
        waiting = len(self._values)
        return [self._values.popleft() for _ in range(waiting)]


class Observation(NamedTuple):
    """How much there is of something now; observations of several objects with the same attributes are added up."""

    metric: str
    value: float
    attributes: Mapping[str, Any]


class Source(Protocol):
    """Somebody else's counts."""

    metrics: tuple[str, ...]
    """The names of what it counts."""

    def counts(self, metric: str) -> Iterable[tuple[float, Mapping[str, Any]]]:
        """Return what was counted in this process."""

    def begin_in_child(self) -> None:
        """Begin at zero."""


class Observed(Protocol):
    """What is kept of an object of the agent's, and does not refer to that."""

    def observations(self) -> Iterable[Observation]:
        """Return what it is at now."""

    def begin_in_child(self) -> None:
        """Let go of what is the parent process's."""


_Key = tuple[tuple[str, Any], ...]
_Series = TypeVar("_Series", Count, Durations)


class _ObservedMetrics:
    """The observed_metrics of this process, by metric and attributes."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[_Key, Count]] = {}
        self._durations: dict[str, dict[_Key, Durations]] = {}
        self._owners: dict[int, weakref.ref[Any]] = {}
        self.kept: dict[int, Any] = {}
        """What is kept of the agent's objects, by their ids; who knows that there is such an object looks here."""
        self._seen: dict[str, dict[_Key, Mapping[str, Any]]] = {}
        """The attributes that a observation had; it is at 0 when its objects are gone."""
        self.sources: list[Source] = []
        self._reading = allocate_lock()
        self._is_watched = False

    def count(self, metric: str, attributes: Mapping[str, Any]) -> Count:
        """Return the count of a metric under ``attributes``."""
        return _series(self._counts, metric, attributes, Count)

    def durations(self, metric: str, attributes: Mapping[str, Any]) -> Durations:
        """Return what takes the durations of a metric under ``attributes``."""
        return _series(self._durations, metric, attributes, Durations)

    def keep(self, owner: object, observations: Observed) -> None:
        """Keep ``observations`` as long as there is ``owner``, which must allow weak references."""
        key = id(owner)
        kept, owners = self.kept, self._owners

        def forget(_: object) -> None:
            owners.pop(key, None)
            kept.pop(key, None)

        self._owners[key] = weakref.ref(owner, forget)
        self.kept[key] = observations
        self.watch()

    def watch(self) -> None:
        """Have the observed_metrics read from now on."""
        if not self._is_watched:
            to = sink.current()
            if to is not None and not to.is_exporting():
                self._is_watched = True
                to.watch(self)

    def read_counts(self, metric: str) -> list[tuple[float, Mapping[str, Any]]]:
        """Return what was counted."""
        with self._reading:
            own = [(each.read(), each.attributes) for each in list(self._counts.get(metric, {}).values())]
            others = [each for source in self.sources for each in source.counts(metric)]
            return [*own, *others]

    def take_durations(self, metric: str) -> list[tuple[list[float], Mapping[str, Any]]]:
        """Return the durations that came in since the last time."""
        with self._reading:
            return [(each.take(), each.attributes) for each in list(self._durations.get(metric, {}).values())]

    def read_all(self) -> Readings:
        """Return all that there is to read, for whoever does not know the metrics by name."""
        counted = dict.fromkeys((*self._counts, *(metric for source in self.sources for metric in source.metrics)))
        observed = dict.fromkeys(
            observation.metric for kept in list(self.kept.values()) for observation in kept.observations()
        )
        return Readings(
            [(metric, value, attributes) for metric in counted for value, attributes in self.read_counts(metric)],
            [
                (metric, value, attributes)
                for metric in {**observed, **self._seen}
                for value, attributes in self.read_observations(metric)
            ],
            [
                (metric, values, attributes)
                for metric in list(self._durations)
                for values, attributes in self.take_durations(metric)
                if values
            ],
        )

    def read_observations(self, metric: str) -> list[tuple[float, Mapping[str, Any]]]:
        """Return what the observations are at."""
        with self._reading:
            seen = self._seen.setdefault(metric, {})
            sums: dict[_Key, float] = dict.fromkeys(seen, 0)
            for kept in list(self.kept.values()):
                for observation in kept.observations():
                    if observation.metric == metric:
                        key = _key(observation.attributes)
                        if key not in seen and len(seen) >= _MOST_SERIES:
                            continue
                        seen[key] = observation.attributes
                        sums[key] = sums.get(key, 0) + observation.value
            return [(value, seen[key]) for key, value in sums.items()]

    def begin_in_child(self) -> None:
        """Begin at zero; another thread of the parent may have held the lock."""
        self._reading = allocate_lock()
        for kept in [*self.kept.values(), *self.sources]:
            kept.begin_in_child()
        tables: tuple[dict[str, dict[_Key, Any]], ...] = (self._counts, self._durations)
        for table in tables:
            for series in list(table.values()):
                for each in list(series.values()):
                    each.begin_at_zero()


def _key(attributes: Mapping[str, Any]) -> _Key:
    return tuple(attributes.items())


def _series(
    table: dict[str, dict[_Key, _Series]],
    metric: str,
    attributes: Mapping[str, Any],
    make: Callable[[Mapping[str, Any]], _Series],
) -> _Series:
    series = table.get(metric)
    if series is None:
        series = table.setdefault(metric, {})
    key = _key(attributes)
    found = series.get(key)
    if found is not None:
        return found
    if len(series) >= _MOST_SERIES:
        attributes = {semconv.METRIC_OVERFLOW: True}
        key = _key(attributes)
    return series.setdefault(key, make(attributes))


observed_metrics = _ObservedMetrics()
fork.register(fork.USER_API, "observed metrics", in_child=observed_metrics.begin_in_child)
