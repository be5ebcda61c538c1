"""Which agent of a team is at work, of which the library has no spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import ownership

from . import runs
from .recordings import Begun, current_key, end_member, ongoing, workflow_around

if TYPE_CHECKING:
    from obs_run.core.callback_runs import Run
    from obs_run.core.operations import Handoff
    from obs_run.core.outcomes import Call


def change_member(team: Run, begun: Begun, name: str | None) -> None:
    """Have the run of a team's agent begin where the team asks another one than before."""
    member = team.about.member
    if name is None or begun.name == "init_run" or (member is not None and member[0] == name):
        return
    end_member(team, None)
    operation = runs.agent(payload.get(team.about.instance, "agents", name))
    if member is None:
        runs.take_over(operation, payload.get(team.recording, "operation"))
    key = team.about.key, team.about.steps, name
    team.about.member = name, key
    ongoing.start(key, team.about.key, operation, Begun(key, name, None))


def note_agent(call: Call) -> None:
    """Note which agent of a team has the tools that it is asked for; of a run that is resumed nothing else tells it."""
    run = ongoing.get(current_key())
    team = None if run is None else workflow_around(run)
    if run is None or team is None or team.about.member is not None or run.about.name != "call_tool":
        return
    change_member(team, run.about, payload.as_text(call.argument(0, "agent_name")))
    if team.about.member is not None:
        member = ongoing.get(team.about.member[1])
        run.recording = run.recording if member is None else member.recording


def handoff(step: Run | None, event: Any) -> Handoff | None:
    """Return the hand-off that a tool's call is, and have the agent that hands over be done."""
    team = workflow_around(step)
    if step is None or team is None or team.about.member is None:
        return None
    operation = runs.handoff(team.about.instance, team.about.member[0], event)
    agent = None if operation is None else ownership.agent_around(step.recording)
    if agent is not None:
        agent.outcome = "handoff"
    return operation
