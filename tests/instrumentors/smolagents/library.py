"""smolagents' agents: the story of ``frameworks``, with a faked client of OpenAI's, and with a real one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.frameworks.answers import INPUT_TOKENS, MODEL, OUTPUT_TOKENS
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = "1.23"


class SmolAgents(story.Teller):
    """Agents that call tools, with a faked client, or with OpenAI's behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.library = import_module("smolagents")

    def model(self) -> Any:
        if self.is_faked:
            return _faked_kind()(MODEL, api_key="none")
        return self.library.OpenAIModel("gpt-5-mini", api_base=self.stub.url, api_key="none")

    def named(self, name: str, *tools: Callable[..., Any], **more: Any) -> Any:
        made = [tool_of(each) for each in tools]
        more = {"name": name, "description": "Knows things.", "verbosity_level": 0, **more}
        return self.library.ToolCallingAgent(made, self.model(), **more)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any) -> Any:
        return agent.run(story.PROMPT)

    def stream(self, agent: Any) -> Any:
        return agent.run(story.PROMPT, stream=True)

    def read(self, stream: Any) -> list[Any]:
        return [type(each) for each in super().read(stream)]


def tool_of(function: Callable[..., Any]) -> Any:
    """Return a function as a tool."""
    return _tool_kind(function)()


@cache
def _tool_kind(function: Callable[..., Any]) -> Any:
    base: Any = import_module("smolagents").Tool

    class FunctionTool(base):  # type: ignore[misc]  # a class of the library's
        name = function.__name__
        description = str(function.__doc__)
        inputs = {"city": {"type": "string", "description": "the city"}}  # noqa: RUF012 (the library's form)
        output_type = "string"

        def forward(self, city: str) -> str:
            return str(function(city))

    return FunctionTool


@cache
def _faked_kind() -> Any:
    base: Any = import_module("smolagents").OpenAIModel

    class FakedModel(base):  # type: ignore[misc]  # a class of the library's
        """The library's model, whose client needs no server."""

        def create_client(self) -> Any:
            return _Client()

    return FakedModel


_CITY = '{"city": "Lisbon"}'
_ARGUMENTS = {"inner": '{"task": "Ask."}'}
"""What a call needs, by the name of the tool or agent."""


class _Client:
    """What of OpenAI's client the library calls."""

    def __init__(self) -> None:
        self.chat = self
        self.completions = self
        self.calls = 0
        self.said: str | None = None
        """What it says instead of calling tools."""

    def create(self, *, tools: Any = (), **_: Any) -> Any:
        """Return an answer that calls each tool once, all in one turn, and then says the final answer."""
        names = [each["function"]["name"] for each in tools if each["function"]["name"] != "final_answer"]
        self.calls += 1
        calls = [(name, _ARGUMENTS.get(name, _CITY)) for name in names] if self.calls == 1 else []
        calls = calls or [("final_answer", '{"answer": "It rains."}')]
        said = [
            {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for name, arguments in calls
        ]
        message = {"role": "assistant", "content": None, "tool_calls": said}
        if self.said is not None or not tools:
            message = {"role": "assistant", "content": self.said or "I think."}
        usage = {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        return import_module("openai.types.chat").ChatCompletion(
            id="c", created=0, model=MODEL, object="chat.completion", choices=[choice], usage=usage
        )


attributes = answers.attributes(gen_ai__agent__description="Knows things.")
CONTENT = answers.texts()
LIBRARY = Library(
    name="smolagents",
    instrumentor="obs_instrumentors.smolagents",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: ("smolagents[openai]==1.23.0",),
        "newest": ("smolagents[openai]>=1.26",),
    },
    driver=SmolAgents,
    kinds=("sync",),
    more=("more.py",),
    scenarios=(
        *story.stories(
            "",
            attributes,
            content=CONTENT,
            without=("hand-off", "a tool fails the agent", "interrupted"),
        ),
    ),
)
