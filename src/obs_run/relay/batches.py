"""Spans and log records of all agents, gathered into batches for each destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.pipeline import open_spans
from obs_run.pipeline.destination import Destinations
from obs_run.process.unpatched import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.pipeline.destination import Destination

_MOST_ITEMS = 2048


class Gatherer:
    """Stands for the destinations of a signal, and gives them what several agents' pipelines made as one batch."""

    def __init__(self, destinations: list[Destination]) -> None:
        self._destinations = destinations
        # It hands on to each of those what that is to have.
        self.replaces_open_spans = open_spans.are_wanted(destinations)
        self._items: list[Any] = []
        self._since = 0.0

    def export(self, batch: Any, deadline: float | None) -> None:  # noqa: ARG002 (a relay has time)
        """Keep a batch for company."""
        if not self._items:
            self._since = monotonic()
        self._items.extend(batch)

    def flush(self) -> None:
        """Give the destinations what has waited."""
        if not self._items:
            return
        items, self._items = self._items, []
        open_spans.give(self._destinations, items, None)

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    def is_full(self) -> bool:
        """Whether enough waits for a batch."""
        return len(self._items) >= _MOST_ITEMS

    def is_older(self, seconds: float) -> bool:
        """Whether anything has waited for so many seconds."""
        return bool(self._items) and monotonic() - self._since >= seconds

    def retry_pending(self, deadline: float | None) -> None:
        """Do nothing: the relay sees to the destinations themselves."""

    def wait(self, deadline: float) -> None:
        """Do nothing, likewise."""

    def seconds_until_due(self) -> float | None:
        """Return None, likewise."""
        return None

    def after_fork(self) -> None:
        """Do nothing: a relay forks no more."""

    def close(self, deadline: float) -> None:
        """Do nothing: the relay closes the destinations themselves."""


class Batches:
    """The gatherers of both signals, as destinations of the agents' pipelines."""

    def __init__(self, destinations: Destinations, before_giving: Callable[[], object]) -> None:
        self._before_giving = before_giving
        self._traces = Gatherer(destinations.traces)
        self._logs = Gatherer(destinations.logs)
        self.destinations = Destinations(
            [self._traces] if destinations.traces else [], [], [self._logs] if destinations.logs else []
        )

    def flush(self, older_than: float = 0.0) -> None:
        """Give the destinations what waits, once it is enough for a batch, or any of it has for so many seconds.

        Both signals at one time, or there might never be one at which nothing waits.
        """
        if self.are_full() or self._traces.is_older(older_than) or self._logs.is_older(older_than):
            self._before_giving()
            self._traces.flush()
            self._logs.flush()

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return self._traces.is_empty() and self._logs.is_empty()

    def are_full(self) -> bool:
        """Whether enough waits for a batch to be given away."""
        return self._traces.is_full() or self._logs.is_full()
