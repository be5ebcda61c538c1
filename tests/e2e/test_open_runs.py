"""An agent that goes on for long, while one looks at the real Jaeger."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends import waiting
from tests.launch import environments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.records import Span
    from tests.e2e.backends.servers import Backends

AGENT = """\
import sys
from obs_run.tracing import get_tracer
with get_tracer("agent").span("work"):
    pass
print("at work", flush=True)
sys.stdin.readline()
sys.exit(3)
"""


@pytest.fixture(params=["on", "off"])
def agent(request: pytest.FixtureRequest, backends: Backends, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script = tmp_path / "agent.py"
    script.write_text(AGENT)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    env |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_http,
        "OTEL_SERVICE_NAME": f"lasting-{request.param}-{os.getpid()}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OBS_RELAY": str(request.param),
        "OBS_RELAY_FOLDER": str(tmp_path / "relay"),
        "OBS_OPEN_SPANS_SECONDS": "1",
    }
    words = [environments.HERE.command("obs-run"), sys.executable, str(script)]
    with subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.service = env["OTEL_SERVICE_NAME"]  # type: ignore[attr-defined]
        yield process
        process.kill()


def test_a_run_has_a_root_while_it_goes_on_and_its_end_below_it(
    agent: subprocess.Popen[str], backends: Backends
) -> None:
    assert agent.stdout is not None
    assert agent.stdin is not None
    service = agent.service  # type: ignore[attr-defined]
    assert agent.stdout.readline() == "at work\n"

    def trace(spans: int) -> list[Span]:
        def found() -> list[Span] | None:
            told = backends.jaeger.find(service)
            return told if len(told) >= spans else None

        return waiting.until(found, f"{spans} spans of {service}", 30)

    root, work = sorted(trace(2), key=lambda span: span.parent_span_id)
    assert (root.parent_span_id, root.attributes["obs.span.open"]) == ("", True)
    assert (work.name, work.parent_span_id, work.trace_id) == ("work", root.span_id, root.trace_id)
    agent.stdin.write("\n")
    agent.stdin.flush()
    assert agent.wait(30) == 3
    told = {span.span_id: span for span in trace(3)}
    assert len(told) == len(trace(3)) == 3
    [end] = [span for span in told.values() if span.span_id not in (root.span_id, work.span_id)]
    assert (end.name, end.parent_span_id, end.status) == (root.name, root.span_id, "ERROR")
    assert end.attributes["obs.run.exit_code"] == 3
    assert end.end_ns > root.end_ns
    assert end.start_ns == root.start_ns
