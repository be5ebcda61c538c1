"""The write-ahead log stays short, also while there is always somebody who reads."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExportResult

from obs_run.store import retention
from obs_run.store.exporters import StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

MOST = 8 << 20
BATCHES, SPANS = 60, 100


def test_readers_that_never_leave_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert retention.Retention(path, 1 << 20, 0)._most_log_bytes == MOST
    exporter = StoreSpanExporter(path, MOST * 8)
    attributes = {"text": "x" * 7000}
    assert exporter.export([making.span("first")]) is SpanExportResult.SUCCESS
    is_over = threading.Event()

    def read(begin: float) -> None:
        time.sleep(begin)
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        while not is_over.is_set():
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM traces").fetchall()
            time.sleep(0.02)
            connection.execute("COMMIT")
        connection.close()

    readers = [threading.Thread(target=read, args=(number * 0.005,)) for number in range(4)]
    for reader in readers:
        reader.start()
    longest = 0
    try:
        for batch in range(BATCHES):
            spans = [making.span("work", trace=batch + 2, id=n + 1, attributes=attributes) for n in range(SPANS)]
            assert exporter.export(spans) is SpanExportResult.SUCCESS
            longest = max(longest, (tmp_path / "store.db-wal").stat().st_size)
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    exporter.shutdown()
    print(f"the log was {longest / 2**20:.0f} MiB at its longest")
    assert longest < BATCHES * SPANS * 8000 / 2
