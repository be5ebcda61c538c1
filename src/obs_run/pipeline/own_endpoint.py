"""Log records for an OTLP endpoint that the agent itself named, delivered by the export thread like all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.core import guard
from obs_run.pipeline import destinations
from obs_run.pipeline.items import CallItem
from obs_run.pipeline.queue import queue

if TYPE_CHECKING:
    from obs_run.pipeline.items import LogItem
    from obs_run.pipeline.otlp_http import OtlpHttp

_PATH = "/v1/logs"


class OwnEndpoint:
    """A destination of its own: records are put by any thread, everything else is the export thread's."""

    def __init__(self, url: str, batch_size: int, headers: dict[str, str]) -> None:
        # A bare address is the server's, as in OTEL_EXPORTER_OTLP_ENDPOINT; with a path it is the signal's.
        self.url = url if urlsplit(url).path.strip("/") else url.rstrip("/") + _PATH
        self._batch_size = batch_size
        self._headers = headers
        self._records: list[Any] = []
        self._transport: OtlpHttp | None = None

    def put(self, item: LogItem) -> None:
        """Hand over one record."""
        call = CallItem(self._take, item)
        call.size = item.size
        queue().put(call)

    def _take(self, item: LogItem) -> None:
        from obs_run.pipeline.complete import log_record
        from obs_run.pipeline.otlp_http import Elsewhere, OtlpHttp
        from obs_run.sdk import providers

        if self._transport is None:
            self._transport = OtlpHttp("logs", Elsewhere(self.url, self._headers))
            destinations.FURTHER.append(self)
        self._records.append(log_record(item, providers.set_up().resource))

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
