from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.launch import environments
from tests.launch.running import environment, run
from tests.launch.servers import CLIENT, MCP, MCP_SERVER, Mcp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver


@pytest.mark.parametrize("case", MCP, ids=lambda case: case.name)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_server_over_stdio(case: Mcp, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(CLIENT)
    (tmp_path / "server.py").write_text(MCP_SERVER)
    place = environments.environment(case.packages)
    env = environment(receiver.endpoint, tmp_path, place.scripts, OTEL_EXPORTER_OTLP_HEADERS="authorization=secret")
    outcome = run([place.command("obs-run"), place.python, "agent.py"], tmp_path, env)
    assert (outcome.code, outcome.out) == (0, "42\n")

    client = receiver.named("work")[0]
    servers = [span for span in receiver.spans if span.resource["process.pid"] != client.resource["process.pid"]]
    assert sorted(span.name for span in servers) == sorted((*case.messages, "child", "server"))
    assert {span.trace_id for span in receiver.spans} == {client.trace_id}
    run_of_server = receiver.named("server")[0]
    assert run_of_server.parent_id == client.span_id
    names = {span.span_id: span.name for span in receiver.spans if span not in servers}
    messages = {span.name: names[span.parent_id] for span in servers if span.name in case.messages}
    assert messages == {name: name for name in case.messages}
    called = next(span for span in servers if span.name == "tools/call double")
    assert receiver.named("child")[0].parent_id == called.span_id

    given = json.loads((tmp_path / "environment.json").read_text())
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == receiver.endpoint
    assert "OTEL_EXPORTER_OTLP_HEADERS" not in given


@pytest.mark.parametrize("case", MCP, ids=lambda case: case.name)
@pytest.mark.environments
@pytest.mark.timeout(900)
def test_server_of_a_client_that_sends_no_trace(case: Mcp, receiver: Receiver, tmp_path: Path) -> None:
    place = environments.environment(case.packages)
    command = repr(str(place.command("obs-run")))
    ours = environment(receiver.endpoint, tmp_path, place.scripts)
    given = {**ours, "TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    started = f'command={command}, args=[sys.executable, "server.py"], env={given!r}'
    (tmp_path / "agent.py").write_text(CLIENT.replace('command=sys.executable, args=["server.py"]', started))
    (tmp_path / "server.py").write_text(MCP_SERVER)
    outcome = run([place.python, "agent.py"], tmp_path, ours)
    assert (outcome.code, outcome.out) == (0, "42\n")
    assert sorted(span.name for span in receiver.spans) == sorted((*case.messages, "child", "server"))
    run_of_server = receiver.named("server")[0]
    assert {span.parent_id for span in receiver.spans if span.name in case.messages} == {run_of_server.span_id}
    assert run_of_server.parent_id == "b7ad6b7169203331"
