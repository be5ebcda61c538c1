"""Claude Agent SDK: the story of ``frameworks``, with a CLI that needs neither binary nor model."""

from __future__ import annotations

import dataclasses
import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.claude_agent_sdk import cli
from tests.instrumentors.frameworks import story
from tests.instrumentors.scenarios import Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "0.1.7"
_NO_BINARY = "--no-binary=claude-agent-sdk"
"""The wheels bring the CLI, of several hundred MB."""


class ClaudeAgents(story.Teller):
    """Agents that a CLI of the tests runs."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("claude_agent_sdk")
        self.cli = cli.kind()

    def options(self, *tools: Callable[..., Any], **more: Any) -> Any:
        """Return the options of an agent that has the tools in this process."""
        server = self.library.create_sdk_mcp_server(cli.SERVER, tools=[self.tool_of(each) for each in tools])
        agents = {story.AGENT: self.library.AgentDefinition(description="Knows things.", prompt="You travel.")}
        more = {"mcp_servers": {cli.SERVER: server}, "agents": agents, "extra_args": {"agent": story.AGENT}, **more}
        return self.library.ClaudeAgentOptions(**more)

    def tool_of(self, function: Callable[..., Any]) -> Any:
        """Return a function as a tool."""

        async def handler(arguments: dict[str, Any]) -> dict[str, Any]:
            returned = function(**arguments)
            said = await returned if inspect.isawaitable(returned) else returned
            return {"content": [{"type": "text", "text": said}]}

        make = self.library.tool(function.__name__, str(function.__doc__), {"city": str})
        return make(handler)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.options(*tools), self.cli(*[each.__name__ for each in tools])

    def stream(self, agent: Any) -> Any:
        options, transport = agent
        return self.library.query(prompt=self.questions(story.PROMPT), options=options, transport=transport)

    async def questions(self, *texts: str) -> AsyncIterator[dict[str, Any]]:
        """Give questions one by one: as texts, older releases tell them to the CLI alone that they start."""
        for text in texts:
            message = {"role": "user", "content": text}
            yield {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": ""}

    async def asking(self, agent: Any) -> Any:
        return [message async for message in self.stream(agent)]


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    told = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        "gen_ai.agent.description": "Knows things.",
        "gen_ai.conversation.id": cli.SESSION,
        "gen_ai.request.model": cli.MODEL,
        "gen_ai.usage.input_tokens": calls * cli.INPUT_TOKENS,
        **others,
    }
    if "obs.outcome" not in others:
        # The CLI tells them as a turn ends.
        told["gen_ai.usage.output_tokens"] = calls * cli.OUTPUT_TOKENS
        told["gen_ai.response.finish_reasons"] = ("stop",)
    return told


CONTENT = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": story.PROMPT}]}],
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "text", "content": cli.ANSWER}], "finish_reason": "stop"}
    ],
}


def _as_asked(node: Node) -> Node:
    """Return a tree with the tools' names as the model knows them, and the errors that it is told of."""
    attributes = dict(node.attributes)
    name, tool = node.name, attributes.get("gen_ai.tool.name")
    if tool is not None:
        attributes["gen_ai.tool.name"] = f"mcp__{cli.SERVER}__{tool}"
        name = f"execute_tool mcp__{cli.SERVER}__{tool}"
    if attributes.get("obs.response.tool_calls"):
        attributes["obs.response.tool_calls"] = tuple(
            f"mcp__{cli.SERVER}__{each}" for each in attributes["obs.response.tool_calls"]
        )
    if "error.type" in attributes:
        attributes["error.type"] = "tool_error"
    children = map(_as_asked, node.children)
    return Node(name, *children, kind=node.kind, status=node.status, attributes=attributes)


def _told(scenario: Scenario) -> Scenario:
    shape = tuple(map(_as_asked, scenario.shape))
    if scenario.name != "a tool fails":
        return dataclasses.replace(scenario, shape=shape)
    # Of an exception the model is told the text alone; older releases do not even say that it is one.
    return dataclasses.replace(scenario, shape=shape, failures=0, unless=(OLDEST,))


LIBRARY = Library(
    name="claude-agent-sdk",
    instrumentor="obs_instrumentors.claude_agent_sdk",
    beside=("obs_instrumentors.mcp",),
    environments={
        OLDEST: (f"claude-agent-sdk=={OLDEST}", "mcp<2", _NO_BINARY),
        "newest": ("claude-agent-sdk>=0.2.189", _NO_BINARY),
    },
    driver=ClaudeAgents,
    kinds=("async",),
    traces_itself=("newest",),
    more=("more.py",),
    scenarios=tuple(
        _told(scenario)
        for scenario in story.stories(
            "",
            attributes,
            content=CONTENT,
            without=("hand-off", "a tool fails the agent", "interrupted"),
        )
    ),
)
