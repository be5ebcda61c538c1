"""What goes to an OTLP endpoint that the agent itself named, delivered by the export thread like all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base import guard
from obs_run.pipeline.items import DeferredCall
from obs_run.runtime.in_process import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.resources import Resource

    from obs_run.pipeline.otlp_http import OtlpHttp

    Make = Callable[[Any, Resource], Any]


class OwnEndpoint:
    """A destination of its own: anything is put by any thread, all the rest is the export thread's.

    ``make`` turns what was put into the SDK's form of ``signal`` ("traces" or "logs"), given this process's resource.
    """

    def __init__(self, signal: str, url: str, batch_size: int, headers: dict[str, str], make: Make) -> None:
        # A bare address is the server's, as in OTEL_EXPORTER_OTLP_ENDPOINT; with a path it is the signal's.
        self.url = url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1/{signal}"
        self._signal = signal
        self._make = make
        self._batch_size = batch_size
        self._headers = headers
        self._records: list[Any] = []
        self._transport: OtlpHttp | None = None

    def put(self, what: Any, size: int) -> None:
        """Hand over one record, of ``size`` bytes of memory."""
        runtime().queue().put(DeferredCall(self._take, what, size=size))

    def _take(self, what: Any) -> None:
        from obs_run.pipeline import redact_items
        from obs_run.pipeline.otlp_address import Elsewhere
        from obs_run.pipeline.otlp_http import OtlpHttp

        if self._transport is None:
            self._transport = OtlpHttp(self._signal, runtime().queue().lost, Elsewhere(self.url, self._headers))
            runtime().destinations().users.append(self)
        self._records.append(redact_items.clean(self._make(what, runtime().set_up().resource)))

    def export(self, batch: Any, deadline: float | None) -> None:
        """Deliver a list of records."""
        if self._transport is not None:
            self._transport.export(batch, deadline)

    def settle(self, deadline: float | None) -> None:
        """Deliver what was taken, and try again what could not be delivered."""
        records, self._records = self._records, []
        for start in range(0, len(records), self._batch_size):
            guard.call("export", self.export, records[start : start + self._batch_size], deadline)
        if self._transport is not None:
            self._transport.settle(deadline)

    def pause(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        return None if self._transport is None else self._transport.pause()

    def after_fork(self) -> None:
        """In a child process: what waits is the parent's."""
        self._records.clear()
        if self._transport is not None:
            self._transport.after_fork()
