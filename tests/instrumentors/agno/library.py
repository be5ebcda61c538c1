"""The agents of Agno: the story of ``frameworks``, with a faked model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.agno import fakes
from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
OLDEST = "2.3.4"


class Agno(story.Teller):
    """Agents with a faked model, or with one of the library's behind the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.agents = import_module("agno.agent")
        self.is_async = kind == "async"

    def model(self) -> Any:
        if self.is_faked:
            return fakes.model()
        return import_module("agno.models.openai").OpenAIChat(MODEL, base_url=self.stub.url, api_key="none")

    def tool(self, function: Callable[..., Any], **more: Any) -> Any:
        return import_module("agno.tools").tool(**more)(function)

    def named(self, name: str, *tools: Any, **more: Any) -> Any:
        about = {"id": name, "description": "Knows things.", "model": self.model(), "telemetry": False, **more}
        return self.agents.Agent(name=name, tools=list(tools), **about)

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any, **more: Any) -> Any:
        more = {"session_id": story.CONVERSATION, **more}
        return _said(agent.arun(story.PROMPT, **more)) if self.is_async else agent.run(story.PROMPT, **more).content

    def stream(self, agent: Any) -> Any:
        run = agent.arun if self.is_async else agent.run
        return run(story.PROMPT, stream=True, stream_events=True, session_id=story.CONVERSATION)

    def read(self, stream: Any) -> list[Any]:
        opened, *pieces = super().read(stream)
        return [opened, *map(type, pieces)]

    def asking_first(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        agent = self.named(story.AGENT, self.tool(story.book, requires_confirmation=True))
        paused: list[Any] = []

        def ask() -> Any:
            paused.append(self.run(self.running(agent, story.PROMPT)))
            return _now(str(paused[0].status)) if self.is_async else str(paused[0].status)

        def go_on() -> Any:
            for tool in paused[0].tools:
                tool.confirmed = True
            going = agent.acontinue_run if self.is_async else agent.continue_run
            more = {"run_response": paused[0]}
            return _said(going(**more)) if self.is_async else going(**more).content

        return ask, go_on

    def running(self, agent: Any, said: str) -> Any:
        run = agent.arun if self.is_async else agent.run
        return run(said, session_id=story.CONVERSATION)


async def _said(answer: Any) -> str:
    return str((await answer).content)


async def _now(value: str) -> str:
    return value


attributes = answers.attributes(
    gen_ai__agent__id=story.AGENT,
    gen_ai__agent__description="Knows things.",
    gen_ai__conversation__id=story.CONVERSATION,
)
CONTENT = answers.texts()
_INTERRUPTED = story.agent(story.chat("book"), obs__outcome="interrupted")
"""The tool has not begun."""

LIBRARY = Library(
    name="agno",
    instrumentor="obs_instrumentors.agno",
    beside=("obs_instrumentors.openai",),
    environments={OLDEST: ("agno==2.3.4", "openai<3", "fastapi"), "newest": ("agno>=3.1.10", "openai")},
    driver=Agno,
    more=("more.py",),
    variables={"AGNO_TELEMETRY": "false"},
    scenarios=story.stories(
        "",
        attributes,
        content=CONTENT,
        without=("hand-off", "a tool fails the agent"),
        instead={"interrupted": (1, (_INTERRUPTED, story.RESUMED))},
    ),
)
