"""One story for all frameworks of agents, and the trees in which each of them must tell it.

A framework's driver makes the agents and asks them; what is asked, and what must come of it, stands here. The trees are
in the normal form of ``trees.assert_shapes``: a framework may have steps and workflows around, and no more.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROMPT = "What is it like in Lisbon?"
AGENT = "traveller"
SECOND = "booker"
CONVERSATION = "trip-1"
TIMEOUT = 20
PARTS = (
    "two tools",
    "stream",
    "tools at the same time",
    "hand-off",
    "a tool fails",
    "a tool fails the agent",
    "cancelled",
    "one after the other",
    "two at once",
    "in a thread",
    "interrupted",
)
"""The names of the story's scenarios."""


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


def population(city: str) -> str:
    """Tell how many live in a city."""
    return f"half a million in {city}"


def broken(city: str) -> str:
    """Fail."""
    raise ValueError(f"nobody knows {city}")


class Meeting:
    """Two tools, each of which waits for the other: called one after the other they fail."""

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

    async def _meet(self) -> None:
        if self._both is not None:
            await asyncio.wait_for(self._both.wait(), TIMEOUT)

    def tools(self) -> tuple[Callable[..., Any], ...]:
        """Return the tools, which are coroutine functions."""

        async def weather(city: str) -> str:
            """Tell the weather of a city."""
            await self._meet()
            return f"rain in {city}"

        async def population(city: str) -> str:
            """Tell how many live in a city."""
            await self._meet()
            return f"half a million in {city}"

        return weather, population


class Waiting:
    """A tool that takes longer than anybody waits."""

    def __init__(self) -> None:
        self.has_started = asyncio.Event()

    def tool(self) -> Callable[..., Any]:
        """Return the tool, a coroutine function."""

        async def slow(city: str) -> str:
            """Take longer than anybody waits."""
            self.has_started.set()
            await asyncio.sleep(TIMEOUT)
            return city

        return slow


def book(city: str) -> str:
    """Book a journey."""
    return f"booked {city}"


class Teller(Driver):
    """A framework that tells the story, with its models faked or behind the stub."""

    is_faked = True

    def using(self, *_: Any, **chosen: Any) -> Any:
        """Return the driver for what is chosen of the ways in which it tells the story: models, kinds of agents."""
        for name, value in chosen.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        return self

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        """Return the first agent, which has the tools and calls each of them once, all in one turn."""
        raise NotImplementedError

    def team(self) -> Any:
        """Return what is asked where the first agent hands over to the second."""
        raise NotImplementedError

    def asking(self, agent: Any) -> Any:
        """Ask and return the answer, or what is to be awaited for it."""
        raise NotImplementedError

    def stream(self, agent: Any) -> Any:
        """Ask and return the stream of what happens."""
        raise NotImplementedError

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Return what asks an agent whose tool wants to be allowed something, and what goes on with the permission."""
        raise NotImplementedError

    def ask(self, agent: Any) -> Any:
        """Ask and return the answer."""
        return self.run(self.asking(agent))

    def ask_twice_at_once(self) -> list[Any]:
        """Ask two agents at the same time."""
        agents = [self.agent(weather), self.agent(weather)]
        if self.loop is not None:

            async def both() -> list[Any]:
                return await asyncio.gather(*map(self.asking, agents))

            return list(self.loop.run_until_complete(both()))
        answers: list[Any] = [None, None]

        def ask(number: int) -> None:
            answers[number] = self.asking(agents[number])

        self.in_threads([lambda: ask(0), lambda: ask(1)])
        return answers

    def in_threads(self, calls: list[Callable[[], Any]]) -> None:
        """Run calls, each in a thread of its own."""
        threads = [threading.Thread(target=call) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask_in_a_thread(self) -> Any:
        """Ask in another thread."""
        answers: list[Any] = []
        agent = self.agent(weather)
        self.in_threads([lambda: answers.append(self.ask(agent))])
        return answers

    def ask_and_cancel(self) -> None:
        """Ask, and cancel it when the tool is at work."""
        waiting = Waiting()
        agent = self.agent(waiting.tool())

        async def cancelling() -> None:
            task = asyncio.ensure_future(self.asking(agent))
            await asyncio.wait_for(waiting.has_started.wait(), TIMEOUT)
            task.cancel()
            await task

        self.run(cancelling())

    def ask_and_allow(self) -> list[Any]:
        """Ask an agent that is interrupted for a permission, and give it."""
        ask, go_on = self.asking_first()
        return [self.run(ask()), self.run(go_on())]


def agent(*children: Node, status: str = "UNSET", name: str = AGENT, **attributes: Any) -> Node:
    """Return an agent's run."""
    told = {"gen_ai.agent.name": name, **{each.replace("__", "."): value for each, value in attributes.items()}}
    return Node(f"invoke_agent {name}", *children, kind="INTERNAL", status=status, attributes=told)


def chat(*tools: str) -> Node:
    """Return a model call, with which the model asks for tools."""
    return Node("chat", kind="CLIENT", status="UNSET", attributes={"obs.response.tool_calls": tools or None})


def tool(name: str, status: str = "UNSET", **attributes: Any) -> Node:
    """Return a tool's run."""
    told = {"gen_ai.tool.name": name, **{each.replace("__", "."): value for each, value in attributes.items()}}
    return Node(f"execute_tool {name}", kind="INTERNAL", status=status, attributes=told)


_HANDOFF = Node(
    f"handoff {SECOND}",
    kind="INTERNAL",
    attributes={"gen_ai.agent.name": AGENT, "obs.handoff.to_agent": SECOND},
)
ONE_TOOL = agent(chat("weather"), tool("weather"), chat())
TWO_TOOLS = agent(chat("weather", "population"), tool("population"), tool("weather"), chat())


def team_by(tool_name: str) -> Node:
    """Return the run of two agents, the first of which hands over by a tool of that name."""
    return Node(
        "invoke_workflow",
        agent(chat(tool_name), _HANDOFF, obs__outcome="handoff"),
        agent(chat(), name=SECOND),
        kind="INTERNAL",
        status="UNSET",
    )


CANCELLED = agent(chat("slow"), tool("slow", obs__outcome="cancelled"), obs__outcome="cancelled")
HANDLED = agent(chat("broken"), tool("broken", "ERROR", error__type="ValueError"), chat())
FAILED = agent(chat("broken"), tool("broken", "ERROR", error__type="ValueError"), status="ERROR")
INTERRUPTED = agent(chat("book"), tool("book", obs__outcome="interrupted"), obs__outcome="interrupted")
RESUMED = agent(tool("book"), chat(), obs__resumed=True)


def stories(
    prefix: str,
    attributes: Callable[..., Mapping[str, Any]],
    *,
    prepare: Callable[[Any], Any] = lambda its: its,
    content: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] | None = None,
    error: str = "ValueError",
    failures: int = 1,
    stream_kinds: tuple[str, ...] = ("sync", "async"),
    never_interrupted: tuple[str, ...] = (),
    never_failed: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    hands_over_by: str = f"transfer_to_{SECOND}",
    instead: Mapping[str, tuple[int, tuple[Node, ...]]] | None = None,
    **more: Any,
) -> tuple[Scenario, ...]:
    """Return the story's scenarios for a framework.

    ``attributes(calls, **others)`` are those of the first agent's span, whose model answered ``calls`` times.
    ``content`` is what it has of texts where one tool was called.
    ``error`` is what the agent sees of a tool's ValueError.
    ``failures`` is how many exceptions that makes: two, where what the agent sees is raised by itself later.
    ``stream_kinds`` are the kinds of drivers that can stream.
    ``never_interrupted`` are the labels of environments whose release asks nobody for a permission.
    ``never_failed`` are those whose release lets no tool fail an agent.
    ``without`` are the names of what no release can do.
    ``hands_over_by`` is what the model calls to hand over.
    ``instead`` has trees in the place of some, and how often the model answers there: not every framework has its model
    ask for tools in one turn.
    ``prepare(driver)`` gives the driver that tells it; ``more`` is what the scenarios have besides.
    """

    def told(name: str, call: Callable[[Any], Any], *shape: Node, **details: Any) -> Scenario:
        calls, shape = (instead or {}).get(name, (details.pop("calls", 2), shape))
        details.pop("calls", None)
        wanted = attributes(calls, **details.pop("attributes", {}))
        return Scenario(
            f"{prefix}{name}",
            lambda its: call(prepare(its)),
            f"invoke_agent {AGENT}",
            wanted,
            shape=shape,
            **{**more, **details},
        )

    told_all = (
        told("two tools", lambda its: its.ask(its.agent(weather, population)), TWO_TOOLS),
        told("stream", lambda its: its.read(its.stream(its.agent(weather))), ONE_TOOL, kinds=stream_kinds),
        told(
            "tools at the same time",
            lambda its: its.ask(its.agent(*Meeting().tools())),
            TWO_TOOLS,
            kinds=("async",),
        ),
        told(
            "hand-off",
            lambda its: its.ask(its.team()),
            team_by(hands_over_by),
            calls=1,
            attributes={"obs.outcome": "handoff"},
        ),
        told("a tool fails", lambda its: its.ask(its.agent(broken)), HANDLED, failures=1),
        told(
            "a tool fails the agent",
            lambda its: its.ask(its.agent(broken, handles_errors=False)),
            FAILED,
            calls=1,
            error=error,
            failures=failures,
            attributes={"error.type": error},
            unless=(*more.get("unless", ()), *never_failed),
        ),
        told(
            "cancelled",
            lambda its: its.ask_and_cancel(),
            CANCELLED,
            calls=1,
            kinds=("async",),
            error="CancelledError",
            failures=0,
            attributes={"obs.outcome": "cancelled"},
        ),
        told(
            "one after the other",
            lambda its: [its.ask(its.agent(weather)), its.ask(its.agent(weather))],
            ONE_TOOL,
            ONE_TOOL,
        ),
        told("two at once", lambda its: its.ask_twice_at_once(), ONE_TOOL, ONE_TOOL),
        told("in a thread", lambda its: its.ask_in_a_thread(), ONE_TOOL, content=content),
        told(
            "interrupted",
            lambda its: its.ask_and_allow(),
            INTERRUPTED,
            RESUMED,
            calls=1,
            attributes={"obs.outcome": "interrupted"},
            unless=(*more.get("unless", ()), *never_interrupted),
        ),
    )
    assert set(without) <= set(PARTS)
    return tuple(scenario for scenario in told_all if scenario.name.removeprefix(prefix) not in without)
