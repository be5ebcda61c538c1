"""Agents that services keep, and the tools that they ran there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context

from obs_run.base.latest import Latest
from obs_run.core import hosted_agents, recorder
from obs_run.core.hosted_agents import HostedAgent
from obs_run.core.operations import AgentRun, ExecutedTool, RemoteAgentRun

if TYPE_CHECKING:
    from tests.unit.core.conftest import FakeSink

SECOND = 1_000_000_000


def start(operation: Any, parent: Context) -> recorder.Recording:
    recording = recorder.start(operation, parent)
    assert isinstance(recording, recorder.Recording)
    return recording


def test_tools_that_a_service_ran_are_inside_of_the_run(fake: FakeSink) -> None:
    outer = start(AgentRun(agent_name="outer"), Context())
    run = start(RemoteAgentRun(agent_id="a-1", agent_name="guide", provider="letta"), outer.context)
    now = recorder.now()
    failed = ExecutedTool(tool_name="hotels", error_type="tool_error")
    run.operation.executed_tools += [  # type: ignore[attr-defined]
        ExecutedTool(tool_name="weather", call_id="c-1", begun=now - 3 * SECOND, over=now - SECOND),
        failed,
    ]
    run.end()
    outer.end()
    assert fake.trees() == ["invoke_agent outer(invoke_agent guide(execute_tool weather execute_tool hotels))"]
    weather, hotels, *_ = fake.ended
    assert weather.record.kind == "ExecutedTool"
    assert weather.record.attributes["gen_ai.agent.name"] == "guide"
    assert 1.9 < weather.record.timing.duration < 2.1
    assert hotels.record.timing.duration < 1
    assert hotels.record.error is not None
    assert outer.operation.attributes()["gen_ai.agent.name"] == "outer"
    assert [each.record.attributes.get("obs.run.tool_calls") for each in fake.ended if each.name.endswith("outer")] == [
        2
    ]


def test_a_run_has_the_name_that_its_agent_was_told_to_have() -> None:
    hosted_agents.note_agent("a-2", HostedAgent("guide", "gpt-5-mini"))
    known, named, unknown = RemoteAgentRun(agent_id="a-2"), RemoteAgentRun(agent_id="a-2"), RemoteAgentRun()
    named.agent_name, named.request_model = "mine", "other"
    for run in (known, named, unknown):
        hosted_agents.name_agent(run)
    told = [(run.agent_name, run.request_model) for run in (known, named, unknown)]
    assert told == [("guide", "gpt-5-mini"), ("mine", "other"), (None, None)]


def test_the_oldest_notes_make_room() -> None:
    latest: Latest[int] = Latest(2)
    assert [latest.keep(key, number) for number, key in enumerate("aba")] == [None, None, 0]
    latest.keep("c", 3)
    assert [latest.get(key) for key in "abc"] == [2, None, 3]


def test_any_thread_may_note() -> None:
    latest: Latest[int] = Latest(10)

    def note(thread: int) -> None:
        for number in range(2000):
            latest.keep((thread, number), number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(4)))
    assert len(latest._values) <= 14
