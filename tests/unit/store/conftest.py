from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obs_run.core import guard
from obs_run.store import writer as writer_module

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def making() -> ModuleType:
    spec = importlib.util.spec_from_file_location("making", FOLDER / "making.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    return path


@pytest.fixture(autouse=True)
def _fresh(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(guard, "_said", set())
    caplog.set_level(logging.WARNING, "obs_run")
    yield
    for one in writer_module._writers.values():
        one.close()
    writer_module._writers.clear()
