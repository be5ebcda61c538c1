from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

AGENT = Path(__file__).parent / "planner_agent.py"


def run_agent(store: Path, *words: str, **environment: str) -> int:
    """Run the agent under obs-run with a store to record into, and return its exit code."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {
        "OBS_STORE_FILE": str(store),
        "OBS_FLUSH_SECONDS": "30",
        "OTEL_SERVICE_NAME": "trips",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
    }
    command = Path(sysconfig.get_path("scripts")) / "obs-run"
    environ = {**kept, **settings, **environment}
    done = subprocess.run([command, sys.executable, str(AGENT), *words], env=environ, check=False, capture_output=True)
    return done.returncode


@pytest.fixture(scope="session")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("analysis") / "store.db"
    assert run_agent(store, "Lisbon") == 0
    assert run_agent(store, "Oslo", MODEL="gpt-5") == 0
    assert run_agent(store, "Kyoto", "the train is late") == 1
    return store


@pytest.fixture
def recorded(_recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the store of three runs: two that went well, of which the second asked another model, one that failed."""
    monkeypatch.setenv("OBS_STORE_FILE", str(_recorded))
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return _recorded
