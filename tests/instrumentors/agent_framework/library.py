"""Agent Framework's agents: the story of ``frameworks``, with a faked client, and with the library's for OpenAI."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import CLIENTS_MODEL, INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST = "1.6"


class AgentFramework(story.Teller):
    """Agents with a faked client, or with the library's for OpenAI behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("agent_framework")

    def client(self) -> Any:
        if self.is_faked:
            return faked_client()
        module = import_module("agent_framework_openai")
        made = import_module("openai").AsyncOpenAI(base_url=self.stub.url, api_key="none", max_retries=0)
        return module.OpenAIChatCompletionClient(model=CLIENTS_MODEL, async_client=made)

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        return self.library.Agent(self.client(), id=f"{name}-1", name=name, tools=list(tools), **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "the library has the model handle whatever a tool raises"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any) -> Any:
        async def asking() -> Any:
            return str(await agent.run(story.PROMPT, session=self.session()))

        return asking()

    def session(self) -> Any:
        return self.library.AgentSession(session_id=story.CONVERSATION)

    def stream(self, agent: Any) -> Any:
        async def pieces() -> AsyncIterator[Any]:
            async for update in agent.run(story.PROMPT, stream=True, session=self.session()):
                yield update.text

        return pieces()

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        agent = self.named(story.AGENT, self.library.tool(story.book, approval_mode="always_require"))
        session = self.session()
        waiting: list[Any] = []

        async def ask() -> Any:
            response = await agent.run(story.PROMPT, session=session)
            waiting.extend(response.user_input_requests)
            return len(waiting)

        async def go_on() -> Any:
            allowed = [each.to_function_approval_response(approved=True) for each in waiting]
            return str(await agent.run(self.library.Message("user", allowed), session=session))

        return ask, go_on


def faked_client() -> Any:
    """Return a client that has each tool called once, all in the first turn."""
    library = import_module("agent_framework")
    layers = import_module("agent_framework._middleware").ChatMiddlewareLayer
    invocation = import_module("agent_framework._tools").FunctionInvocationLayer
    telemetry = import_module("agent_framework.observability").ChatTelemetryLayer
    usage = {"input_token_count": INPUT_TOKENS, "output_token_count": OUTPUT_TOKENS, "total_token_count": 17}

    class Client(invocation, layers, telemetry, library.BaseChatClient):  # type: ignore[misc, name-defined, valid-type]
        """A client for tests."""

        OTEL_PROVIDER_NAME = "openai"
        model = MODEL

        def _inner_get_response(self, *, messages: Any, stream: bool, options: Any, **_: Any) -> Any:
            parts = list(contents(messages, options))
            if stream:
                return self._build_response_stream(self._updates(parts))
            return self._answer(parts)

        async def _updates(self, parts: list[Any]) -> AsyncIterator[Any]:
            for part in [*parts, library.Content.from_usage(usage)]:
                yield library.ChatResponseUpdate(contents=[part], role="assistant", finish_reason="stop")

        async def _answer(self, parts: list[Any]) -> Any:
            said = library.Message("assistant", parts)
            return library.ChatResponse(messages=[said], usage_details=usage, finish_reason="stop")

    def contents(messages: Any, options: Any) -> Any:
        if any(part.type == "function_result" for part in messages[-1].contents) or not options.get("tools"):
            yield library.Content.from_text("It rains.")
            return
        for tool in options["tools"]:
            yield library.Content.from_function_call(f"call_{tool.name}", tool.name, arguments='{"city": "Lisbon"}')

    return Client()


_attributes = answers.attributes(gen_ai__agent__id=f"{story.AGENT}-1", gen_ai__conversation__id=story.CONVERSATION)


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    reasons = None if others.get("obs.outcome") == "cancelled" else ("stop",)
    return _attributes(calls, **{"gen_ai.response.finish_reasons": reasons}, **others)


def content(its: Any) -> dict[str, Any]:
    """Return what an agent's span has of texts."""
    return answers.texts(tools=[answers.weather_tool(its.library.tool(story.weather).parameters())])


LIBRARY = Library(
    name="agent-framework",
    instrumentor="obs_instrumentors.agent_framework",
    beside=("obs_instrumentors.openai", "obs_instrumentors.mcp"),
    environments={
        OLDEST: ("agent-framework-core==1.6.0", "agent-framework-openai==1.6.0"),
        "newest": (
            "agent-framework-core>=1.23",
            "agent-framework-openai>=1.17",
            "agent-framework-orchestrations>=1.4",
        ),
    },
    driver=AgentFramework,
    kinds=("async",),
    traces_itself=(OLDEST, "newest"),
    more=("more.py", "newer.py"),
    less={OLDEST: ("newer.py",)},
    scenarios=story.stories(
        "",
        attributes,
        content=content,
        stream_kinds=("async",),
        # Whatever a tool raises, the model is told. Hand-offs are another distribution's.
        without=("a tool fails the agent", "hand-off"),
    ),
)
