"""What agents of every framework must do besides the story: budgets, a real client, content of tools, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from obs_run.base.json_text import from_json
from tests.instrumentors.frameworks import stopping, story
from tests.instrumentors.frameworks.answers import CITY, CLIENTS_MODEL
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Mapping

WAYS = pytest.mark.parametrize("way", ["whole", "stream"])


class BudgetTests:
    """What a budget does. ``its`` is the driver, a fixture of the module, here and below."""

    raises_budgets: ClassVar[bool] = True
    """Whether what a run fails with is raised, and not returned."""

    def test_a_budget_stops_a_run(self, its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        stopping.assert_stops_a_run(its, telemetry, monkeypatch, is_raised=self.raises_budgets)


class AgentTests(BudgetTests):
    """All of the tests; a framework's own class says where it differs."""

    client: ClassVar[Mapping[str, Any]] = {"is_faked": False}
    """What the driver uses so that OpenAI's client asks the stub."""
    told_by_client: ClassVar[Mapping[str, Any]] = {}
    """What the client's calls tell besides."""

    @WAYS
    def test_the_client_tells_each_call_once(self, way: str, its: Any, telemetry: Any) -> None:
        its.using(**self.client)
        agent = self.agent_for(way, its)
        if way == "stream":
            its.read(its.stream(agent))
        else:
            its.ask(agent)
        told = {
            "gen_ai.response.model": f"{CLIENTS_MODEL}-2025-08-07",
            "openai.api.type": "chat_completions",
            "gen_ai.request.stream": True if self.streams(way) else None,
            **self.told_by_client,
        }
        chat = Node(f"chat {CLIENTS_MODEL}", kind="CLIENT", status="UNSET", attributes=told)
        assert_trees(telemetry.spans(), *self.tree_of(chat))
        (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
        assert tool.attributes["gen_ai.tool.call.id"].startswith("call_")

    def test_tools_tell_arguments_and_results(self, with_content: None, its: Any, telemetry: Any) -> None:
        # Some libraries read once, as they are instrumented, whether content is wanted.
        assert with_content is None
        its.ask(its.agent(story.weather))
        (tool,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
        assert from_json(tool.attributes["gen_ai.tool.call.arguments"]) == CITY
        assert tool.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"

    def agent_for(self, way: str, its: Any) -> Any:
        """Return the agent that is asked in a way."""
        assert way
        return its.agent(story.weather)

    def streams(self, way: str) -> bool:
        """Whether the framework has the client stream."""
        return way == "stream"

    def tree_of(self, chat: Node) -> tuple[Node, ...]:
        """Return what is recorded of one agent with one tool."""
        return (story.agent(chat, story.tool("weather"), chat),)
