from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from obs_run.base import guard
from obs_run.store import writer as writer_module

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    return path


@pytest.fixture(autouse=True)
def _fresh(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())
    caplog.set_level(logging.WARNING, "obs_run")
    yield
    for one in writer_module._writers.values():
        one.close()
    writer_module._writers.clear()
