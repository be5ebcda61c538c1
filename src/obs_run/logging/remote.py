"""The handler that sends records to an OTLP/HTTP endpoint of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.logging.handlers import LogHandler
from obs_run.logging.record import exported, log_record_of
from obs_run.pipeline.items import LogItem
from obs_run.runtime.own_endpoint import own_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource

    from obs_run.core.sink import LogRecord
    from obs_run.logging.entry import StructuredLogEntry
    from obs_run.logging.levels import LogLevel

_OLD_BATCH, _OLD_INTERVAL = 100, 5.0


class RemoteLogHandler(LogHandler):
    """Sends records by OTLP over HTTP to ``endpoint``, beside what the pipeline does with them.

    Without ``endpoint`` there is nothing to do: every record goes where OTEL_EXPORTER_OTLP_* or the local store say.
    The export thread sends, in requests of at most ``batch_size`` records; what cannot be delivered waits in memory,
    is tried again, and is flushed as the process leaves. ``flush_interval`` is there for old code's sake: records wait
    OTEL_BSP_SCHEDULE_DELAY for company. ``headers`` are sent along; those of the settings are another server's.
    """

    def __init__(
        self,
        name: str = "remote",
        endpoint: str | None = None,
        batch_size: int = _OLD_BATCH,
        flush_interval: float = _OLD_INTERVAL,
        *,
        headers: Mapping[str, str] | None = None,
        min_level: LogLevel | str | None = None,
    ) -> None:
        super().__init__(name, min_level=min_level)
        self.endpoint, self.batch_size, self.flush_interval = endpoint, batch_size, flush_interval
        self._to = own_endpoint("RemoteLogHandler", "logs", endpoint, batch_size, headers, _record)

    def write(self, entry: StructuredLogEntry) -> bool:
        """Put the record into the queue of the pipeline, for this handler's endpoint."""
        if self._to is None:
            return self.endpoint is None
        if not exported():
            return False
        item = LogItem(log_record_of(entry))
        self._to.put(item.record, item.size)
        return True


def _record(record: LogRecord, resource: Resource) -> Any:
    from obs_run.pipeline.log_builder import build_log_record

    return build_log_record(record, resource)
