from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def test_a_missing_file_is_said_as_what_it_is(tmp_path: Path) -> None:
    ran = run(tmp_path, AGENT, OTEL_CONFIG_FILE="gone.yaml")
    assert (ran.code, ran.out) == (0, "done\n")
    assert ran.err == "OTEL_CONFIG_FILE: gone.yaml cannot be read (No such file or directory); nothing is exported\n"


KEY = "ghp_" + "a1B2c3D4e5F6" * 3
ALL_SIGNALS = """
file_format: "1.0"
tracer_provider:
  processors:
    - {kind}:
        exporter:
          console: {{}}
logger_provider:
  processors:
    - {kind}:
        exporter:
          console: {{}}
meter_provider:
  readers:
    - periodic:
        exporter:
          console: {{}}
"""
CARELESS = f"""
    from opentelemetry import _logs, metrics, trace
    from opentelemetry._logs import LogRecord
    KEY = "{KEY}"
    with trace.get_tracer("agent").start_as_current_span("call " + KEY) as span:
        span.set_attribute("gen_ai.tool.call.result", "content of others")
    _logs.get_logger("agent").emit(LogRecord(body="it is " + KEY))
    metrics.get_meter("agent").create_counter("jobs").add(1, {{"key": KEY}})
    metrics.get_meter("agent").create_counter("jobs").add(2, {{"key": KEY[:-1] + "x"}})
    for provider in (trace.get_tracer_provider(), _logs.get_logger_provider(), metrics.get_meter_provider()):
        provider.force_flush()
"""


@pytest.mark.parametrize("kind", ["simple", "batch"])
def test_what_the_files_exporters_get_is_scrubbed(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "otel.yaml"
    file.write_text(ALL_SIGNALS.format(kind=kind))
    ran = run(tmp_path, CARELESS, OTEL_CONFIG_FILE=str(file))
    assert ran.code == 0, ran.err
    assert "ghp_" not in ran.out
    assert "content of others" not in ran.out
    for shown in ('"name": "call [github_token]"', '"body": "it is [github_token]"', '"key": "[github_token]"'):
        assert shown in ran.out
    assert '"value": 3' in ran.out
    assert "cannot be scrubbed" not in ran.err


def test_the_files_exporters_get_everything_where_nothing_is_to_be_scrubbed(tmp_path: Path) -> None:
    file = tmp_path / "otel.yaml"
    file.write_text(ALL_SIGNALS.format(kind="batch"))
    ran = run(tmp_path, CARELESS, OTEL_CONFIG_FILE=str(file), OBS_PRIVACY="none")
    assert f'"name": "call {KEY}"' in ran.out
    assert f'"body": "it is {KEY}"' in ran.out
    assert f'"key": "{KEY}"' in ran.out
