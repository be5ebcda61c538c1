"""Agents that the server keeps, and tools that it runs without asking a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, hosted_agents, messages
from obs_run.core.hosted_agents import HostedAgent
from obs_run.core.operations import AgentCreation, ToolCall
from obs_run.core.operations.tools import TOOL_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENT_STATE = "AgentState"


@dataclass(eq=False, repr=False)
class Creation(AgentCreation):
    """An agent that is made."""

    def read_path(self, _following: Mapping[str, str], _params: Mapping[str, Any]) -> None:
        """Leave it at the body."""


@dataclass(eq=False, repr=False)
class ToolRun(ToolCall):
    """A tool of an agent that the client has run."""

    def read_path(self, following: Mapping[str, str], _params: Mapping[str, Any]) -> None:
        """Read which tool it is, of which agent."""
        self.tool_name = following.get("tools")
        self.agent_id = following.get("agents")


def _parse_creation(body: dict[str, Any]) -> Creation:
    operation = Creation(
        agent_name=payload.as_text(body.get("name")),
        agent_description=payload.as_text(body.get("description")),
        request_model=payload.as_text(body.get("model")),
    )
    system = payload.as_text(body.get("system"))
    if content.wanted() and system is not None:
        operation.system_instructions = [messages.text(system)]
    return operation


def _read_creation(operation: Creation, state: Any) -> None:
    """Read an AgentState; the server gives a name to who has none."""
    operation.agent_id = payload.get_text(state, "id")
    operation.agent_name = payload.get_text(state, "name") or operation.agent_name


def note_agents(answer: Any) -> None:
    """Take note of the agents that an answer, or a page of it, tells of: requests have only their ids."""
    # Each piece of a stream passes here, and its class takes long to say what it does not have.
    is_page = "Page" in type(answer).__name__
    for state in payload.get_list(answer, "items") if is_page else [answer]:
        agent_id = payload.get_text(state, "id") if type(state).__name__ == _AGENT_STATE else None
        if agent_id is not None:
            agent = HostedAgent(payload.get_text(state, "name"), payload.get_text(state, "model"))
            hosted_agents.note_agent(agent_id, agent)


def _parse_tool_run(body: dict[str, Any]) -> ToolRun:
    operation = ToolRun()
    if content.wanted():
        operation.arguments = body.get("args")
    return operation


def _read_tool_run(operation: ToolRun, result: Any) -> None:
    """Read a ToolExecutionResult."""
    if payload.get(result, "status") == "error":
        operation.error_type = TOOL_ERROR
    if content.wanted():
        operation.result = payload.get(result, "func_return")


ENDPOINTS = {
    "agents": {"post": Endpoint(_parse_creation, _read_creation)},
    "agents/*/tools/*/run": {"post": Endpoint(_parse_tool_run, _read_tool_run)},
}
