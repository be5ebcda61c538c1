"""Instrumentors of others whose libraries are made up: who is activated, and that none stops another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

INSTRUMENTOR = """
import sys
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
said = sys.modules["__main__"].said
class Made(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return []
    def _instrument(self, **kwargs):
        said.append("{root} +" + "".join(f" {{name}}" for name in kwargs))
        {does}
    def _uninstrument(self, **kwargs):
        said.append("{root} -")
"""
AGENT = """
import importlib, json, sys
import obs_run.auto
said = []
for name in sys.argv[1:]:
    exec(name) if " " in name else importlib.import_module(name)
from obs_run.coexistence import third_party
print(json.dumps([third_party.outcomes(), said]))
"""
EXPLICIT = """
from openinference.instrumentation.lib_a import Made
Made().instrument(option=1)
"""


def add(folder: Path, root: str, library: str, distribution: str, *, does: str = "pass", url: str = "") -> None:
    """Lay out a library and an instrumentor for it, as an installation would."""
    (folder / f"{library}.py").write_text("")
    package = folder.joinpath(*root.split("."), library)
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        INSTRUMENTOR.format(does=does, root=root.replace(".instrumentation", "").rpartition(".")[2])
    )
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


class Seen(NamedTuple):
    """What became of the instrumentors, what they were told in turn, and what was said on stderr."""

    outcomes: dict[str, str]
    told: list[str]
    err: str

    def active(self) -> list[str]:
        return sorted(name for name, outcome in self.outcomes.items() if outcome == "active")


def outcomes(folder: Path, *libraries: str, **variables: str) -> Seen:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environ |= {"PYTHONPATH": str(folder), "HOME": str(folder), "OTEL_TRACES_EXPORTER": "none", **variables}
    done = subprocess.run(
        [sys.executable, "-c", AGENT, *libraries], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    found, said = json.loads(done.stdout.splitlines()[-1])
    return Seen(found, said, done.stderr)


def test_nothing_is_looked_at_before_its_library_comes(installed: Path) -> None:
    assert outcomes(installed) == ({}, [], "")


def test_one_that_fails_stops_no_other(installed: Path) -> None:
    seen = outcomes(installed, "lib_b", "lib_c", "lib_d")
    assert seen.outcomes == {
        "instrumentation-b": "failed",
        "instrumentation-c": "active",
        "openinference-instrumentation-d": "active",
    }
    assert "set-up for lib_b failed and was skipped: ZeroDivisionError" in seen.err


@pytest.mark.sampled
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
    seen = outcomes(installed, "lib_a", **variables)
    assert seen.active() == winner
    assert len(seen.outcomes) == 3
    assert seen.err == ""


@pytest.mark.parametrize("order", [("lib_a", EXPLICIT), (EXPLICIT, "lib_a")], ids=["after", "before"])
def test_the_agent_s_own_takes_the_place_of_the_launcher_s(installed: Path, order: tuple[str, str]) -> None:
    seen = outcomes(installed, *order)
    assert seen.active() == ["openinference-instrumentation-a"]
    launched = ["genai +", "genai -"] if order[0] == "lib_a" else []
    assert seen.told == [*launched, "openinference + option"]
    assert seen.err == ""


def test_the_agent_s_options_reach_what_the_launcher_had_activated(installed: Path) -> None:
    seen = outcomes(installed, "lib_a", EXPLICIT, OBS_PREFER="openinference")
    assert seen.active() == ["openinference-instrumentation-a"]
    assert seen.told == ["openinference +", "openinference -", "openinference + option"]
    assert seen.err == ""


def test_the_agent_s_own_is_left_out_where_the_user_names_another(installed: Path) -> None:
    seen = outcomes(installed, EXPLICIT, "lib_a", OBS_PREFER="official")
    assert seen.active() == ["instrumentation-genai-a"]
    assert seen.told == ["genai +"]
    assert "is left out: OBS_PREFER names instrumentation-genai-a" in seen.err
