"""Instrumentors of others whose libraries are made up: who is activated, and that none stops another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

INSTRUMENTOR = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class Made(BaseInstrumentor):
    def instrumentation_dependencies(self): return []
    def _instrument(self, **kwargs): {does}
    def _uninstrument(self, **kwargs): pass
"""
AGENT = """
import importlib, json, sys
import obs_run.auto
for name in sys.argv[1:]:
    importlib.import_module(name)
from obs_run.launch import third_party
print(json.dumps(third_party.outcomes()))
"""


def add(folder: Path, root: str, library: str, distribution: str, *, does: str = "pass", url: str = "") -> None:
    """Lay out a library and an instrumentor for it, as an installation would."""
    (folder / f"{library}.py").write_text("")
    package = folder.joinpath(*root.split("."), library)
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(INSTRUMENTOR.format(does=does))
    information = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nProject-URL: Homepage, {url}\n"
    )
    (information / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{library} = {root}.{library}:Made\n")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    official, llmetry = "https://github.com/open-telemetry/x", "https://github.com/traceloop/openllmetry/x"
    add(tmp_path, "opentelemetry.instrumentation.genai", "lib_a", "instrumentation-genai-a", url=official)
    add(tmp_path, "opentelemetry.instrumentation", "lib_a", "instrumentation-a", url=llmetry)
    add(tmp_path, "openinference.instrumentation", "lib_a", "openinference-instrumentation-a")
    add(tmp_path, "opentelemetry.instrumentation", "lib_b", "instrumentation-b", does="1 / 0")
    add(tmp_path, "opentelemetry.instrumentation", "lib_c", "instrumentation-c")
    add(tmp_path, "openinference.instrumentation", "lib_d", "openinference-instrumentation-d")
    return tmp_path


def outcomes(folder: Path, *libraries: str, **variables: str) -> tuple[dict[str, str], str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environ |= {"PYTHONPATH": str(folder), "HOME": str(folder), "OTEL_TRACES_EXPORTER": "none", **variables}
    done = subprocess.run(
        [sys.executable, "-c", AGENT, *libraries], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found, done.stderr


def active(found: dict[str, str]) -> list[str]:
    return sorted(name for name, outcome in found.items() if outcome == "active")


def test_nothing_is_looked_at_before_its_library_comes(installed: Path) -> None:
    assert outcomes(installed) == ({}, "")


def test_one_that_fails_stops_no_other(installed: Path) -> None:
    found, err = outcomes(installed, "lib_b", "lib_c", "lib_d")
    assert found == {
        "instrumentation-b": "failed",
        "instrumentation-c": "active",
        "openinference-instrumentation-d": "active",
    }
    assert "set-up for lib_b failed and was skipped: ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("variables", "winner"),
    [
        ({}, ["instrumentation-genai-a"]),
        ({"OBS_PREFER": "openllmetry"}, ["instrumentation-a"]),
        ({"OBS_PREFER": "lib-a=openinference"}, ["openinference-instrumentation-a"]),
        ({"OBS_PREFER": "instrumentation-a"}, ["instrumentation-a"]),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "instrumentation-genai-a"}, ["instrumentation-a"]),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "lib_a"}, []),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, []),
    ],
)
def test_one_of_several_for_a_library_that_is_not_ours(
    installed: Path, variables: dict[str, str], winner: list[str]
) -> None:
    found, err = outcomes(installed, "lib_a", **variables)
    assert active(found) == winner
    assert len(found) == 3
    assert err == ""
