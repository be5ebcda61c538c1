"""Google's ADK: the story of ``frameworks``, with a faked model, and with LiteLLM and Google's client."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import story
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

MODEL = "faked-1"
USER = "somebody"
INPUT_TOKENS = 12
OUTPUT_TOKENS = 5
OLDEST = "2.5"
CITY = {"city": "Lisbon"}
TRANSFER = "transfer_to_agent"
CONFIRMATION = "adk_request_confirmation"


class ADK(story.Teller):
    """Agents of the library, each asked in a session of its own."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.agents = import_module("google.adk.agents")
        self.runners = import_module("google.adk.runners")
        self.types = import_module("google.genai.types")
        self.model: Callable[[], Any] = faked_model

    def using(self, model: Callable[[], Any]) -> ADK:
        """Return the driver for other models."""
        self.model = model
        return self

    def named(self, name: str, **more: Any) -> Any:
        """Return an agent of the library."""
        return self.agents.Agent(**{"name": name, "model": self.model(), "instruction": "Travel.", **more})

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        callback = {"on_tool_error_callback": answer_error} if handles_errors else {}
        return self.named(story.AGENT, tools=list(tools), **callback)

    def team(self) -> Any:
        return self.named(story.AGENT, sub_agents=[self.named(story.SECOND, description="Books.")])

    def runner(self, agent: Any, **more: Any) -> Any:
        """Return what runs an agent."""
        sessions = import_module("google.adk.sessions").InMemorySessionService()
        return self.runners.Runner(
            agent=agent, app_name="trips", session_service=sessions, auto_create_session=True, **more
        )

    def run_of(self, runner: Any, said: Any = story.PROMPT, **more: Any) -> Any:
        """Ask and return the library's generator of events."""
        part = self.types.Part(text=said) if isinstance(said, str) else said
        message = self.types.Content(role="user", parts=[part])
        run = runner.run_async if self.kind == "async" else runner.run
        return run(user_id=USER, session_id=story.CONVERSATION, new_message=message, **more)

    def events(self, runner: Any, said: Any = story.PROMPT, **more: Any) -> Any:
        """Ask and return all events, or what is to be awaited for them."""
        run = self.run_of(runner, said, **more)
        if self.kind == "sync":
            return list(run)

        async def reading() -> list[Any]:
            return [event async for event in run]

        return reading()

    def asking(self, agent: Any) -> Any:
        asked = self.events(self.runner(agent))
        if self.kind == "sync":
            return shown(asked)

        async def answer() -> Any:
            return shown(await asked)

        return answer()

    def stream(self, agent: Any) -> Any:
        run_config = import_module("google.adk.agents.run_config")
        config = run_config.RunConfig(streaming_mode=run_config.StreamingMode.SSE)
        run = self.run_of(self.runner(agent), run_config=config)
        if self.kind == "sync":
            return (shown([event]) for event in run)

        async def pieces() -> AsyncIterator[Any]:
            async for event in run:
                yield shown([event])

        return pieces()

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        function_tool = import_module("google.adk.tools.function_tool").FunctionTool
        runner = self.runner(self.named(story.AGENT, tools=[function_tool(book, require_confirmation=True)]))
        first: list[Any] = []

        def keep(events: list[Any]) -> Any:
            first.extend(events)
            return shown(events)

        def asking() -> Any:
            asked = self.events(runner)
            if self.kind == "sync":
                return keep(asked)

            async def answer() -> Any:
                return keep(await asked)

            return answer()

        def go_on() -> Any:
            calls = [call for event in first for call in event.get_function_calls() if call.name == CONFIRMATION]
            allowed = self.types.FunctionResponse(id=calls[0].id, name=CONFIRMATION, response={"confirmed": True})
            asked = self.events(runner, self.types.Part(function_response=allowed))
            if self.kind == "sync":
                return shown(asked)

            async def answer() -> Any:
                return shown(await asked)

            return answer()

        return asking, go_on


def book(city: str) -> str:
    """Book a journey."""
    return f"booked {city}"


def answer_error(tool: Any, args: Any, tool_context: Any, error: Exception) -> dict[str, str]:
    """Tell the model what a tool failed of."""
    assert tool is not None
    assert tool_context is not None
    return {"error": f"{error} ({sorted(args)})"}


def shown(events: list[Any]) -> list[Any]:
    """Return what events say, without their ids and times."""
    return [(event.author, event.partial, *_parts(event)) for event in events]


def _parts(event: Any) -> Iterator[Any]:
    for part in event.content.parts if event.content else ():
        if part.function_call:
            yield part.function_call.name
        elif part.function_response:
            yield part.function_response.name, part.function_response.response
        else:
            yield part.text


def faked_model() -> Any:
    """Return a model that calls each tool that it gets once, all in the first turn."""
    base = import_module("google.adk.models.base_llm").BaseLlm
    response = import_module("google.adk.models.llm_response").LlmResponse
    types = import_module("google.genai.types")
    usage = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=INPUT_TOKENS, candidates_token_count=OUTPUT_TOKENS
    )

    def said(*parts: Any, **more: Any) -> Any:
        return response(content=types.Content(role="model", parts=list(parts)), **more)

    class Model(base):  # type: ignore[misc, valid-type]  # a class of the library's
        """A model that answers by itself."""

        async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncIterator[Any]:  # noqa: FBT001, FBT002
            last = llm_request.contents[-1].parts
            names = [] if any(part.function_response for part in last) else list(llm_request.tools_dict)
            # Who has taken over has nobody to hand over to but the one before.
            names = [] if any("For context" in (part.text or "") for part in last) else names
            parts = [_call(types, name) for name in names] or [types.Part(text="It rains.")]
            if stream and not names:
                for text in ("It ", "rains."):
                    yield said(types.Part(text=text), partial=True)
            yield said(*parts, usage_metadata=usage, finish_reason="STOP", model_version=MODEL)

    return Model(model=MODEL)


def _call(types: Any, name: str) -> Any:
    arguments = {"agent_name": story.SECOND} if name == TRANSFER else CITY
    return types.Part(function_call=types.FunctionCall(id=f"call_{name}", name=name, args=arguments))


def attributes(calls: int, **others: Any) -> dict[str, Any]:
    """Return what an agent's span has whose model answered so often."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": story.AGENT,
        "gen_ai.conversation.id": story.CONVERSATION,
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": calls * INPUT_TOKENS,
        "gen_ai.usage.output_tokens": calls * OUTPUT_TOKENS,
        **others,
    }


CONTENT = {
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": story.PROMPT}]}],
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}
    ],
}
LIBRARY = Library(
    name="google-adk",
    instrumentor="obs_instrumentors.google_adk",
    beside=("obs_instrumentors.litellm", "obs_instrumentors.google_genai", "obs_instrumentors.openai"),
    environments={
        OLDEST: (f"google-adk=={OLDEST}.0", "litellm>=1.110", "mcp"),
        "newest": ("google-adk>=2.13", "litellm>=1.110", "mcp"),
    },
    driver=ADK,
    more=("more.py",),
    variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    traces_itself=(OLDEST, "newest"),
    # Of the oldest release's threads nobody hears what was raised there.
    scenarios=story.stories("", attributes, content=CONTENT, hands_over_by=TRANSFER, never_failed=(OLDEST,)),
)
