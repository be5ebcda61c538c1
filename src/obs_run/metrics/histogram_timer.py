"""Histograms and timers."""

from __future__ import annotations

import math
import threading
import uuid
from bisect import bisect_left
from collections import deque
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.metrics import instruments
from obs_run.metrics.label_sets import LabelSets, Series
from obs_run.metrics.metric import Metric
from obs_run.metrics.one_at_a_time import measured
from obs_run.metrics.statistics import summary
from obs_run.metrics.values import MetricType, MetricValue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from obs_run.metrics.audience import Audience
    from obs_run.metrics.values import Label

_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
_MOST_VALUES = 10_000
_FULL_WINDOWS = 32
"""How many label sets keep that many; later ones keep fewer, so that a metric has a bound in memory, too."""
_FEWER_VALUES = 500
_MOST_RUNNING = 10_000


class _Distribution(Series):
    """The values of one label set: how many in all, in each bucket, and the last ones themselves."""

    __slots__ = ("buckets", "count", "sum", "values")

    def __init__(self, attributes: dict[str, Label], buckets: int, kept: int) -> None:
        super().__init__(attributes)
        self.values: deque[float] = deque(maxlen=kept)
        self.buckets = [0] * (buckets + 1)
        self.count = 0
        self.sum = 0.0


class Histogram(Metric):
    """Keeps how values are distributed, for each label set; ``buckets`` are the upper bounds that are counted."""

    _metric_type = MetricType.HISTOGRAM

    def __init__(self, name: str, buckets: Iterable[float] | None = None, *, unit: str = "") -> None:
        super().__init__(name)
        self.buckets = list(_BUCKETS) if buckets is None else self._sorted(buckets)
        self._bounds = [str(bound) for bound in self.buckets]
        self._values: deque[float] = deque(maxlen=_MOST_VALUES)
        self._series_count = 0
        self._sets: LabelSets[_Distribution] = LabelSets(self.name, self._make)
        self._lock = threading.Lock()
        finite = [bound for bound in self.buckets if bound != math.inf]
        self._instrument = instruments.Histogram(self.name, unit, finite)
        self._names: tuple[str, ...] = (self.name,)

    def _sorted(self, buckets: Any) -> list[float]:
        try:
            numbers = [float(bound) for bound in buckets]
        except Exception:  # noqa: BLE001 (objects of the agent may raise anything)
            numbers = [math.nan]
        bounds = sorted({bound for bound in numbers if bound > -math.inf})
        if any(math.isnan(bound) for bound in numbers) or not bounds:
            self._refuse("buckets are numbers, their upper bounds; the default ones are used")
            return list(_BUCKETS)
        return bounds

    def _make(self, attributes: dict[str, Label]) -> _Distribution:
        self._series_count += 1
        kept = _MOST_VALUES if self._series_count <= _FULL_WINDOWS else _FEWER_VALUES
        return _Distribution(attributes, len(self.buckets), kept)

    def observe(self, /, value: float, **tags: Any) -> list[MetricValue]:
        """Record ``value``.

        Returns ``<name>.count``, ``<name>.sum`` and, with their upper bound as tag ``le``, each ``<name>.bucket`` of
        this label set that has values; alerts and subscribers see the value itself.
        """
        return guard.call("metric", self._observed, value, tags, default=[])

    def _observed(self, value: Any, tags: dict[str, Any]) -> list[MetricValue]:
        series = self.record(value, tags)
        # Without the lock: the caller may have interrupted this very thread while it holds it.
        count, total, buckets = series.count, series.sum, tuple(series.buckets)
        kind, now, common = self._metric_type, time(), self._sets.with_common(tags)
        values = [
            MetricValue(f"{self.name}.count", count, kind, now, common),
            MetricValue(f"{self.name}.sum", total, kind, now, dict(common)),
        ]
        below, name = 0, f"{self.name}.bucket"
        for bound, inside in zip(self._bounds, buckets, strict=False):
            below += inside
            if below:
                values.append(MetricValue(name, below, kind, now, {**common, "le": bound}))
        return values

    def record(self, value: Any, tags: dict[str, Any]) -> _Distribution:
        """Record ``value`` under ``tags`` and return the series of that label set."""
        series = self._sets.of(tags)
        taken = self._number(value)
        if taken is None:
            return series
        measured(self._put, series, taken)
        if self._audience:
            self._notify(series, taken, tags)
        return series

    def _notify(self, series: _Distribution, value: float, tags: dict[str, Any]) -> None:
        if self._audience is not None:
            figures = {"": value, ".value": value, ".count": float(series.count), ".sum": series.sum}
            self._audience.notify(
                MetricValue(self._names[0], value, self._metric_type, tags=self._sets.with_common(tags)),
                [(f"{name}{suffix}", figure) for name in self._names for suffix, figure in figures.items()],
            )

    def _put(self, series: _Distribution, value: float) -> None:
        with self._lock:
            self._values.append(value)
            series.values.append(value)
            series.buckets[bisect_left(self.buckets, value)] += 1
            series.count += 1
            series.sum += value
        if value >= 0:
            self._instrument.take(value, series.attributes)
        else:
            # OpenTelemetry's histograms take none, because their sum must only grow.
            self._refuse("negative values stay in this process, they cannot be exported")

    def get_statistics(self, /, **tags: Any) -> dict[str, float]:
        """Return count, sum, min, max, mean, median, p50, p95 and p99 over the last 10,000 values; {} before the first.

        With labels: over the values of the label sets that have all of them.
        """
        if not tags:
            return summary(self._values.copy())
        return summary([value for series in self._sets.matching(tags) for value in series.values.copy()])

    def shown(self) -> dict[str, Any]:
        """Return type and statistics, and those of each label set."""
        kind = self._metric_type.value
        return self._shown(kind, "stats", self.get_statistics(), lambda series: summary(series.values.copy()))

    def begin_at_zero(self) -> None:
        """Forget the values, in this process only."""
        super().begin_at_zero()
        self._lock = threading.Lock()
        self._values.clear()
        self._series_count = 0


class _Durations(Histogram):
    """The histogram inside of a timer, which alerts know by the timer's name, too."""

    _metric_type = MetricType.TIMER

    def __init__(self, timer: str) -> None:
        super().__init__(f"{timer}_duration", semconv.TIMER_BUCKETS, unit="s")
        self._names = (timer, self.name)


class Timer(Metric):
    """Measures how long things take, in seconds; its histogram is named ``<name>_duration``."""

    _metric_type = MetricType.TIMER

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._histogram = _Durations(self.name)
        self._sets = self._histogram._sets  # noqa: SLF001 (the timer's labels are its histogram's)
        self._running: dict[Any, float] = {}

    def notify(self, audience: Audience) -> None:
        """Have subscribers and alerts get each duration from now on."""
        self._histogram.notify(audience)

    def start(self, /, timer_id: str | None = None) -> str:
        """Begin to measure, and return the id for ``stop``."""
        instruments.prepare()
        chosen = uuid.uuid4().hex if timer_id is None else timer_id
        if len(self._running) >= _MOST_RUNNING:
            self._refuse(f"more than {_MOST_RUNNING} were started and not stopped; the oldest are forgotten")
            guard.call("timer", self._forget_oldest)
        guard.call("timer", self._running.__setitem__, chosen, perf_counter())
        return chosen

    def stop(self, /, timer_id: str, **tags: Any) -> list[MetricValue]:
        """Record the time since ``start``; returns what ``Histogram.observe`` does, [] for an unknown id."""
        seconds = self.elapsed(timer_id)
        return [] if seconds is None else self._histogram.observe(seconds, **tags)

    def elapsed(self, timer_id: Any) -> float | None:
        """Return the seconds since ``start`` and forget the id; None for an unknown id."""
        now = perf_counter()
        started = guard.call("timer", self._running.pop, timer_id, None)
        return None if started is None else float(now - started)

    def _forget_oldest(self) -> None:
        self._running.pop(next(iter(self._running)), None)

    def record(self, seconds: Any, tags: dict[str, Any]) -> None:
        """Record a duration that was measured elsewhere."""
        guard.call("metric", self._histogram.record, seconds, tags)

    def time_context(self, /, **tags: Any) -> TimerContext:
        """Return what measures a ``with`` or ``async with`` block."""
        return TimerContext(self, **tags)

    def get_statistics(self, /, **tags: Any) -> dict[str, float]:
        """Return what ``Histogram.get_statistics`` does, in seconds."""
        return self._histogram.get_statistics(**tags)

    def shown(self) -> dict[str, Any]:
        """Return type and statistics, and those of each label set."""
        return self._histogram.shown()

    def begin_at_zero(self) -> None:
        """Leave it to the histogram: what is running goes on in a child, too."""


class TimerContext:
    """Measures the time of a ``with`` or ``async with`` block, also of one that raises; it may be used again."""

    def __init__(self, timer: Timer, /, **tags: Any) -> None:
        self.timer = timer
        self.tags = tags
        self.timer_id: str | None = None
        self._started: list[float] = []

    def __enter__(self) -> Self:
        """Begin to measure."""
        instruments.prepare()
        self._started.append(perf_counter())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record how long it took."""
        guard.call("metric", self.timer.record, perf_counter() - self._started.pop(), self.tags)

    async def __aenter__(self) -> Self:
        """Begin to measure."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record how long it took."""
        self.__exit__(kind, error, trace)
