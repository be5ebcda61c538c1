"""Agents that services keep, by their ids: what they were said to be when they were made or asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs_run.base import guard
from obs_run.base.latest import Latest
from obs_run.base.stand_in import no_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import RemoteAgentRun

__all__ = ["HostedAgent", "name_agent", "note_agent", "wrap_answer"]


class HostedAgent(NamedTuple):
    """What is known of an agent beside its id."""

    name: str | None
    model: str | None = None
    """Only where all of the agent's calls go to one model."""


_agents: Latest[HostedAgent] = Latest(1000)


def note_agent(agent_id: str, agent: HostedAgent) -> None:
    """Take note of an agent."""
    _agents.keep(agent_id, agent)


def name_agent(operation: RemoteAgentRun) -> None:
    """Say on the run of an agent, of which the request has the id only, what is known of the agent."""
    agent = None if operation.agent_id is None else _agents.get(operation.agent_id)
    if agent is not None:
        operation.agent_name = operation.agent_name or agent.name
        operation.request_model = operation.request_model or agent.model


def wrap_answer(note: Callable[[Any], None]) -> Wrapper:
    """Return the wrapper of the function that a client's answers pass; ``note`` is given each."""

    def wrapper(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            returned = wrapped(*args, **kwargs)
        guard.call("result", note, returned)
        return returned

    return wrapper
