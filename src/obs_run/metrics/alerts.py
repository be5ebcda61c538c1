"""Alerts on metrics: a condition on a name, and what happens when a value meets it."""

from __future__ import annotations

import logging
import math
import operator
import re
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import trace

from obs_run.base import guard
from obs_run.base.guarded import guarded
from obs_run.core import semconv
from obs_run.metrics.values import labels, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_logger = logging.getLogger("obs_run.alerts")

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_CONDITION = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*")
_ALLOWED = "one of > >= < <= == != and a number, such as '> 100', '<= 1e-3' or '!= -2.5'"


class AlertLevel(Enum):
    """How bad it is; an alert is logged at this level."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class _Condition(NamedTuple):
    text: str
    compare: Callable[[float, float], bool]
    limit: float

    def holds(self, value: float) -> bool:
        return self.compare(value, self.limit)


def _parsed(text: Any) -> _Condition | None:
    """Return the condition that ``text`` states, None if it states none."""
    match = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        limit = float(match[2])
    except ValueError:
        return None
    return None if math.isnan(limit) else _Condition(text, _COMPARED[match[1]], limit)


@dataclass
class Alert:
    """Fires when a value of ``metric_name`` meets ``condition``, and then not again for ``cooldown`` seconds.

    ``metric_name`` is the name of a metric, or what is derived from it (``x.count``, ``x.value``, ``x.sum``);
    ``condition`` is a comparison with a number, such as "> 100"; ``last_triggered`` is in seconds since 1970.
    """

    name: str
    metric_name: str
    condition: str
    level: AlertLevel
    message: str
    cooldown: float = 300.0
    last_triggered: float = 0.0
    _parsed: _Condition | None = field(default=None, init=False, repr=False, compare=False)
    _fired: tuple[float, float] | None = field(default=None, init=False, repr=False, compare=False)

    def should_trigger(self, value: float) -> bool:
        """Whether ``value`` meets the condition; False for what is no number or a condition that states nothing."""
        condition = self._parsed
        if condition is None or condition.text != self.condition:
            condition = self._parsed = _parsed(self.condition)
        try:
            figure = float(value)
        except Exception as error:  # noqa: BLE001 (objects of the agent may raise anything)
            guard.pass_on_thrown_in(error)
            return False
        return condition is not None and not math.isnan(figure) and condition.holds(figure)

    def can_trigger(self) -> bool:
        """Whether the cooldown is over; by a clock that nobody sets, unless ``last_triggered`` was assigned."""
        if self._fired is not None and self._fired[0] == self.last_triggered:
            return time.monotonic() - self._fired[1] >= self.cooldown
        return time.time() - self.last_triggered > self.cooldown

    def triggered(self) -> None:
        """Begin the cooldown."""
        self.last_triggered = time.time()
        self._fired = self.last_triggered, time.monotonic()


def check(alert: Any) -> None:
    """Raise ValueError, one line, for an alert that could never fire or never be shown."""
    if not isinstance(alert, Alert):
        raise ValueError(f"an alert is an obs_run.metrics.Alert, not a {type(alert).__name__}")  # noqa: TRY004 (one kind of error for all that is wrong)
    where = f"alert {text_of(alert.name)!r}"
    if _parsed(alert.condition) is None:
        raise ValueError(f"{where}: condition {text_of(alert.condition)!r} is not allowed; allowed: {_ALLOWED}")
    if not isinstance(alert.level, AlertLevel):
        allowed = ", ".join(f"AlertLevel.{level.name}" for level in AlertLevel)
        raise ValueError(f"{where}: level {text_of(alert.level)!r} is not allowed; allowed: {allowed}")  # noqa: TRY004 (as above)
    if not isinstance(alert.metric_name, str) or not alert.metric_name:
        raise ValueError(f"{where}: metric_name {text_of(alert.metric_name)!r} is not allowed; allowed: a text")
    cooldown = alert.cooldown
    if not isinstance(cooldown, (int, float)) or math.isnan(cooldown) or cooldown < 0:
        raise ValueError(f"{where}: cooldown {text_of(cooldown)!r} is not allowed; allowed: seconds, 0 or more")


class Alerts:
    """The alerts of a registry, found by the name of their metric."""

    def __init__(self) -> None:
        self.renew_lock()
        self._by_name: dict[str, Alert] = {}
        self._by_metric: dict[str, list[Alert]] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._by_name)

    def renew_lock(self) -> None:
        """Begin with a lock that nobody holds."""
        self._lock = threading.RLock()

    def add(self, alert: Alert) -> None:
        """Add an alert, in the place of one with its name; ValueError says what is wrong with it."""
        check(alert)
        with self._lock:
            self._by_name = {**self._by_name, alert.name: alert}
            self._sort()

    def remove(self, name: str) -> None:
        """Remove the alert of that name, if there is one."""
        with self._lock:
            self._by_name = {other: alert for other, alert in self._by_name.items() if other != name}
            self._sort()

    def _sort(self) -> None:
        sorted_: dict[str, list[Alert]] = {}
        for alert in self._by_name.values():
            sorted_.setdefault(alert.metric_name, []).append(alert)
        self._by_metric = sorted_

    def met(self, figures: Iterable[tuple[str, Any]]) -> list[tuple[Alert, Any]]:
        """Return the alerts that fire now for the values under these names; their cooldown begins."""
        return [
            (alert, value)
            for name, value in figures
            for alert in self._by_metric.get(name, ())
            if alert.should_trigger(value) and self._first(alert)
        ]

    def _first(self, alert: Alert) -> bool:
        # One of several threads fires.
        with self._lock:
            may = alert.can_trigger()
            if may:
                alert.triggered()
            return may


def fire(alert: Alert, value: Any, tags: Mapping[str, Any]) -> None:
    """Write a record to logger ``obs_run.alerts`` and an event on the span that is recording."""
    attributes = {
        semconv.OBS_ALERT_NAME: text_of(alert.name),
        semconv.OBS_ALERT_LEVEL: alert.level.value,
        semconv.OBS_ALERT_METRIC: alert.metric_name,
        semconv.OBS_ALERT_VALUE: value,
        semconv.OBS_ALERT_CONDITION: alert.condition,
        **{f"{semconv.OBS_ALERT_LABEL}{name}": label for name, label in labels(tags).items()},
    }
    with guarded("alert"):
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event(semconv.OBS_ALERT, attributes)
    with guarded("alert"):
        _logger.log(
            getattr(logging, alert.level.name),
            "%s: %s (%s is %s)",
            alert.name,
            alert.message,
            alert.metric_name,
            value,
            extra=attributes,
        )
