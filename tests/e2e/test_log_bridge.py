"""An agent of a fleet that only logs, under obs-run: its requests and its work, as traces in the real Jaeger."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer
from tests.e2e.backends import waiting
from tests.launch import environments
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.records import Span
    from tests.e2e.backends.servers import Backends

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first
FLEET = environments.ROOT / "examples" / "fleet"
CHAT = "chat gpt-5-mini"


@pytest.fixture(scope="module")
def place() -> environments.Environment:
    return environments.environment("zmq")


@pytest.fixture
def environ(place: environments.Environment, tmp_path: Path) -> Iterator[dict[str, str]]:
    with StubServer() as stub:
        yield {
            "PATH": f"{place.scripts}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "OPENAI_API_KEY": "stub",
            "OPENAI_BASE_URL": stub.url,
        }


def replies(place: environments.Environment, environ: dict[str, str], folder: Path, *launcher: str) -> list[str]:
    """Run the agent, send it the requests of a day, and return what it answered."""
    folder.mkdir()
    port = str(free_port())
    command = [*launcher, place.python, str(FLEET / "model_ops_agent.py"), "--port", port, "--folder", str(folder)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as agent:
        try:
            asked = subprocess.run(
                [place.python, str(FLEET / "requests_of_a_day.py"), port],
                env=environ, capture_output=True, text=True, check=True, timeout=120,
            )  # fmt: skip
            assert agent.wait(60) == 0
        finally:
            agent.kill()
    return [line for line in asked.stdout.splitlines() if "goal_id" not in line]


def test_each_request_is_a_trace_of_its_own_and_its_work_is_inside(
    place: environments.Environment, environ: dict[str, str], backends: Backends, tmp_path: Path
) -> None:
    plain = replies(place, environ, tmp_path / "plain")
    service = f"model-ops-{tmp_path.name}"
    environ |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_http,
        "OTEL_SERVICE_NAME": service,
        "OBS_BRIDGE": "automatic",
    }
    assert replies(place, environ, tmp_path / "observed", place.command("obs-run")) == plain

    # The run, and each request: one has no answer that could be compared.
    count = 1 + len(plain) + 1
    traces = waiting.until(lambda: _traces(backends, service, count), "all traces of the agent in Jaeger", 60)
    [run] = [span for spans in traces for span in spans if "obs.run.kind" in span.attributes]
    requests = [spans for spans in traces if spans[0].trace_id != run.trace_id]
    assert len(requests) == len(plain) + 1
    for spans in requests:
        [root] = [span for span in spans if not span.parent_span_id]
        assert root.name.startswith("process ")
        assert [(link.trace_id, link.span_id) for link in root.links] == [(run.trace_id, run.span_id)]
    shapes = [_shape(spans) for spans in requests]
    assert ["process translate", ["Received request", ["Translating", ["Loading model"], [CHAT]]]] in shapes
    assert ["process summarize", ["Received request", ["Generating summary", ["Loading model"], [CHAT]]]] in shapes
    assert ["process summarize", ["Received request", ["Generating summary !", [f"{CHAT} !"]]]] in shapes
    assert ["process translate", ["Received request", ["Translating !", [f"{CHAT} !"]]]] in shapes
    assert ["process load_model", ["Received request", ["Loading model", ["Unloading model"]]]] in shapes
    assert ["process load_model", ["Received request", ["Loading model !"]]] in shapes
    [of_run] = [spans for spans in traces if spans[0].trace_id == run.trace_id]
    tasks = [_shape(of_run, span) for span in of_run if span.name.startswith("Executing task")]
    assert tasks == [["Executing task", [CHAT]]] * 2 + [["Executing task !"]]
    # Jaeger shows no logs: what went wrong is an event of the span that it happened in.
    [unloadable] = [
        span for spans in requests for span in spans if span.name == "Loading model" and span.status == "ERROR"
    ]
    assert any("whisper-gigantic" in str(event.attributes) for event in unloadable.events)


def _traces(backends: Backends, service: str, count: int) -> list[list[Span]] | None:
    """Return the spans of each trace in the order of their beginning, once all traces are there, the run at last."""
    spans = sorted(backends.jaeger.find(service), key=lambda span: span.start_ns)
    if not any("obs.run.kind" in span.attributes for span in spans):
        return None
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return list(traces.values()) if len(traces) == count else None


def _shape(spans: list[Span], top: Span | None = None) -> list[object]:
    """Return the first words of a span's name, with a mark where it failed, and its children's shapes."""
    if top is None:
        [top] = [span for span in spans if not span.parent_span_id]
    words = top.name if top.name == CHAT else " ".join(top.name.split()[: 1 if top.name.startswith("Tr") else 2])
    inside = [_shape(spans, span) for span in spans if span.parent_span_id == top.span_id]
    return [f"{words} !" if top.status == "ERROR" else words, *inside]
