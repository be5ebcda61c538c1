"""Strands' agents: the story of ``frameworks``, with a faked model, and with the library's for OpenAI."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "1.27"


class Strands(story.Teller):
    """Agents with a faked model, or with the library's for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("strands")

    def model(self) -> Any:
        if self.is_faked:
            return faked_model()
        options = {"base_url": self.stub.url, "api_key": "none", "max_retries": 0}
        return import_module("strands.models.openai").OpenAIModel(client_args=options, model_id=CLIENTS_MODEL)

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        made = [self.library.tool(each) for each in tools]
        more = {"model": self.model(), "trace_attributes": {"session.id": story.CONVERSATION}, **more}
        return self.library.Agent(name=name, tools=made, callback_handler=None, **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "the library has the model handle whatever a tool raises"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any, said: Any = story.PROMPT) -> Any:
        if self.kind == "sync":
            return told(agent(said))

        async def asking() -> Any:
            return told(await agent.invoke_async(said))

        return asking()

    def stream(self, agent: Any) -> Any:
        async def pieces() -> AsyncIterator[Any]:
            async for event in agent.stream_async(story.PROMPT):
                yield event.get("data", sorted(event))

        return pieces()

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        def book(tool_context: Any, city: str) -> str:
            """Book a journey."""
            return f"booked {city}: {tool_context.interrupt('allow', reason=city)}"

        book.__annotations__["tool_context"] = import_module("strands.types.tools").ToolContext
        agent = self.named(story.AGENT)
        agent.tool_registry.process_tools([self.library.tool(context=True)(book)])

        def go_on() -> Any:
            (pending,) = agent._interrupt_state.interrupts.values()
            return self.asking(agent, [{"interruptResponse": {"interruptId": pending.id, "response": "yes"}}])

        return lambda: self.asking(agent), go_on


def told(result: Any) -> Any:
    """Return what an agent's result says."""
    return result.stop_reason, result.message["content"]


def faked_model(**tools: Any) -> Any:
    """Return a model that calls each tool once, all in the first turn; ``tools`` are the arguments by their names."""

    class Model(import_module("strands.models.openai").OpenAIModel):  # type: ignore[misc]  # a class of the library's
        """A model for tests."""

        async def stream(self, messages: Any, tool_specs: Any = None, *_: Any, **__: Any) -> AsyncIterator[Any]:
            """Ask for the tools first, then answer."""
            calls = [] if _is_answered(messages) else [each["name"] for each in tool_specs or ()]
            yield {"messageStart": {"role": "assistant"}}
            for name in calls:
                start = {"toolUse": {"name": name, "toolUseId": f"call_{name}"}}
                yield {"contentBlockStart": {"start": start}}
                given = tools.get(name, '{"city": "Lisbon"}')
                yield {"contentBlockDelta": {"delta": {"toolUse": {"input": given}}}}
                yield {"contentBlockStop": {}}
            if not calls:
                yield {"contentBlockStart": {"start": {}}}
                for text in ("It ", "rains."):
                    yield {"contentBlockDelta": {"delta": {"text": text}}}
                yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "tool_use" if calls else "end_turn"}}
            usage = {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS, "totalTokens": 17}
            yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}

    return Model(model_id=MODEL)


def _is_answered(messages: Any) -> bool:
    return any("toolResult" in block for block in messages[-1]["content"])


attributes = answers.attributes(gen_ai__conversation__id=story.CONVERSATION)


def content(its: Any) -> dict[str, Any]:
    """Return what an agent's span has of texts."""
    schema = its.library.tool(story.weather).tool_spec["inputSchema"]["json"]
    return answers.texts(answer="It rains.\n", reason="end_turn", tools=[answers.weather_tool(schema)])


LIBRARY = Library(
    name="strands",
    instrumentor="obs_instrumentors.strands",
    beside=("obs_instrumentors.openai", "obs_instrumentors.mcp"),
    environments={
        OLDEST: (f"strands-agents[openai]=={OLDEST}.0",),
        "newest": ("strands-agents[openai]>=1.62",),
    },
    driver=Strands,
    traces_itself=(OLDEST, "newest"),
    more=("memory.py", "more.py"),
    less={OLDEST: ("memory.py",)},
    scenarios=story.stories(
        "",
        attributes,
        content=content,
        stream_kinds=("async",),
        # Whatever a tool raises, the model is told; in a swarm each agent answers after it has handed over.
        without=("a tool fails the agent", "hand-off"),
    ),
)
