from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.agents import run

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple:
        exporter:
          console: {}
"""
AGENT = """
    from opentelemetry import trace
    trace.get_tracer("agent").start_span("told by the file").end()
    print("done")
"""


def test_the_files_providers_are_used_and_ours_step_aside(tmp_path: Path) -> None:
    file = tmp_path / "otel.yaml"
    file.write_text(CONFIGURATION)
    ran = run(tmp_path, AGENT, OTEL_CONFIG_FILE=str(file), OTEL_TRACES_EXPORTER="console")
    assert ran.code == 0, ran.err
    assert ran.out.count('"name": "told by the file"') == 1
    assert ran.out.endswith("done\n")


def test_a_wrong_file_is_one_line_and_the_agent_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "otel.yaml"
    file.write_text("file_format: nonsense\n")
    ran = run(tmp_path, AGENT, OTEL_CONFIG_FILE=str(file))
    assert (ran.code, ran.out) == (0, "done\n")
    [line] = ran.err.splitlines()
    assert line.startswith("OTEL_CONFIG_FILE: ")
