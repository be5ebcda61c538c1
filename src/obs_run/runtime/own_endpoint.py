"""What goes to an OTLP endpoint that the agent itself named, delivered by the export thread like all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run import setting_texts, settings
from obs_run.base import guard
from obs_run.base.masking import masked_value
from obs_run.pipeline.items import DeferredCall
from obs_run.pipeline.losses import NO_DESTINATION, NOT_DELIVERED, NOT_ENCODED
from obs_run.process.unpatched import time
from obs_run.runtime.process_runtime import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.resources import Resource

    from obs_run.pipeline.destination import Batch
    from obs_run.pipeline.otlp_destination import OtlpDestination
    from obs_run.pipeline.signals import Signal

    Make = Callable[[Any, Resource], Any]


def own_endpoint(
    owner: str, signal: Signal, endpoint: str | None, batch_size: int, headers: Mapping[str, str] | None, make: Make
) -> OwnEndpoint | None:
    """Return the endpoint that ``owner``, a class, was created with; None without one, or where it is not allowed."""
    if endpoint is None:
        return None
    try:
        url = setting_texts.url(endpoint)
    except ValueError as allowed:
        guard.warn_once(f"{owner}: endpoint {endpoint!r} is not allowed; allowed: {allowed}")
        return None
    return OwnEndpoint(signal, url, max(1, batch_size), dict(headers or {}), make)


class OwnEndpoint:
    """A destination of its own: anything is put by any thread, all the rest is the export thread's.

    ``make`` turns what was put into the SDK's form of ``signal`` ("traces" or "logs"), with this process's resource.
    """

    replaces_open_spans = False

    def __init__(self, signal: Signal, url: str, batch_size: int, headers: dict[str, str], make: Make) -> None:
        # A bare address is the server's, as in OTEL_EXPORTER_OTLP_ENDPOINT; with a path it is the signal's.
        self.url = url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1/{signal}"
        self._signal = signal
        self._make = make
        self._batch_size = batch_size
        self._headers = headers
        self._records: list[Any] = []
        self._destination: OtlpDestination | None = None
        self._count_lost = runtime().losses.counter(signal, masked_value(self.url))

    def put(self, what: Any, size: int) -> None:
        """Hand over one record, of ``size`` bytes of memory."""
        runtime().queue().put(DeferredCall(self._add, what, size=size))

    def _add(self, what: Any) -> None:
        if self._destination is None:
            self._destination = self._make_destination()
        if self._destination is None:
            self._count_lost(1, NO_DESTINATION)
            return
        record = guard.call(f"record for {self._signal}", self._record, what)
        if record is None:
            self._count_lost(1, NOT_ENCODED)
            return
        self._records.append(record)

    def _make_destination(self) -> OtlpDestination | None:
        from obs_run.pipeline.otlp_address import EndpointOverride
        from obs_run.pipeline.otlp_destination import OtlpDestination
        from obs_run.pipeline.otlp_http import HttpTransport
        from obs_run.runtime import destinations

        try:
            transport = HttpTransport(self._signal, EndpointOverride(self.url, self._headers))
        except settings.NotAllowedError as problem:
            guard.warn_once(str(problem))
            return None
        runtime().destinations().users.append(self)
        spool = destinations.spool_of(runtime().spool(), self._signal, transport)
        return OtlpDestination(self._signal, transport, runtime().losses, spool, runtime().threads)

    def _record(self, what: Any) -> Any:
        from obs_run.pipeline import redact_items

        return redact_items.clean(self._make(what, runtime().set_up().resource))

    def export(self, batch: Batch, deadline: float | None) -> None:
        """Deliver a list of records."""
        if self._destination is not None:
            self._destination.export(batch, deadline)

    def retry_pending(self, deadline: float | None) -> None:
        """Deliver what was put, and try again what could not be delivered."""
        self._export_records(deadline)
        if self._destination is not None:
            self._destination.retry_pending(deadline)

    def wait(self, deadline: float) -> None:
        """Wait for what is being delivered."""
        if self._destination is not None:
            self._destination.wait(deadline)

    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next try, None if nothing waits."""
        return None if self._destination is None else self._destination.seconds_until_due()

    def after_fork(self) -> None:
        """In a child process: what waits is the parent's."""
        self._records.clear()
        if self._destination is not None:
            self._destination.after_fork()

    def close(self, deadline: float) -> None:
        """Deliver what was put until the deadline, count what is left as lost, and let go of the connection."""
        if time.monotonic() < deadline:
            self._export_records(deadline)
        records, self._records = self._records, []
        self._count_lost(len(records), NOT_DELIVERED)
        if self._destination is not None:
            self._destination.close(deadline)

    def _export_records(self, deadline: float | None) -> None:
        records, self._records = self._records, []
        for start in range(0, len(records), self._batch_size):
            self.export(records[start : start + self._batch_size], deadline)
