"""AG2's classic agents, of the package ``autogen``: the story of ``frameworks``, with a model client of the user's."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

from obs_run.context import threads
from tests.instrumentors.frameworks import story
from tests.instrumentors.scenarios import Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "faked-1"
CLIENTS_MODEL = "gpt-5-mini"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
OLDEST = "0.9"
ANSWER = "It rains. TERMINATE"
SYSTEM = "Be brief."
USER = "user"
_numbers = count()


class Classic(story.Teller):
    """Agents that chat, with a client of the user's own, or with the library's for OpenAI behind the stub."""

    is_faked = True

    def using(self, *, is_faked: bool) -> Classic:
        """Return the driver for one kind of models."""
        self.is_faked = is_faked
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("autogen")
        # Models are asked in threads where agents are awaited, into which the launcher has the context carried.
        threads.install()

    def model(self, **more: Any) -> dict[str, Any]:
        """Return the configuration of a model; nothing that it answers is kept for the next call."""
        told = {"model": CLIENTS_MODEL, "api_key": "none", "base_url": self.stub.url}
        if self.is_faked:
            told = {"model": MODEL, "model_client_cls": "FakedClient"}
        return {"config_list": [{**told, **more}], "cache_seed": None}

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        told = {"system_message": SYSTEM, "description": "Knows things.", "human_input_mode": "NEVER"}
        kind = agent_kind() if self.is_faked else self.library.ConversableAgent
        agent = kind(name, **{"llm_config": self.model(), **told, **more})
        for tool in tools:
            agent.register_for_llm(description=tool.__doc__)(tool)
        return agent

    def user(self, *tools: Callable[..., Any], **more: Any) -> Any:
        told = {"llm_config": False, "human_input_mode": "NEVER", "code_execution_config": False}
        user = self.library.UserProxyAgent(USER, **{**told, "is_termination_msg": _is_last, **more})
        for tool in tools:
            user.register_for_execution()(tool)
        return user

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.user(*tools), self.named(story.AGENT, *tools)

    def asking(self, agent: Any, **more: Any) -> Any:
        user, other = agent
        told = {"message": story.PROMPT, "silent": True, "max_turns": 3, **more}
        if self.loop is None:
            return user.initiate_chat(other, **told).summary
        return self.answer(user.a_initiate_chat(other, **told))

    async def answer(self, asked: Any) -> Any:
        """Wait for a chat, and return what came of it."""
        return (await asked).summary

    def team(self) -> Any:
        group = import_module("autogen.agentchat.group")
        pattern_kind = import_module("autogen.agentchat.group.patterns").DefaultPattern
        first, second = self.named(story.AGENT), self.named(story.SECOND)
        first.handoffs.add_llm_condition(
            group.OnCondition(target=group.AgentTarget(second), condition=group.StringLLMCondition(prompt="Hand over."))
        )
        pattern = pattern_kind(initial_agent=first, agents=[first, second], group_after_work=group.TerminateTarget())
        return None, pattern

    def ask(self, agent: Any) -> Any:
        if agent[0] is not None:
            return super().ask(agent)
        chat = import_module("autogen.agentchat")
        told = {"pattern": agent[1], "messages": story.PROMPT, "max_rounds": 6}
        if self.loop is None:
            return chat.initiate_group_chat(**told)[0].summary
        return self.run(chat.a_initiate_group_chat(**told))[0].summary


@cache
def agent_kind() -> Any:
    """Return the kind of agents that register their model's client with each wrapper that the library makes anew."""
    base: Any = import_module("autogen").ConversableAgent

    class FakedAgent(base):  # type: ignore[misc]  # a class of the library's
        @property
        def client(self) -> Any:
            return self.faked_client

        @client.setter
        def client(self, wrapper: Any) -> None:
            self.faked_client = wrapper
            if wrapper is not None:
                wrapper.register_model_client(faked_kind())

    return FakedAgent


def _is_last(message: Any) -> bool:
    return "TERMINATE" in str(message.get("content"))


@cache
def faked_kind() -> Any:
    """Return a model's client such as users register, which needs no server."""

    class FakedClient:
        """Calls each tool once, all in its first turn, and then answers."""

        def __init__(self, config: Any, **_: Any) -> None:
            self._model = config["model"]

        def create(self, params: Any) -> Any:
            has_called = any(each.get("role") == "tool" for each in params["messages"])
            tools = [] if has_called else params.get("tools", [])
            names = [tool["function"]["name"] for tool in tools]
            calls = [_call(name) for name in names]
            message = SimpleNamespace(content=None if calls else ANSWER, tool_calls=calls or None, function_call=None)
            choice = SimpleNamespace(message=message, finish_reason="tool_calls" if calls else "stop")
            return SimpleNamespace(
                choices=[choice], model=f"{self._model}-today", cost=0, message_retrieval_function=None
            )

        def message_retrieval(self, response: Any) -> Any:
            message = response.choices[0].message
            if not message.tool_calls:
                return [message.content]
            return [{"role": "assistant", "content": None, "tool_calls": list(map(_as_dict, message.tool_calls))}]

        def cost(self, _: Any) -> float:
            return 0

        @staticmethod
        def get_usage(response: Any) -> Any:
            return {
                "prompt_tokens": INPUT_TOKENS,
                "completion_tokens": OUTPUT_TOKENS,
                "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
                "cost": 0,
                "model": response.model,
            }

    return FakedClient


def _call(name: str) -> Any:
    arguments = {} if name.startswith("transfer") else {"city": "Lisbon"}
    function = SimpleNamespace(name=name, arguments=json.dumps(arguments))
    # As of any provider's no two have the same.
    return SimpleNamespace(id=f"call_{name}_{next(_numbers)}", type="function", function=function)


def _as_dict(call: Any) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": dict(vars(call.function))}


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        "gen_ai.agent.description": "Knows things.",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": calls * INPUT_TOKENS,
        "gen_ai.usage.output_tokens": calls * OUTPUT_TOKENS,
        **others,
    }


def chat(*replies: Node, **told: Any) -> Node:
    """Return a chat with the agents' replies."""
    return Node("invoke_workflow", *replies, kind="INTERNAL", **{"status": "UNSET", **told})


def user(*tools: Node, **told: Any) -> Node:
    """Return what the user's agent does."""
    return story.agent(*tools, name=USER, **told)


def turn(*tools: Node) -> Node:
    """Return a chat in which an agent asks for tools, the user's runs them, and the agent answers."""
    names = [each.name.removeprefix("execute_tool ") for each in tools]
    asked = [name for name in ("weather", "population", *names) if name in names]
    return chat(story.agent(story.chat(*dict.fromkeys(asked))), user(*tools), story.agent(story.chat()), user())


_ONE = turn(story.tool("weather"))
_TWO = turn(story.tool("population"), story.tool("weather"))
_HANDLED = turn(story.tool("broken", "ERROR", error__type="tool_error"))
_CANCELLED = chat(
    story.agent(story.chat("slow")),
    user(story.tool("slow", obs__outcome="cancelled"), obs__outcome="cancelled"),
)
_HANDED = Node(f"handoff {story.SECOND}", kind="INTERNAL", attributes={"obs.handoff.to_agent": story.SECOND})
_TEAM = chat(
    story.agent(story.chat("transfer_to_booker_1")),
    story.tool("transfer_to_booker_1"),
    _HANDED,
    story.agent(story.chat(), name=story.SECOND),
)
_INSTEAD = {
    "two tools": (1, (_TWO,)),
    "tools at the same time": (1, (_TWO,)),
    "hand-off": (1, (_TEAM,)),
    "a tool fails": (1, (_HANDLED,)),
    "cancelled": (1, (_CANCELLED,)),
    "one after the other": (1, (_ONE, _ONE)),
    "two at once": (1, (_ONE, _ONE)),
    "in a thread": (1, (_ONE,)),
}
_CALL = {"type": "tool_call", "id": ANY, "name": "weather", "arguments": '{"city": "Lisbon"}'}
CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
    "gen_ai.input.messages": [
        {"role": "user", "parts": [{"type": "text", "content": story.PROMPT}], "name": USER},
    ],
    "gen_ai.output.messages": [{"role": "assistant", "parts": [_CALL], "finish_reason": "tool_call"}],
}


def _as_here(scenario: Scenario) -> Scenario:
    """Return a scenario as it is where an agent's reply is its run, and a tool's exception is a text at once."""
    failures = 0 if scenario.name == "a tool fails" else scenario.failures
    told: Any = scenario.attributes
    told = {name: value for name, value in told.items() if name != "obs.outcome"}
    return dataclasses.replace(scenario, failures=failures, attributes=told)


LIBRARY = Library(
    name="autogen",
    instrumentor="obs_instrumentors.ag2",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: ("ag2[openai]==0.9.0",),
        "0.14": ("ag2[openai]==0.14.0",),
    },
    driver=Classic,
    more=("more.py", "more_newer.py"),
    less={OLDEST: ("more_newer.py",)},
    scenarios=tuple(
        map(
            _as_here,
            story.stories(
                "",
                attributes,
                content=CONTENT,
                without=("stream", "a tool fails the agent", "interrupted"),
                instead=_INSTEAD,
            ),
        )
    ),
)
