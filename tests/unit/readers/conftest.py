from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING

import pytest

from obs_run import settings
from obs_run.store.reader import Reader
from obs_run.telemetry.otlp_json import signal_json
from tests.unit.readers import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a store with the traces, log lines and points of :mod:`tests.unit.readers.recorded`."""
    path = tmp_path / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    recorded.fill(path)
    return path


@pytest.fixture
def lines(store: Path, tmp_path: Path) -> Path:
    """Return a file as a Collector writes it, with the same content: one object a line and signal, packed."""
    with Reader(store) as reader:
        traces = reader.traces(100, without_spans=True)
        objects = [signal_json("traces", reader.spans(trace.trace_id)) for trace in traces]
        objects += [signal_json("logs", reader.log_lines())]
        objects += [signal_json("metrics", reader.points())]
    path = tmp_path / "telemetry.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{json.dumps(one)}\n" for one in objects).encode()))
    return path
