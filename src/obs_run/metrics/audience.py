"""Who gets measurements: subscribers and alerts."""

from __future__ import annotations

from contextvars import ContextVar
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.metrics import alerts, callback_loop
from obs_run.metrics.alerts import Alerts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.metrics.alerts import Alert
    from obs_run.metrics.values import MetricValue

_notifying: ContextVar[bool] = ContextVar("obs_run_notifying", default=False)


class Audience:
    """The subscribers and alerts of one registry."""

    def __init__(self) -> None:
        self.alerts = Alerts()
        self._subscribers: tuple[Callable[[MetricValue], Any], ...] = ()
        self._of_alerts: tuple[Callable[[Alert, MetricValue], Any], ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._subscribers or self.alerts)

    def subscribe(self, callback: Callable[[MetricValue], Any]) -> None:
        """Call ``callback`` with each measurement from now on."""
        self._subscribers = (*self._subscribers, callback)

    def on_alert(self, callback: Callable[[Alert, MetricValue], Any]) -> None:
        """Call ``callback`` with each alert that fires from now on."""
        self._of_alerts = (*self._of_alerts, callback)

    def notify(self, metric: MetricValue, figures: Iterable[tuple[str, Any]]) -> None:
        """Pass ``metric`` to subscribers, and the values that go by these names to alerts.

        What a subscriber measures itself is recorded and passed to nobody: it would never end.
        """
        if _notifying.get():
            return
        token = _notifying.set(True)
        try:
            for subscriber in self._subscribers:
                _call("metric subscriber", subscriber, metric)
            for alert, value in guard.call("alert", self.alerts.met, figures, default=()):
                alerts.fire(alert, value, metric.tags)
                for callback in self._of_alerts:
                    _call("alert callback", callback, alert, metric)
        finally:
            _notifying.reset(token)


def _call(kind: str, callback: Callable[..., Any], *arguments: Any) -> None:
    """Call one of the agent's callbacks; its failure is said once and stops nobody."""
    site = f"{kind} {getattr(callback, '__qualname__', type(callback).__qualname__)}"
    result = guard.call(site, callback, *arguments)
    if isinstance(result, CoroutineType):
        guard.call(site, callback_loop.begin, result, site)
