"""Agents that speak by NATS, each under obs-run: one trace in the real Jaeger, and the graph of who speaks to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends import waiting
from tests.e2e.backends.nats import nats_server
from tests.launch import environments, fleet
from tests.launch.test_nats import SAID, SOURCES, agents_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.e2e.backends.servers import Backends

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # environment and backends may have to be made first
EDGES = {("asking", "coordinator"), ("coordinator", "worker"), ("coordinator", "archive")}


def test_a_fleet_is_one_trace_and_a_graph(backend_tool: FindTool, backends: Backends, tmp_path: Path) -> None:
    backend_tool("nats-server")
    with nats_server(tmp_path) as address:
        place = environments.environment("nats")
        assert fleet.talk(place, backends.collector.otlp_http, tmp_path, agents_at(address), SOURCES) == SAID
    asked = [span for span in backends.jaeger.find("asking") if span.name == "request coordinator"]
    [trace_id] = {span.trace_id for span in asked}
    # The run of who asks; of each request its own, four of the coordinator, one of the worker, two of the archive.
    spans = backends.jaeger.trace(trace_id, 1 + 3 * 8)
    assert {span.resource["service.name"] for span in spans} == set(SOURCES)
    waiting.until(lambda: backends.jaeger.calls() >= EDGES, "the graph of services in Jaeger")
