"""A process of its own that writes spans to a store: FILE, COUNT, first trace number, MAX_BYTES, KEEP."""

from __future__ import annotations

import sys
from pathlib import Path

from opentelemetry.sdk.trace.export import SpanExportResult

from obs_run.store.exporters import StoreSpanExporter
from tests.unit.store import making

path, count, first, most = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
exporter = StoreSpanExporter(path, most, float(sys.argv[5]) if len(sys.argv) > 5 else 0)
for begin in range(0, count, 250):
    spans = [making.span("work", trace=first + n // 50, id=n % 50 + 1) for n in range(begin, min(begin + 250, count))]
    assert exporter.export(spans) is SpanExportResult.SUCCESS
exporter.shutdown()
