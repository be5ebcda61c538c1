"""Who is told of measurements: subscribers and alerts."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from obs_run.core import guard
from obs_run.metrics import alerts
from obs_run.metrics.alerts import Alerts

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable

    from obs_run.metrics.alerts import Alert
    from obs_run.metrics.values import MetricValue

_MOST_WAITING = 1000
_telling: ContextVar[bool] = ContextVar("obs_run_telling", default=False)


class Audience:
    """The subscribers and alerts of one registry."""

    def __init__(self) -> None:
        self.alerts = Alerts()
        self._subscribers: tuple[Callable[[MetricValue], Any], ...] = ()
        self._of_alerts: tuple[Callable[[Alert, MetricValue], Any], ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody listens."""
        return bool(self._subscribers or self.alerts)

    def subscribe(self, callback: Callable[[MetricValue], Any]) -> None:
        """Call ``callback`` with each measurement from now on."""
        self._subscribers = (*self._subscribers, callback)

    def on_alert(self, callback: Callable[[Alert, MetricValue], Any]) -> None:
        """Call ``callback`` with each alert that fires from now on."""
        self._of_alerts = (*self._of_alerts, callback)

    def tell(self, metric: MetricValue, figures: Iterable[tuple[str, Any]]) -> None:
        """Tell subscribers of ``metric``, and alerts of the values that go by these names.

        What a subscriber measures itself is recorded and told to nobody: it would never end.
        """
        if _telling.get():
            return
        token = _telling.set(True)
        try:
            for subscriber in self._subscribers:
                _call("metric subscriber", subscriber, metric)
            for alert, value in guard.call("alert", self.alerts.met, figures, default=()):
                alerts.fire(alert, value, metric.tags)
                for callback in self._of_alerts:
                    _call("alert callback", callback, alert, metric)
        finally:
            _telling.reset(token)


def _call(kind: str, callback: Callable[..., Any], *arguments: Any) -> None:
    """Call one of the agent's callbacks; its failure is said once and stops nobody."""
    site = f"{kind} {getattr(callback, '__qualname__', type(callback).__qualname__)}"
    result = guard.call(site, callback, *arguments)
    if isinstance(result, CoroutineType):
        guard.call(site, _begin, result, site)


async def _guarded(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    with guard.guarded(site):
        await coroutine


_waiting: set[Any] = set()
_loop: asyncio.AbstractEventLoop | None = None
_loop_lock = threading.RLock()


def _begin(coroutine: Coroutine[Any, Any, Any], site: str) -> None:
    """Run an asynchronous callback: in the loop that is running, else in a thread of ours."""
    if len(_waiting) >= _MOST_WAITING:
        coroutine.close()
        guard.warn_once(f"{site}: {_MOST_WAITING} calls are still waiting; more are left out", site)
        return
    import asyncio

    try:
        running: Any = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    begun: Any
    if running is not None:
        begun = running.create_task(_guarded(coroutine, site))
    else:
        begun = asyncio.run_coroutine_threadsafe(_guarded(coroutine, site), _own_loop())
    _waiting.add(begun)
    begun.add_done_callback(_waiting.discard)


def _own_loop() -> asyncio.AbstractEventLoop:
    global _loop
    import asyncio

    with _loop_lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="obs-run-subscribers", daemon=True).start()
        return _loop


def begin_in_child() -> None:
    """After a fork: the parent's thread and what waits for it do not exist here."""
    global _loop, _loop_lock, _waiting
    _loop, _loop_lock, _waiting = None, threading.RLock(), set()
