"""AG2's newer agents: the story of ``frameworks``, with a faked model, and with OpenAI's client."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

from tests.instrumentors.frameworks import story
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MODEL = "faked-1"
CLIENTS_MODEL = "gpt-5-mini"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
ANSWER = "It rains."
SYSTEM = "Be brief."
BETA = "0.14"


def package() -> str:
    """Return the package that the release has its newer agents in."""
    try:
        import_module("ag2.agent")
    except ModuleNotFoundError:
        return "autogen.beta"
    return "ag2"


class Ag2(story.Teller):
    """Agents with a faked model, or with the library's for OpenAI behind the stub."""

    is_faked = True

    def using(self, *, is_faked: bool) -> Ag2:
        """Return the driver for one kind of models."""
        self.is_faked = is_faked
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.package = package()
        self.library = import_module(self.package)
        self.events = import_module(f"{self.package}.events")

    def model(self, **more: Any) -> Any:
        if self.is_faked:
            return faked_kind(self.package)(**more)
        config = import_module(f"{self.package}.config").OpenAIConfig
        return config(model=CLIENTS_MODEL, api_key="none", base_url=self.stub.url, **more)

    def named(self, name: str, *tools: Any, **more: Any) -> Any:
        return self.library.Agent(name, **{"prompt": SYSTEM, "config": self.model(), "tools": list(tools), **more})

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any) -> Any:
        return self.answer(agent.ask(story.PROMPT))

    async def answer(self, asked: Any) -> Any:
        """Wait for a reply, and return its text."""
        return (await asked).body

    def stream(self, agent: Any) -> Any:
        async def kinds() -> AsyncIterator[Any]:
            async with agent.run(story.PROMPT) as run:
                with run.stream.join() as events:
                    run.start()
                    async for event in events:
                        yield type(event).__name__
                        if type(event).__name__ == "ModelResponse" and not event.tool_calls:
                            break
                await run.result()

        return kinds()

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        client_tool = import_module(f"{self.package}.tools.final.client_tool").ClientTool
        parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
        book = client_tool({"function": {"name": "book", "description": "Books.", "parameters": parameters}})
        agent = self.named(story.AGENT, book)
        asked: list[Any] = []

        async def ask() -> Any:
            reply = await agent.ask(story.PROMPT)
            asked.extend(await reply.history.get_events())
            return [call.name for call in reply.response.tool_calls.calls]

        async def go_on() -> Any:
            (call,) = asked[-1].tool_calls.calls
            results = self.events.ToolResultsEvent([self.events.ToolResultEvent.from_call(call, "booked")])
            return (await agent.resume(*asked, results)).body

        return ask, go_on


@cache
def faked_kind(package: str) -> Any:
    """Return a model's configuration such as users make, whose client needs no server."""
    events = import_module(f"{package}.events")
    client: Any = import_module(f"{package}.config.client").LLMClient

    class FakedClient(client):  # type: ignore[misc]  # a class of the library's
        """Calls each tool once, all in its first turn, and then answers."""

        def __init__(self, config: Any) -> None:
            self._config = config

        async def __call__(self, messages: Any, context: Any, *, tools: Any, **_: Any) -> Any:
            if self._config.error is not None:
                raise self._config.error
            has_called = any(type(each).__name__ == "ToolResultsEvent" for each in messages)
            names = [] if has_called else [*(tool.function.name for tool in tools), *self._config.asks_for]
            calls = [events.ToolCallEvent(name, id=f"call_{name}", arguments=_arguments(name)) for name in names]
            message = None if calls else events.ModelMessage(ANSWER)
            if message is not None:
                await context.send(message)
            return events.ModelResponse(
                message,
                tool_calls=events.ToolCallsEvent(calls),
                usage=events.Usage(prompt_tokens=float(INPUT_TOKENS), completion_tokens=OUTPUT_TOKENS),
                model=f"{MODEL}-today",
                provider="openai",
                finish_reason="tool_calls" if calls else "stop",
            )

    class FakedConfig:
        provider = "openai"
        model = MODEL

        def __init__(self, error: Exception | None = None, asks_for: tuple[str, ...] = ()) -> None:
            self.error = error
            self.asks_for = asks_for

        def copy(self) -> Any:
            return self

        def create(self) -> Any:
            return FakedClient(self)

    return FakedConfig


def _arguments(tool: str) -> str:
    return '{"objective": "Ask."}' if tool.startswith("task_") else '{"city": "Lisbon"}'


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        # The library makes one up for each stream of events.
        "gen_ai.conversation.id": ANY,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": calls * INPUT_TOKENS,
        "gen_ai.usage.output_tokens": calls * OUTPUT_TOKENS,
        **others,
    }


CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": story.PROMPT}]}],
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}
    ],
}
_RESUMED = story.agent(story.chat(), obs__resumed=True)
"""The tool is the client's."""
LIBRARY = Library(
    name="ag2",
    instrumentor="obs_instrumentors.ag2",
    beside=("obs_instrumentors.openai",),
    environments={
        BETA: ("ag2[openai]==0.14.0",),
        "1.0": ("ag2[openai]==1.0.0",),
        "newest": ("ag2[openai]>=1.2.1",),
    },
    driver=Ag2,
    kinds=("async",),
    more=("more.py", "more_hubs.py"),
    scenarios=story.stories(
        "",
        attributes,
        content=CONTENT,
        stream_kinds=("async",),
        without=("a tool fails the agent", "hand-off"),
        instead={"interrupted": (1, (story.INTERRUPTED, _RESUMED))},
    ),
)
