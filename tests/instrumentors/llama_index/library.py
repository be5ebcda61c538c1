"""LlamaIndex's agents: the story of ``frameworks``, with a faked model and with OpenAI's client."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.llama_index import fakes
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MODEL = "gpt-5-mini"
OLDEST = "0.14.8"


class LlamaIndex(story.Teller):
    """Agents with a faked model, or with one of the library's behind the stub."""

    in_team = False
    """Whether agents are in a team of one."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.core = import_module("llama_index.core")
        # Its own would be fetched over the network.
        self.core.set_global_tokenizer(str.split)
        self.workflow = import_module("llama_index.core.agent.workflow")
        self.tools = import_module("llama_index.core.tools")
        self.workflows = import_module("workflows")
        self.events = import_module("workflows.events")

    def model(self) -> Any:
        if self.is_faked:
            return fakes.model()
        kind = import_module("llama_index.llms.openai").OpenAI
        return kind(model=MODEL, api_base=self.stub.url, api_key="none", max_retries=0)

    def tool(self, function: Callable[..., Any]) -> Any:
        return self.tools.FunctionTool.from_defaults(function, description=function.__doc__)

    def named(self, name: str, *tools: Callable[..., Any], kind: str = "FunctionAgent", **more: Any) -> Any:
        made = [self.tool(each) for each in tools]
        return getattr(self.workflow, kind)(
            name=name, description="Knows things.", tools=made, llm=self.model(), **more
        )

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        agent = self.named(story.AGENT, *tools)
        return self.workflow.AgentWorkflow([agent]) if self.in_team else agent

    def team(self) -> Any:
        agents = [self.named(story.AGENT), self.named(story.SECOND, can_handoff_to=[])]
        return self.workflow.AgentWorkflow(agents, root_agent=story.AGENT)

    def memory(self) -> Any:
        return self.core.memory.ChatMemoryBuffer.from_defaults(chat_store_key=story.CONVERSATION)

    def asking(self, agent: Any) -> Any:
        return self._asking(agent)

    async def _asking(self, agent: Any) -> Any:
        return str(await self.started(agent))

    def started(self, agent: Any) -> Any:
        """Ask and return the handler of the run."""
        return agent.run(user_msg=story.PROMPT, memory=self.memory())

    def stream(self, agent: Any) -> Any:
        async def told() -> AsyncIterator[Any]:
            handler = self.started(agent)
            async for event in handler.stream_events():
                yield event
            await handler

        return told()

    def read(self, stream: Any) -> list[Any]:
        opened, *events = super().read(stream)
        return [opened, *map(type, events)]

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        context: Any = self.workflows.Context
        required, response = self.events.InputRequiredEvent, self.events.HumanResponseEvent

        async def book(city: str, ctx: Any) -> str:
            """Book a journey."""
            answer = await ctx.wait_for_event(response, waiter_event=required(prefix="May I?"))
            return f"booked {city}: {answer.response}"

        book.__annotations__["ctx"] = context
        agent = self.agent(book)
        kept: list[Any] = []

        async def ask() -> Any:
            handler = self.started(agent)
            async for event in handler.stream_events():
                if isinstance(event, required):
                    kept.append(handler.ctx.to_dict())
                    await handler.cancel_run()
                    return event.prefix
            return None

        async def go_on() -> Any:
            resumed = context.from_dict(agent, kept[0])
            # What the library does not write down is the agent's to bring.
            await resumed.store.set("memory", self.memory())
            await resumed.store.set("user_msg_str", story.PROMPT)
            handler = agent.run(ctx=resumed)
            handler.ctx.send_event(response(response="yes"))
            return str(await handler)

        return ask, go_on


attributes = answers.attributes(gen_ai__agent__description="Knows things.", gen_ai__conversation__id=story.CONVERSATION)
_PARAMETERS = {
    "type": "object",
    "properties": {"city": {"title": "City", "type": "string"}},
    "required": ["city"],
}
CONTENT = answers.texts(tools=[answers.weather_tool(_PARAMETERS)])
LIBRARY = Library(
    name="llama-index",
    instrumentor="obs_instrumentors.llama_index",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: (
            "llama-index-core==0.14.8",
            "llama-index-workflows==2.11.1",
            "llama-index-instrumentation==0.4.2",
            "llama-index-llms-openai==0.6.10",
        ),
        "newest": (
            "llama-index-core>=0.14.25",
            "llama-index-workflows>=2.26",
            "llama-index-llms-openai>=0.8",
            "llama-index-embeddings-openai",
            "llama-index-observability-otel",
        ),
    },
    driver=LlamaIndex,
    kinds=("async",),
    more=("more.py",),
    scenarios=(
        *story.stories(
            "",
            attributes,
            prepare=lambda its: its.using(in_team=False),
            content=CONTENT,
            stream_kinds=("async",),
            without=("hand-off", "a tool fails the agent"),
        ),
        *story.stories(
            "in a team: ",
            attributes,
            prepare=lambda its: its.using(in_team=True),
            content=CONTENT,
            stream_kinds=("async",),
            without=("a tool fails the agent",),
            hands_over_by="handoff",
        ),
    ),
)
