"""Spans and log records of all agents, gathered into batches for each destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.pipeline.destination import Destinations
from obs_run.process.unpatched import monotonic

if TYPE_CHECKING:
    from obs_run.pipeline.destination import Destination

_MOST_ITEMS = 2048


class Gatherer:
    """Stands for the destinations of a signal, and gives them what several agents' pipelines made as one batch."""

    def __init__(self, destinations: list[Destination]) -> None:
        self._destinations = destinations
        self._items: list[Any] = []
        self._since = 0.0

    def export(self, batch: Any, deadline: float | None) -> None:  # noqa: ARG002 (a relay has time)
        """Keep a batch for company."""
        if not self._items:
            self._since = monotonic()
        self._items.extend(batch)
        if len(self._items) >= _MOST_ITEMS:
            self.flush()

    def flush(self, older_than: float = 0.0) -> None:
        """Give the destinations what has waited for so many seconds."""
        if not self._items or monotonic() - self._since < older_than:
            return
        items, self._items = self._items, []
        for destination in self._destinations:
            guard.call("export", destination.export, items, None)

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    def retry_pending(self, deadline: float | None) -> None:
        """Do nothing: the relay sees to the destinations themselves."""

    def seconds_until_due(self) -> float | None:
        """Return None, likewise."""
        return None

    def after_fork(self) -> None:
        """Do nothing: a relay forks no more."""

    def close(self, deadline: float) -> None:
        """Do nothing: the relay closes the destinations themselves."""


class Batches:
    """The gatherers of both signals, as destinations of the agents' pipelines."""

    def __init__(self, destinations: Destinations) -> None:
        self._traces = Gatherer(destinations.traces)
        self._logs = Gatherer(destinations.logs)
        self.destinations = Destinations(
            [self._traces] if destinations.traces else [], [], [self._logs] if destinations.logs else []
        )

    def flush(self, older_than: float = 0.0) -> None:
        """Give the destinations what has waited for so many seconds."""
        self._traces.flush(older_than)
        self._logs.flush(older_than)

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return self._traces.is_empty() and self._logs.is_empty()
