"""Where batches of one signal go: what every destination does, and the SDK's exporters as destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard
from obs_run.pipeline import losses
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

    from obs_run.pipeline.losses import Losses
    from obs_run.pipeline.signals import Signal

    Batch = list[ReadableSpan] | list[ReadableLogRecord] | MetricsData


class Destination(Protocol):
    """Takes the batches of one signal: spans and log records as lists, metrics as the SDK's collected data.

    The export thread makes and uses it, or the thread that flushes where there is none: one at a time. Nothing is
    raised for what the network, the disk or a server does. What cannot be delivered is counted in the ``Losses`` that
    the destination was made with. Deadlines are ``time.monotonic()``; None is no hurry, a time is the process leaving
    or somebody waiting.
    """

    @property
    def replaces_open_spans(self) -> bool:
        """Whether it takes spans that are open, and puts in their place what comes of them later."""

    def export(self, batch: Batch, deadline: float | None) -> None:
        """Take one batch, and deliver it or keep it to be tried again."""

    def retry_pending(self, deadline: float | None) -> None:
        """Try again what could not be delivered, if it is time or with a deadline."""

    def wait(self, deadline: float) -> None:
        """Wait, at most until the deadline, for what is being delivered beside the caller."""

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""

    def after_fork(self) -> None:
        """In a child process: let go of the parent's connection, unused, and of what waits."""

    def close(self, deadline: float) -> None:
        """Deliver what waits until the deadline, keep or count what is left, and let go of connections.

        Closing twice does no more than once. An export after it, as when the program that was to replace this one could
        not be started, opens the connections again. After the deadline it only counts, at once, and may be called while
        the export thread is held up inside the destination.
        """


class SdkDestination:
    """An exporter of the OpenTelemetry SDK's interface as a destination."""

    def __init__(
        self, exporter: Any, signal: Signal, name: str, lost: Losses, *, replaces_open_spans: bool = False
    ) -> None:
        self._exporter = exporter
        self.replaces_open_spans = replaces_open_spans
        self._count_lost = lost.counter(signal, name)
        self._site = f"{name} exporter for {signal}"

    def export(self, batch: Batch, deadline: float | None) -> None:  # noqa: ARG002 (these exporters know no deadline)
        """Give the batch to the exporter; what it fails to deliver is counted, and why is its own to say."""
        try:
            result = self._exporter.export(batch)
        except Exception as error:  # noqa: BLE001 (exporters are foreign)
            guard.failed(self._site, error)
        else:
            if getattr(result, "name", "") != "FAILURE":
                return
        self._count_lost(count_items(batch), losses.EXPORTER_FAILED)

    def retry_pending(self, deadline: float | None) -> None:
        """Do nothing: these exporters deliver or fail at once."""

    def wait(self, deadline: float) -> None:
        """Do nothing: nothing goes on beside the caller."""

    def seconds_until_due(self) -> float | None:
        """Return None: nothing waits."""

    def after_fork(self) -> None:
        """Tell an exporter that wants to know."""
        if hasattr(self._exporter, "after_fork"):
            guard.call(self._site, self._exporter.after_fork)

    def close(self, deadline: float) -> None:
        """Have the exporter close its files, if there is time; ours open them again at the next export."""
        if time.monotonic() < deadline and hasattr(self._exporter, "shutdown"):
            guard.call(self._site, self._exporter.shutdown)


def count_items(batch: Batch) -> int:
    """Return how many spans or log records a batch holds; a collection of metrics counts as one."""
    return len(batch) if isinstance(batch, list) else 1


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
