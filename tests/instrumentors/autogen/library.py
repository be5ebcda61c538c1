"""AutoGen's agents and teams: the story of ``frameworks``, with a faked model, and with OpenAI's client."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import ANSWER, CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "0.6.4"
SYSTEM = "Be brief."
_ABILITIES = {
    "vision": False,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": "unknown",
}


class AutoGen(story.Teller):
    """Agents and teams with a faked model, or with the library's for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.agents = import_module("autogen_agentchat.agents")
        self.teams = import_module("autogen_agentchat.teams")
        self.conditions = import_module("autogen_agentchat.conditions")
        self.messages = import_module("autogen_agentchat.messages")

    def model(self) -> Any:
        settings = {"api_key": "none", "base_url": self.stub.url, "model_info": _ABILITIES}
        if self.is_faked:
            return faked_kind()(model=MODEL, **settings)
        return import_module("autogen_ext.models.openai").OpenAIChatCompletionClient(model=CLIENTS_MODEL, **settings)

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        told = {"description": "Knows things.", "system_message": SYSTEM}
        more = {"model_client": self.model(), "reflect_on_tool_use": True, **told, **more}
        return self.agents.AssistantAgent(name, tools=list(tools) or None, **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.named(story.AGENT, *tools)

    def team(self, *others: Any, **more: Any) -> Any:
        first = self.named(story.AGENT, handoffs=[story.SECOND], reflect_on_tool_use=False)
        until = self.conditions.TextMentionTermination("rains")
        return self.teams.Swarm([first, self.named(story.SECOND), *others], termination_condition=until, **more)

    def asking(self, agent: Any) -> Any:
        return self.answer(agent.run(task=story.PROMPT))

    async def answer(self, asked: Any) -> Any:
        """Wait for a task's result, and return its last text."""
        return (await asked).messages[-1].content

    def ask_and_cancel(self) -> None:
        try:
            super().ask_and_cancel()
        finally:
            self.run(_cancel_rest())

    def stream(self, agent: Any) -> Any:
        async def texts() -> AsyncIterator[Any]:
            async for event in agent.run_stream(task=story.PROMPT):
                yield type(event).__name__

        return texts()


async def _cancel_rest() -> None:
    """Cancel what the library leaves running, as ``asyncio.run`` does in the end."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@cache
def faked_kind() -> Any:
    """Return a model's client such as users derive, which needs no server."""
    core = import_module("autogen_core")
    models = import_module("autogen_core.models")
    base: Any = import_module("autogen_ext.models.openai").OpenAIChatCompletionClient

    class FakedClient(base):  # type: ignore[misc]  # a class of the library's
        """Calls each tool once, all in its first turn, and then answers."""

        def _answer(self, said: Any, tools: Any) -> Any:
            has_called = any(each.type == "FunctionExecutionResultMessage" for each in said)
            names = [] if has_called else [tool["name"] if isinstance(tool, dict) else tool.name for tool in tools]
            calls = [core.FunctionCall(id=f"call_{name}", name=name, arguments=_arguments(name)) for name in names]
            return models.CreateResult(
                finish_reason="function_calls" if calls else "stop",
                content=calls or ANSWER,
                usage=models.RequestUsage(prompt_tokens=INPUT_TOKENS, completion_tokens=OUTPUT_TOKENS),
                cached=False,
            )

        async def create(self, messages: Any, *, tools: Any = (), **_: Any) -> Any:
            return self._answer(messages, tools)

        async def create_stream(self, messages: Any, *, tools: Any = (), **_: Any) -> AsyncIterator[Any]:
            answer = self._answer(messages, tools)
            for piece in answer.content.split() if isinstance(answer.content, str) else ():
                yield piece
            yield answer

    return FakedClient


def _arguments(tool: str) -> str:
    if tool.startswith("transfer_to"):
        return "{}"
    return '{"task": "Ask."}' if tool == "inner" else '{"city": "Lisbon"}'


_attributes = answers.attributes(gen_ai__agent__description="Knows things.")


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has; the conversation of a team is one that the library makes up."""
    conversation = ANY if others.get("obs.outcome") == "handoff" else None
    return _attributes(calls, **{"gen_ai.conversation.id": conversation}, **others)


CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
    **answers.texts(asks="user", answers=story.AGENT),
}
LIBRARY = Library(
    name="autogen-agentchat",
    instrumentor="obs_instrumentors.autogen",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: (f"autogen-agentchat=={OLDEST}", f"autogen-core=={OLDEST}", f"autogen-ext[openai]=={OLDEST}"),
        "newest": ("autogen-agentchat>=0.7.5", "autogen-core>=0.7.5", "autogen-ext[openai]>=0.7.5"),
    },
    driver=AutoGen,
    kinds=("async",),
    traces_itself=(OLDEST, "newest"),
    more=("more.py", "more_nested.py"),
    less={OLDEST: ("more_nested.py",)},
    scenarios=(
        *story.stories(
            "",
            attributes,
            content=CONTENT,
            stream_kinds=("async",),
            without=("a tool fails the agent", "interrupted"),
        ),
    ),
)
