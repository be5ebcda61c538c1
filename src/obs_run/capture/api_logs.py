"""Records made with the OpenTelemetry logs API on their way into the queue."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord

from obs_run.pipeline.items import ApiLogItem
from obs_run.pipeline.queue import queue

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadWriteLogRecord


class QueueLogProcessor(LogRecordProcessor):
    """Puts each record into the queue."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Hand the record over."""
        resource = log_record.resource
        capture = sys.modules.get("obs_run.capture.log_capture")
        taken = capture is not None and capture.installed() and capture.handling()
        if resource is not None and not taken and not queue().in_export_thread():
            record = ReadableLogRecord(log_record.log_record, resource, log_record.instrumentation_scope)
            queue().put(ApiLogItem(record))

    def shutdown(self) -> None:
        """Do nothing: the queue is flushed when the process leaves."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Export what waits."""
        return queue().flush(time.monotonic() + timeout_millis / 1000)
