"""What takes batches of one signal from the export thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Destination(Protocol):
    """Takes batches of one signal on the export thread; never raises for what the network or the disk does."""

    def export(self, batch: Any, deadline: float | None) -> None:
        """Take one batch; with a deadline the process is leaving."""

    def settle(self, deadline: float | None) -> None:
        """Try again what could not be delivered, if it is time."""

    def pause(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""

    def after_fork(self) -> None:
        """In a child process: let go of the parent's connection and of what waits."""


class SdkDestination:
    """An exporter of the OpenTelemetry SDK's interface as a destination."""

    def __init__(self, exporter: Any, lost: Callable[[int], object]) -> None:
        self._exporter = exporter
        self._lost = lost

    def export(self, batch: Any, deadline: float | None) -> None:  # noqa: ARG002 (these exporters know no deadline)
        """Give the batch to the exporter; what it fails to deliver is counted, and why is its own to say."""
        result = self._exporter.export(batch)
        if getattr(result, "name", "") == "FAILURE":
            self._lost(len(batch) if isinstance(batch, list) else 1)

    def settle(self, deadline: float | None) -> None:
        """Do nothing: these exporters deliver or fail at once."""

    def pause(self) -> float | None:
        """Return None: nothing waits."""

    def after_fork(self) -> None:
        """Tell an exporter that wants to know."""
        if hasattr(self._exporter, "after_fork"):
            self._exporter.after_fork()


class Destinations:
    """Where each signal goes; ``users`` are those that the agent itself named."""

    def __init__(self, traces: list[Destination], metrics: list[Destination], logs: list[Destination]) -> None:
        self.traces = traces
        self.metrics = metrics
        self.logs = logs
        self.users: list[Destination] = []

    def all(self) -> tuple[Destination, ...]:
        """Return all of them."""
        return (*self.traces, *self.logs, *self.metrics, *self.users)
