"""Agents that speak with each other over a hub, and hand over to each other."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.instrumentors.ag2.more import CHAT, its
from tests.instrumentors.frameworks import story
from tests.instrumentors.trees import Node, assert_trees

__all__ = ["its"]


async def speak(its: Any, *tools: Any) -> str:
    """Have somebody ask the first agent, which may hand over to the second; return the id of their channel."""
    network = import_module(f"{its.package}.network")
    transitions = import_module(f"{its.package}.network.transitions")
    store = import_module(f"{its.package}.knowledge").MemoryKnowledgeStore()
    hub = await network.Hub.open(store)
    agents = [its.named(story.AGENT, *tools), its.named(story.SECOND), its.named("asker")]
    first, _, asker = [await hub.register(agent, attach_plugin=False) for agent in agents]
    asked = transitions.Transition(
        when=transitions.FromSpeaker(asker.agent_id), then=transitions.AgentTarget(first.agent_id)
    )
    graph = transitions.TransitionGraph(
        initial_speaker=asker.agent_id, transitions=[asked], default_target=transitions.TerminateTarget()
    )
    to = [story.AGENT, story.SECOND]
    channel = await asker.open(type="workflow", target=to, knobs={"graph": graph.to_dict()})
    await channel.send(story.PROMPT)

    await asyncio.wait_for(_closed(hub, channel.channel_id), story.TIMEOUT)
    await hub.close()
    return str(channel.channel_id)


async def _closed(hub: Any, channel_id: str) -> None:
    while not (await hub.get_channel(channel_id)).is_terminal():  # noqa: ASYNC110 (of a hub's there is no event)
        await asyncio.sleep(0.01)


def test_an_agent_hands_over_to_another(its: Any, telemetry: Any) -> None:
    handoff = import_module(f"{its.package}.network").Handoff

    def transfer_to_booker(city: str) -> Any:
        """Hand over to somebody who knows a city."""
        return handoff(target=story.SECOND, reason=city)

    channel = its.run(speak(its, transfer_to_booker))
    told = {"gen_ai.agent.name": story.AGENT, "obs.handoff.to_agent": story.SECOND}
    tool = Node("execute_tool transfer_to_booker", Node(f"handoff {story.SECOND}", attributes=told), status="UNSET")
    first = story.agent(CHAT, tool, CHAT, obs__outcome="handoff")
    assert_trees(telemetry.spans(), first, story.agent(CHAT, name=story.SECOND))
    runs = [span for span in telemetry.spans() if span.name.startswith("invoke_agent")]
    assert {span.attributes["gen_ai.conversation.id"] for span in runs} == {channel}
