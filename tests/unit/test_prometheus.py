from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port
from tests.unit.agents import run

if TYPE_CHECKING:
    from pathlib import Path

AGENT = """
    import os, urllib.request
    from opentelemetry import metrics
    metrics.get_meter("agent").create_counter("jobs").add(3, {"kind": "small"})
    url = f"http://127.0.0.1:{os.environ['OTEL_EXPORTER_PROMETHEUS_PORT']}/metrics"
    print(urllib.request.urlopen(url, timeout=60).read().decode())
"""


@pytest.mark.slow
def test_the_endpoint_serves_the_agents_metrics_on_loopback(tmp_path: Path) -> None:
    port = str(free_port())
    ran = run(
        tmp_path,
        AGENT,
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=port,
    )
    assert ran.code == 0, ran.err
    assert ran.err == ""
    [line] = [line for line in ran.out.splitlines() if line.startswith("jobs_total")]
    assert 'kind="small"' in line
    assert line.endswith(" 3.0")


WORK = """
    import os, time, urllib.request
    from obs_run.core import recorder
    from obs_run.core.operations import AgentRun, Inference, ToolCall, Usage
    from obs_run.runtime.process_runtime import runtime

    chat = Inference("chat", provider="openai", request_model="gpt-4o", usage=Usage(3, 4))
    for operation in (AgentRun(agent_name="planner"), ToolCall(tool_name="search"), chat):
        recorder.start(operation).end()
    assert runtime().queue().flush(time.monotonic() + 60)
    url = f"http://127.0.0.1:{os.environ['OTEL_EXPORTER_PROMETHEUS_PORT']}/metrics"
    print(urllib.request.urlopen(url, timeout=60).read().decode())
"""


def test_what_agents_do_is_shown_under_old_names_too_and_described(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        WORK,
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port()),
    )
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    helps = [line.split(" ", 3)[2:] for line in lines if line.startswith("# HELP")]
    ours = {name: text for name, text in helps if name.startswith(("gen_ai_", "obs_"))}
    assert ours["gen_ai_client_operation_duration_seconds"] == "GenAI operation duration."
    assert all(text for text in ours.values())
    counts = [line for line in lines if line.startswith("gen_ai_client_operation_duration_seconds_count")]
    for operation in ("chat", "execute_tool", "invoke_agent"):
        assert len([line for line in counts if f'gen_ai_operation_name="{operation}"' in line]) == 1, counts
    [agent] = [line for line in lines if line.startswith("gen_ai_invoke_agent_duration_seconds_count")]
    assert 'gen_ai_agent_name="planner"' in agent


@pytest.mark.slow
def test_series_that_are_equal_without_their_secrets_are_one(tmp_path: Path) -> None:
    keys = [f"ghp_{letter}1B2c3D4e5F6a1B2c3D4e5F6a1B2c3D4e5F6" for letter in "ab"]
    source = f"""
        import os, urllib.request
        from opentelemetry import metrics
        meter = metrics.get_meter("agent")
        for key in {keys}:
            meter.create_counter("jobs").add(3, {{"key": key}})
            meter.create_histogram("seconds").record(7, {{"key": key}})
        url = f"http://127.0.0.1:{{os.environ['OTEL_EXPORTER_PROMETHEUS_PORT']}}/metrics"
        for _ in range(2):
            text = urllib.request.urlopen(url, timeout=60).read().decode()
        print(text)
    """
    ran = run(
        tmp_path,
        source,
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port()),
    )
    assert ran.code == 0, ran.err
    assert "ghp_" not in ran.out
    lines = [line for line in ran.out.splitlines() if 'key="[github_token]"' in line]
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("jobs_total{")] == ["6.0"]
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("seconds_sum{")] == ["14.0"]
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("seconds_count{")] == ["2.0"]


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run(
            tmp_path,
            "from opentelemetry import metrics\nmetrics.get_meter('a').create_counter('jobs').add(1)\nprint('done')",
            OTEL_TRACES_EXPORTER="none",
            OTEL_LOGS_EXPORTER="none",
            OTEL_METRICS_EXPORTER="prometheus",
            OTEL_EXPORTER_PROMETHEUS_PORT=str(taken.getsockname()[1]),
        )
    assert (ran.code, ran.out) == (0, "done\n")
    [line] = ran.err.splitlines()
    assert line.startswith("OTEL_EXPORTER_PROMETHEUS_PORT: cannot serve metrics on 127.0.0.1:")
