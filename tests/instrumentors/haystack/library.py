"""Haystack's agents: the story of ``frameworks``, with a mocked generator, and with OpenAI's client."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import CITY, CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "3.0"
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Haystack(story.Teller):
    """Pipelines of one agent, with the library's generator for tests, or with its one for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("haystack")
        self.message = import_module("haystack.dataclasses").ChatMessage

    def generator(self, *tools: Callable[..., Any]) -> Any:
        chat = import_module("haystack.components.generators.chat")
        if self.is_faked:
            usage = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
            return chat.MockChatGenerator(response_fn=_answering(tools), model=MODEL, meta={"usage": usage})
        key = import_module("haystack.utils").Secret.from_token("none")
        return chat.OpenAIChatGenerator(key, CLIENTS_MODEL, api_base_url=self.stub.url, max_retries=0)

    def tool(self, function: Callable[..., Any]) -> Any:
        name = "async_function" if _is_async(function) else "function"
        return import_module("haystack.tools").Tool(
            function.__name__, function.__doc__ or "", parameters=_SCHEMA, **{name: function}
        )

    def agent_alone(self, *tools: Callable[..., Any], handles_errors: bool = True, **more: Any) -> Any:
        return import_module("haystack.components.agents").Agent(
            chat_generator=self.generator(*tools),
            tools=[self.tool(each) for each in tools],
            raise_on_tool_invocation_failure=not handles_errors,
            **more,
        )

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        agent = self.agent_alone(*tools, handles_errors=handles_errors)
        pipeline = self.library.Pipeline()
        pipeline.add_component(story.AGENT, agent)
        # A pipeline raises errors of its own.
        return pipeline if handles_errors else agent

    def asked(self) -> Any:
        return {story.AGENT: {"messages": [self.message.from_user(story.PROMPT)]}}

    def asking(self, agent: Any) -> Any:
        asked = self.asked()
        if not isinstance(agent, self.library.Pipeline):
            asked = asked[story.AGENT]["messages"]
        if self.kind == "sync":
            return _text(agent.run(asked))

        async def output() -> Any:
            return _text(await agent.run_async(asked))

        return output()

    def stream(self, agent: Any) -> Any:
        async def texts() -> AsyncIterator[str]:
            async for chunk in agent.stream(self.asked()):
                yield chunk.content

        return texts()


def _text(outputs: Any) -> Any:
    return outputs.get(story.AGENT, outputs)["last_message"].text


def _is_async(function: Callable[..., Any]) -> bool:
    return import_module("inspect").iscoroutinefunction(function)  # type: ignore[no-any-return]


def _answering(tools: tuple[Callable[..., Any], ...]) -> Callable[[list[Any]], Any]:
    """Return what calls each tool once, all in the first turn, and answers then."""
    dataclasses = import_module("haystack.dataclasses")
    calls = [dataclasses.ToolCall(tool.__name__, CITY, id=f"call_{tool.__name__}") for tool in tools]

    def answer(messages: list[Any]) -> Any:
        if str(messages[-1].role.value) == "tool" or not calls:
            return "It rains."
        return dataclasses.ChatMessage.from_assistant(tool_calls=calls)

    return answer


attributes = answers.attributes(gen_ai__provider__name="haystack")
CONTENT = answers.texts(tools=[answers.weather_tool(_SCHEMA)])
LIBRARY = Library(
    name="haystack",
    instrumentor="obs_instrumentors.haystack",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: (f"haystack-ai=={OLDEST}.0",),
        "newest": ("haystack-ai>=3.4",),
    },
    driver=Haystack,
    python="3.11",
    variables={"HAYSTACK_TELEMETRY_ENABLED": "False"},
    more=("more.py",),
    scenarios=story.stories(
        "",
        attributes,
        content=CONTENT,
        stream_kinds=("async",),
        error="haystack.tools.errors.ToolInvocationError",
        without=("hand-off", "interrupted"),
    ),
)
