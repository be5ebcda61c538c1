"""The metrics of a process by their names, with their subscribers and alerts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from obs_run.base import guard
from obs_run.metrics.audience import Audience
from obs_run.metrics.counter_gauge import Counter, Gauge
from obs_run.metrics.histogram_timer import Histogram, Timer, TimerContext
from obs_run.metrics.metric import reset_in_children
from obs_run.process import fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.metrics.alerts import Alert
    from obs_run.metrics.metric import Metric
    from obs_run.metrics.values import MetricValue

    M = TypeVar("M", bound=Metric)


class MetricsRegistry:
    """Metrics by name; each is made when it is first asked for, and a name has one kind."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        reset_in_children(self)
        self._metrics: dict[str, Metric] = {}
        self._audience = Audience()
        self.counter("system.requests")
        self.counter("system.errors")
        self.gauge("system.active_connections")
        self.timer("system.response_time")
        self.histogram("system.memory_usage")

    def counter(self, name: str) -> Counter:
        """Return the counter of that name; ValueError if the name is of another kind."""
        return self._get(name, Counter, Counter)

    def gauge(self, name: str) -> Gauge:
        """Return the gauge of that name; ValueError if the name is of another kind."""
        return self._get(name, Gauge, Gauge)

    def histogram(self, name: str, buckets: Iterable[float] | None = None) -> Histogram:
        """Return the histogram of that name; ValueError if the name is of another kind.

        ``buckets`` count when it is made, and are upper bounds; without them 0.1 to 10.
        """
        return self._get(name, Histogram, lambda text: Histogram(text, buckets))

    def timer(self, name: str) -> Timer:
        """Return the timer of that name; ValueError if the name is of another kind."""
        return self._get(name, Timer, Timer)

    def _get(self, name: Any, kind: type[M], make: Callable[[str], M]) -> M:
        name = name if type(name) is str else guard.shown(name)
        metric = self._metrics.get(name)
        if metric is None:
            with self._lock:
                metric = self._metrics.get(name)
                if metric is None:
                    metric = make(name)
                    metric.notify(self._audience)
                    self._metrics[name] = metric
        if not isinstance(metric, kind):
            wanted, there = kind.__name__.lower(), type(metric).__name__.lower()
            raise ValueError(f"Metric {name} is not a {wanted}: it is a {there} already")  # noqa: TRY004 (as it always was)
        return metric

    def begin_at_zero(self) -> None:
        """In a child process: another thread of the parent may have held a lock; metrics and alerts stay."""
        self._lock = threading.RLock()
        self._audience.alerts.renew_lock()

    def record_metric(self, metric: MetricValue) -> None:
        """Pass a value that was measured elsewhere to subscribers and alerts."""
        guard.call("record_metric", self._record, metric)

    def _record(self, metric: MetricValue) -> None:
        stem, _, derived = metric.name.rpartition(".")
        names = (metric.name, stem) if derived in ("count", "value") else (metric.name,)
        self._audience.notify(metric, [(name, metric.value) for name in names])

    def add_alert(self, alert: Alert) -> None:
        """Have ``alert`` watch its metric, in the place of one with its name; ValueError says what is wrong with it."""
        self._audience.alerts.add(alert)

    def remove_alert(self, alert_name: str) -> None:
        """Remove the alert of that name, if there is one."""
        self._audience.alerts.remove(alert_name)

    def on_alert(self, callback: Callable[[Alert, MetricValue], Any]) -> None:
        """Call ``callback``, plain or asynchronous, with each alert that fires and the value that made it fire."""
        self._audience.on_alert(callback)

    def subscribe(self, callback: Callable[[MetricValue], Any]) -> None:
        """Call ``callback``, plain or asynchronous, with each measurement; what it raises is said once."""
        self._audience.subscribe(callback)

    def get_all_metrics(self) -> dict[str, Any]:
        """Return what all metrics hold: ``type`` and ``value`` or ``stats``, by name; with labels ``series``, too."""
        with self._lock:
            metrics = list(self._metrics.items())
        return {name: metric.shown() for name, metric in metrics}


class _Shared:
    """The registry of this process, made at the first call."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._registry: MetricsRegistry | None = None

    def registry(self) -> MetricsRegistry:
        if self._registry is None:
            with self._lock:
                if self._registry is None:
                    self._registry = MetricsRegistry()
        return self._registry

    def renew_lock(self) -> None:
        """In a child process: another thread of the parent may have held it."""
        self._lock = threading.RLock()


_shared = _Shared()
fork.register(fork.USER_API, "metrics registry", in_child=_shared.renew_lock)


def get_metrics_registry() -> MetricsRegistry:
    """Return the registry of this process."""
    return _shared.registry()


def counter(name: str) -> Counter:
    """Return the counter of that name; ValueError if the name is of another kind."""
    return get_metrics_registry().counter(name)


def gauge(name: str) -> Gauge:
    """Return the gauge of that name; ValueError if the name is of another kind."""
    return get_metrics_registry().gauge(name)


def histogram(name: str, buckets: Iterable[float] | None = None) -> Histogram:
    """Return the histogram of that name; ValueError if the name is of another kind."""
    return get_metrics_registry().histogram(name, buckets)


def timer(name: str) -> Timer:
    """Return the timer of that name; ValueError if the name is of another kind."""
    return get_metrics_registry().timer(name)


def time_operation(name: str, **tags: Any) -> TimerContext:
    """Return what measures a ``with`` or ``async with`` block with the timer of that name."""
    return timer(name).time_context(**tags)
