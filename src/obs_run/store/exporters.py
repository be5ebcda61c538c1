"""Exporters of the OpenTelemetry SDK that write to the local store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from obs_run.store.writer import writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan


class StoreSpanExporter(SpanExporter):
    """Writes spans to the store at ``path`` (None: the user's), kept to ``max_bytes`` and ``keep`` seconds."""

    def __init__(self, path: Path | str | None, max_bytes: int, keep: float = 0) -> None:
        self._writer = writer(path, max_bytes, keep)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Store ``spans``; FAILURE, after one warning, when the file cannot take them."""
        stored = self._writer.write("spans", lambda batch: batch.add_spans(spans))
        return SpanExportResult.SUCCESS if stored else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the file."""
        self._writer.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 (the SDK's signature)
        """Return True: nothing waits here."""
        return True


class StoreLogExporter(LogRecordExporter):
    """Writes log records to the store at ``path`` (None: the user's), kept to ``max_bytes`` and ``keep`` seconds."""

    def __init__(self, path: Path | str | None, max_bytes: int, keep: float = 0) -> None:
        self._writer = writer(path, max_bytes, keep)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Store the log records; FAILURE, after one warning, when the file cannot take them."""
        stored = self._writer.write("logs", lambda rows: rows.add_logs(batch))
        return LogRecordExportResult.SUCCESS if stored else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the file."""
        self._writer.close()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 (the SDK's signature)
        """Return True: nothing waits here."""
        return True


class StoreMetricExporter(MetricExporter):
    """Writes metric points to the store at ``path`` (None: the user's), kept to ``max_bytes`` and ``keep`` seconds."""

    def __init__(self, path: Path | str | None, max_bytes: int, keep: float = 0) -> None:
        super().__init__()
        self._writer = writer(path, max_bytes, keep)

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 (the SDK's signature)
        **_: Any,
    ) -> MetricExportResult:
        """Store the points; FAILURE, after one warning, when the file cannot take them."""
        stored = self._writer.write("points", lambda batch: batch.add_metrics(metrics_data))
        return MetricExportResult.SUCCESS if stored else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 (the SDK's signature)
        """Return True: nothing waits here."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:  # noqa: ARG002 (the SDK's signature)
        """Close the file."""
        self._writer.close()
