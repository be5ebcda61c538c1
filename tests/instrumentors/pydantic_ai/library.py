"""Pydantic AI's agents: the story of ``frameworks``, with a faked model, and with OpenAI's client."""

from __future__ import annotations

import functools
import os
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import CITY, CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "1.60"
HAS_CONVERSATIONS = os.environ.get("OBS_TEST_ENVIRONMENT") != OLDEST
_CONVERSATION = {"conversation_id": story.CONVERSATION} if HAS_CONVERSATIONS else {}


class PydanticAI(story.Teller):
    """Agents with a faked model, or with the library's for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("pydantic_ai")

    def model(self) -> Any:
        if self.is_faked:
            return _faked_model()
        client = import_module("openai").AsyncOpenAI(base_url=self.stub.url, api_key="none", max_retries=0)
        provider = import_module("pydantic_ai.providers.openai").OpenAIProvider(openai_client=client)
        return import_module("pydantic_ai.models.openai").OpenAIChatModel(CLIENTS_MODEL, provider=provider)

    def named(self, name: str, **more: Any) -> Any:
        return self.library.Agent(self.model(), name=name, **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        made = [_retrying(each) if each is story.broken and handles_errors else each for each in tools]
        return self.named(story.AGENT, tools=made)

    def asking(self, agent: Any) -> Any:
        if self.kind == "sync":
            return self.result(agent).output

        async def output() -> Any:
            return (await self.result(agent)).output

        return output()

    def result(self, agent: Any, said: str | None = story.PROMPT, **more: Any) -> Any:
        """Ask and return all that the library tells, or what is to be awaited for it."""
        more |= _CONVERSATION
        return agent.run(said, **more) if self.kind == "async" else agent.run_sync(said, **more)

    def stream(self, agent: Any) -> Any:
        async def texts() -> AsyncIterator[str]:
            async with agent.run_stream(story.PROMPT, **_CONVERSATION) as streamed:
                async for text in streamed.stream_text():
                    yield text

        return texts()

    def ask_and_allow(self) -> list[Any]:
        return [str(result.output) for result in super().ask_and_allow()]

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        library = self.library

        def book(ctx: Any, city: str) -> str:
            """Book a journey."""
            if not ctx.tool_call_approved:
                raise library.ApprovalRequired
            return f"booked {city}"

        book.__annotations__["ctx"] = library.RunContext
        agent = self.named(story.AGENT, tools=[book], output_type=[str, library.DeferredToolRequests])
        first: list[Any] = []

        def keep(result: Any) -> Any:
            first.append(result)
            return result

        async def asking() -> Any:
            return keep(await self.result(agent))

        def go_on() -> Any:
            calls = first[0].output.approvals
            answers = library.DeferredToolResults(approvals={call.tool_call_id: True for call in calls})
            return self.result(agent, None, message_history=first[0].all_messages(), deferred_tool_results=answers)

        return (asking if self.kind == "async" else lambda: keep(self.result(agent))), go_on


def _retrying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a tool by whose failure the model is asked to try again."""

    @functools.wraps(function)
    def tool(**arguments: Any) -> Any:
        try:
            return function(**arguments)
        except ValueError as error:
            raise import_module("pydantic_ai").ModelRetry(str(error)) from error

    return tool


def _faked_model() -> Any:
    function = import_module("pydantic_ai.models.function")
    parts = import_module("pydantic_ai.messages")
    usage = import_module("pydantic_ai.usage").RequestUsage(input_tokens=INPUT_TOKENS, output_tokens=OUTPUT_TOKENS)

    def calls_of(messages: list[Any], info: Any) -> list[str]:
        """Return the tools to call: each once, all in the first turn."""
        answered = {part.part_kind for part in messages[-1].parts} & {"tool-return", "retry-prompt"}
        return [] if answered else [tool.name for tool in info.function_tools]

    def answer(messages: list[Any], info: Any) -> Any:
        said = [parts.ToolCallPart(name, CITY, f"call_{name}") for name in calls_of(messages, info)]
        return parts.ModelResponse(said or [parts.TextPart("It rains.")], usage=usage, finish_reason="stop")

    async def stream(messages: list[Any], info: Any) -> AsyncIterator[Any]:
        calls = calls_of(messages, info)
        for index, name in enumerate(calls):
            yield {index: function.DeltaToolCall(name, '{"city": "Lisbon"}', tool_call_id=f"call_{name}")}
        if not calls:
            yield "It "
            yield "rains."

    class Model(function.FunctionModel):  # type: ignore[misc, name-defined]  # a class of the library's
        """The library's model for tests, with the usage that the story wants."""

        system = "openai"

        @asynccontextmanager
        async def request_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            async with super().request_stream(*args, **kwargs) as streamed:
                kind = type(streamed)
                streamed.__class__ = type(
                    kind.__name__, (kind,), {"_usage": property(lambda _: usage, lambda _, __: None)}
                )
                yield streamed

    return Model(answer, stream_function=stream, model_name=MODEL)


attributes = answers.attributes(gen_ai__conversation__id=story.CONVERSATION if HAS_CONVERSATIONS else None)
CONTENT = answers.texts()
LIBRARY = Library(
    name="pydantic-ai",
    instrumentor="obs_instrumentors.pydantic_ai",
    beside=("obs_instrumentors.openai", "obs_instrumentors.mcp"),
    environments={
        OLDEST: (f"pydantic-ai-slim[openai]=={OLDEST}.0",),
        "newest": ("pydantic-ai-slim[openai]>=2.66",),
    },
    driver=PydanticAI,
    more=("more.py",),
    scenarios=(
        *story.stories(
            "",
            attributes,
            content=CONTENT,
            stream_kinds=("async",),
            without=("hand-off",),
        ),
    ),
)
