"""The agents of OpenAI's Agents SDK: the story of ``frameworks``, with a faked model and with OpenAI's client."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.openai_agents import fakes
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
OLDEST = "0.2"


class OpenAIAgents(story.Teller):
    """Agents with a faked model, or with one of the library's behind the stub."""

    api: str | None = None
    """``chat`` or ``responses`` of OpenAI's; None for the faked model."""
    tracing_is_off = False

    def using(self, api: str | None = None, *, tracing_is_off: bool = False) -> OpenAIAgents:
        """Return the driver for one kind of models, and for the library's tracing on or off."""
        self.api, self.tracing_is_off = api, tracing_is_off
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.agents = import_module("agents")
        # Or the library would send its traces to OpenAI.
        self.agents.set_trace_processors([])

    def model(self) -> Any:
        if self.api is None:
            return fakes.model()
        client = import_module("openai").AsyncOpenAI(base_url=self.stub.url, api_key="none", max_retries=0)
        if self.api == "chat":
            kind = import_module("agents.models.openai_chatcompletions").OpenAIChatCompletionsModel
        else:
            kind = import_module("agents.models.openai_responses").OpenAIResponsesModel
        return kind(model=MODEL, openai_client=client)

    def named(self, name: str, **more: Any) -> Any:
        return self.agents.Agent(name=name, instructions="Be kind.", model=self.model(), **more)

    def tool(self, function: Callable[..., Any], **more: Any) -> Any:
        return self.agents.function_tool(function, **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        more = {} if handles_errors else {"failure_error_function": None}
        return self.named(story.AGENT, tools=[self.tool(each, **more) for each in tools])

    def team(self) -> Any:
        return self.named(story.AGENT, handoffs=[self.named(story.SECOND)])

    def options(self) -> dict[str, Any]:
        off = {"tracing_disabled": True} if self.tracing_is_off else {}
        return {"run_config": self.agents.RunConfig(group_id=story.CONVERSATION, **off)}

    def asking(self, agent: Any, said: Any = story.PROMPT) -> Any:
        if self.kind == "async":
            return self.agents.Runner.run(agent, said, **self.options())
        # The oldest release wants the thread to have one.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return self.agents.Runner.run_sync(agent, said, **self.options())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def stream(self, agent: Any) -> Any:
        async def opened() -> Any:
            return self.agents.Runner.run_streamed(agent, story.PROMPT, **self.options()).stream_events()

        return opened()

    def read(self, stream: Any) -> list[Any]:
        opened, *events = super().read(stream)
        return [opened, *((event.type, getattr(event, "name", None)) for event in events)]

    def ask_and_allow(self) -> list[Any]:
        return [(result.final_output, len(result.interruptions)) for result in super().ask_and_allow()]

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        agent = self.named(story.AGENT, tools=[self.tool(story.book, needs_approval=True)])
        interrupted: list[Any] = []

        def go_on() -> Any:
            state = interrupted[0].to_state()
            state.approve(interrupted[0].interruptions[0])
            return self.asking(agent, state)

        async def asking() -> Any:
            interrupted.append(await self.asking(agent))
            return interrupted[0]

        def ask() -> Any:
            if self.kind == "async":
                return asking()
            interrupted.append(self.asking(agent))
            return interrupted[0]

        return ask, go_on


attributes = answers.attributes(gen_ai__conversation__id=story.CONVERSATION, gen_ai__output__type="text")
CONTENT = answers.texts()
LIBRARY = Library(
    name="openai-agents",
    instrumentor="obs_instrumentors.openai_agents",
    beside=("obs_instrumentors.openai", "obs_instrumentors.mcp"),
    environments={OLDEST: ("openai-agents==0.2.0", "openai==1.96.1"), "newest": ("openai-agents>=0.24",)},
    driver=OpenAIAgents,
    more=("more.py",),
    scenarios=(
        *story.stories(
            "",
            attributes,
            prepare=lambda its: its.using(),
            content=CONTENT,
            error="agents.exceptions.UserError",
            stream_kinds=("async",),
            never_interrupted=(OLDEST,),
        ),
        *story.stories(
            "tracing off: ",
            attributes,
            prepare=lambda its: its.using(tracing_is_off=True),
            content=CONTENT,
            error="agents.exceptions.UserError",
            stream_kinds=("async",),
            never_interrupted=(OLDEST,),
        ),
    ),
)
