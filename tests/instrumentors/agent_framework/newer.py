"""What the oldest supported release of Agent Framework does not have: hand-offs, and spans of calls of MCP servers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agent_framework.library import LIBRARY
from tests.instrumentors.frameworks import story
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    assert telemetry is not None
    stub.reset()
    driver: Any = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


def test_an_agent_hands_over(its: Any, telemetry: Any) -> None:
    agents = [its.named(name, require_per_service_call_history_persistence=True) for name in ("first", "second")]
    builder = import_module("agent_framework_orchestrations").HandoffBuilder(name="support", participants=agents)
    made = builder.with_start_agent(agents[0]).add_handoff(agents[0], [agents[1]]).build()

    async def run() -> None:
        await made.run(story.PROMPT)

    its.run(run())
    (handoff,) = [span for span in telemetry.spans() if span.name.startswith("handoff")]
    assert handoff.name == "handoff second"
    assert (handoff.attributes["gen_ai.agent.name"], handoff.attributes["obs.handoff.to_agent"]) == ("first", "second")
    steps = [span for span in telemetry.spans() if span.context.span_id == handoff.parent.span_id]
    assert [span.name for span in steps] == ["step first"]


def test_a_call_of_an_mcp_server_is_left_to_the_sdk(its: Any, telemetry: Any) -> None:
    observability = import_module("agent_framework.observability")

    async def ask(city: str) -> str:
        """Ask a server."""
        told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask"}
        with observability.create_mcp_client_span("tools/call", "ask", told) as span:
            observability.set_mcp_span_error(span, "tool_error")
        return city

    its.ask(its.agent(ask))
    chat = Node("chat faked-1")
    assert_trees(telemetry.spans(), story.agent(chat, story.tool("ask"), chat))
