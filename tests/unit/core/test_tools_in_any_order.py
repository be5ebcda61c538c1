"""Conversations with tools in threads of their own, in any order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from obs_run.core import sink, tool_windows
from obs_run.core.operations import AgentRun
from tests.unit.core.conftest import FakeSink
from tests.unit.core.conversations import ask, embed, start, told

ACTIONS = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 3)),
    st.tuples(st.just("work"), st.just(0)),
    st.tuples(st.just("tell"), st.integers(0, 2)),
    st.tuples(st.just("answer"), st.integers(0, 5)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), ACTIONS), max_size=40))
@example([(1, ("ask", 1)), (1, ("work", 0)), (1, ("tell", 0)), (1, ("ask", 1)), (1, ("work", 0))])
def test_any_interleaving(script: list[tuple[int, tuple[str, int]]]) -> None:
    """Of conversations in threads of their own, in any order: one span for each call that was answered and not told."""
    to = FakeSink()
    before, sink._chosen.sink = sink._chosen.sink, to
    tool_windows.windows.forget()
    pools = [ThreadPoolExecutor(1) for _ in range(3)]
    conversations = [Conversation(str(number)) for number in range(3)]
    try:
        for who, (action, number) in script:
            pools[who].submit(getattr(conversations[who], action), number).result()
        for pool, conversation in zip(pools, conversations, strict=True):
            pool.submit(conversation.end).result()
    finally:
        sink._chosen.sink = before
        tool_windows.windows.forget()
        for pool in pools:
            pool.shutdown()
    assert sorted(to.inferred()) == sorted(call for each in conversations for call in each.expected)
    assert to.lost() == []
    roots = {each.span_id: each.name for each in to.ended if not each.parent_id}
    for each in to.ended:
        if each.parent_id in roots and each.name.startswith("execute_tool"):
            # Each in its own conversation's tree, though all of them call the same tool.
            call_id = each.record.attributes.get("gen_ai.tool.call.id")
            assert call_id is None or roots[each.parent_id] == f"invoke_agent {call_id.partition('-')[0]}"


class Conversation:
    """An agent in a thread of its own, and what is expected to be inferred of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tool = f"tool{name}"
        self.asked = 0
        self.waiting: list[str] = []
        self.told: set[str] = set()
        self.has_children = False
        self.was_silent = self.may_stay_silent = False
        self.expected: list[str] = []
        self.run: Any = None

    def enter(self) -> None:
        if self.run is None:
            self.run = start(AgentRun(agent_name=self.name))
            self.run.__enter__()

    def ask(self, count: int) -> None:
        """Ask without results: what waited is over, and was a tool if it has children."""
        self.enter()
        self.was_silent = self.was_silent or bool(self.untold())
        self.close()
        self.calls(count)

    def answer(self, count: int) -> None:
        """Ask with the results of all calls, and be asked for others."""
        self.enter()
        results = self.waiting[::-1]
        self.expected += self.untold()
        self.expected += self.steps()
        # Where others told of all calls nobody waits for their results.
        self.was_silent = self.was_silent and not self.untold()
        self.forget()
        self.calls(count % 3, results)

    def calls(self, count: int, results: Any = ()) -> None:
        self.asked += 1
        self.may_stay_silent = self.was_silent
        self.waiting = [f"{self.name}-{self.asked}-{number}" for number in range(count)]
        ask(*((call, self.tool) for call in self.waiting), results=results, offered_tools=[self.tool])

    def work(self, _: int) -> None:
        self.enter()
        embed()
        if len(self.waiting) == 1 and not self.told and not self.may_stay_silent:
            self.has_children = True

    def tell(self, number: int) -> None:
        """Tell of a tool, by the id of its call or another one."""
        self.enter()
        call_id = self.waiting[number] if number < len(self.waiting) else f"{self.name}-unknown"
        told(self.tool, call_id)
        self.told.update([call_id] if call_id in self.waiting else self.untold()[:1])

    def untold(self) -> list[str]:
        """Return the calls of which only inference can tell."""
        return [call for call in self.waiting if call not in self.told]

    def close(self) -> None:
        if self.has_children and not self.told:
            self.expected += self.waiting
        self.expected += self.steps()
        self.forget()

    def steps(self) -> list[str]:
        """Return the empty ids of spans that became steps around the tool that was told of."""
        return [""] if self.has_children and self.told else []

    def forget(self) -> None:
        self.waiting, self.told, self.has_children = [], set(), False

    def end(self) -> None:
        self.enter()
        ask(offered_tools=[self.tool])
        self.close()
        self.run.__exit__()
        self.run.end()
