"""An agent with something wrong around it: its own exit code and output, and at most one clear line of ours."""

from __future__ import annotations

import os
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.full_disk import mounted
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PYTHON = str(SCRIPTS / "python")
PROGRAM = """
    import logging, subprocess, sys
    from opentelemetry import metrics, trace
    with trace.get_tracer("case").start_as_current_span("work"):
        logging.getLogger("agent").info("a line")
        subprocess.run(["true"])
    metrics.get_meter("case").create_counter("counted").add(1)
    print("its own output")
    sys.exit(3)
    """


def lines(folder: Path, env: dict[str, str], *before: str) -> list[str]:
    """Return what came on standard error; the rest must be the agent's own."""
    (folder / "agent.py").write_text(dedent(PROGRAM))
    outcome = run([*before, str(SCRIPTS / "obs-run"), PYTHON, "agent.py"], folder, env)
    assert outcome.out == "its own output\n"
    assert outcome.code == 3, outcome.err
    return outcome.err.splitlines()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "value", "said"),
    one_in(
        3,
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "foo", "http"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "soon"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon", "pigeon"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file", "/no/such/file"),
            ("OTEL_TRACES_SAMPLER", "sometimes", "sometimes"),
            ("OTEL_TRACES_EXPORTER", "smoke", "smoke"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-5", "-5"),
            ("OBS_QUEUE_BYTES", "many", "many"),
            ("OBS_FLUSH_SECONDS", "now", "now"),
            ("OBS_RUN_SPAN", "perhaps", "perhaps"),
            ("OTEL_PROPAGATORS", "telepathy", "telepathy"),
            ("OTEL_CONFIG_FILE", "missing.yaml", "OTEL_CONFIG_FILE"),
            ("OTEL_CONFIG_FILE", "broken.yaml", "OTEL_CONFIG_FILE"),
        ],
    ),
)
def test_a_wrong_setting(name: str, value: str, said: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    # Certificates are read where there are any, and there alone.
    endpoint = receiver.endpoint.replace("http:", "https:") if "CERTIFICATE" in name else receiver.endpoint
    found = lines(tmp_path, environment(endpoint, tmp_path, **{name: value}))
    assert len(found) == 1, found
    assert said in found[0]
    # What OpenTelemetry itself refuses it says in its own words.
    assert name in found[0] or name == "OTEL_PROPAGATORS"


def test_switched_off(receiver: Receiver, tmp_path: Path) -> None:
    assert lines(tmp_path, environment(receiver.endpoint, tmp_path, OTEL_SDK_DISABLED="true")) == []
    assert not receiver.requests


def to_the_store(folder: Path, **more: str) -> dict[str, str]:
    env = environment("", folder, **more)
    del env["OTEL_EXPORTER_OTLP_ENDPOINT"]
    return env


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk") as folder:
        yield folder


def test_a_full_disk(full_disk: Path, tmp_path: Path) -> None:
    found = lines(tmp_path, to_the_store(tmp_path, OBS_STORE_FILE=str(full_disk / "store.db")))
    assert "store.db" in found[0]
    # What was lost is said as well, and again at the end if there was more.
    assert found[1:], found
    assert all("were dropped" in line and "to store" in line for line in found[1:]), found


def test_an_unwritable_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    env = {**to_the_store(tmp_path), "HOME": str(home)}
    before = []
    if os.geteuid() == 0:
        # Root may write everywhere without this capability dropped.
        before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--reuid=0"]
        if subprocess.run([*before, "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("needs setpriv")
    found = lines(tmp_path, env, *before)
    assert str(home) in found[0]
    assert found[1:], found
    assert all("were dropped" in line and "to store" in line for line in found[1:]), found


@pytest.mark.parametrize(
    "source",
    one_in(
        3,
        [
            "raise RuntimeError('broken on import')",
            "import no_such_module",
            "class Instrumentor:\n    def instrument(self): raise RuntimeError('broken')",
            "class Instrumentor:\n    def __init__(self): raise RuntimeError('broken')",
            "class Other: pass",
            "syntax error",
        ],
    ),
)
def test_a_broken_instrumentor_of_others(source: str, receiver: Receiver, tmp_path: Path) -> None:
    site = tmp_path / "site"
    package = site / "opentelemetry" / "instrumentation" / "library"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source)
    (site / "library.py").write_text("")
    info = site / "opentelemetry_instrumentation_library-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: opentelemetry-instrumentation-library\nVersion: 1.0\n")
    entry = "[opentelemetry_instrumentor]\nlibrary = opentelemetry.instrumentation.library:Instrumentor\n"
    (info / "entry_points.txt").write_text(entry)
    (site / "sitecustomize.py").write_text("import library")
    found = lines(tmp_path, environment(receiver.endpoint, tmp_path, PYTHONPATH=str(site)))
    assert len(found) == 1, found
    assert "library" in found[0]
    assert receiver.wait_for(lambda got: bool(got.named("work")))
