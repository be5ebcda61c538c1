"""The agents of CrewAI: the story of ``frameworks``, in crews and by themselves, with a faked model."""

from __future__ import annotations

import asyncio
import os
import threading
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.instrumentors.crewai import fakes
from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MODEL = "gpt-5-mini"
OLDEST = "1.15.0"
AGENT_ID = "5f0c7bcb-9e5f-4f6e-9d2b-0a1c7f6d1e11"


class CrewAI(story.Teller):
    """Agents with a faked model, or with one of the library's behind the stub."""

    is_alone = False
    has_client = False

    def using(self, *, is_alone: bool = False, has_client: bool = False) -> CrewAI:
        """Return the driver for an agent in a crew or by itself, and for the kind of its model."""
        self.is_alone, self.has_client = is_alone, has_client
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.storages = [TemporaryDirectory(), TemporaryDirectory()]
        self._use_other_storage()
        self.crewai = import_module("crewai")
        self.task: Any = None

    def _use_other_storage(self) -> None:
        # Crews that run at the same time fail over one folder.
        self.storages.reverse()
        os.environ["CREWAI_STORAGE_DIR"] = self.storages[0].name

    def model(self) -> Any:
        if not self.has_client:
            return fakes.model()
        return self.crewai.LLM(model=f"openai/{MODEL}", base_url=self.stub.url, api_key="none", max_retries=0)

    def tool(self, function: Callable[..., Any], **more: Any) -> Any:
        made = import_module("crewai.tools").tool(function.__name__)(function)
        for name, value in more.items():
            setattr(made, name, value)
        return made

    def named(self, name: str, **more: Any) -> Any:
        agent = self.crewai.Agent(role=name, goal="Help.", backstory="Be kind.", llm=self.model(), **more)
        if name == story.AGENT:
            # The library gives each agent an id of its own.
            agent.__dict__["id"] = UUID(AGENT_ID)
        return agent

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        more = {} if handles_errors else {"tool_failure_policy": "raise"}
        return self.named(story.AGENT, tools=[self.tool(each, **more) for each in tools])

    def crew(self, *agents: Any, description: str = story.PROMPT, **more: Any) -> Any:
        self._use_other_storage()
        self.task = self.crewai.Task(description=description, expected_output="A sentence.", agent=agents[0])
        return self.crewai.Crew(agents=list(agents), tasks=[self.task], **more)

    def asking(self, agent: Any) -> Any:
        if self.is_alone:
            is_async = self.kind == "async"
            answer = agent.kickoff_async(story.PROMPT) if is_async else agent.kickoff(story.PROMPT)
        else:
            crew = self.crew(agent)
            answer = crew.akickoff() if self.kind == "async" else crew.kickoff()
        return _answered(answer) if self.kind == "async" else answer.raw

    def ask_of(self, crew: Any) -> Any:
        """Have a crew do its task."""
        return self.run(crew.akickoff() if self.kind == "async" else crew.kickoff())

    def stream(self, agent: Any) -> Any:
        crew = self.crew(agent, stream=True)
        return crew.akickoff() if self.kind == "async" else crew.kickoff()

    def read(self, stream: Any) -> list[Any]:
        opened, *chunks = super().read(stream)
        return [opened, *(chunk.content for chunk in chunks)]

    def close(self) -> None:
        super().close()
        for storage in self.storages:
            storage.cleanup()

    def ask_and_cancel(self) -> None:
        """Ask, and cancel it when the tool is at work, in a thread that nobody can cancel."""
        has_started, may_end = threading.Event(), threading.Event()

        def slow(city: str) -> str:
            """Take longer than anybody waits."""
            has_started.set()
            may_end.wait(story.TIMEOUT)
            return city

        async def cancelling() -> None:
            task = asyncio.ensure_future(self.asking(self.agent(slow)))
            assert await asyncio.to_thread(has_started.wait, story.TIMEOUT)
            task.cancel()
            try:
                await task
            finally:
                may_end.set()

        self.run(cancelling())


async def _answered(answer: Any) -> str:
    return str((await answer).raw)


attributes = answers.attributes(gen_ai__agent__id=AGENT_ID)


def _content(its: Any) -> Mapping[str, Any]:
    said = story.PROMPT if its.is_alone else its.task.prompt()
    return answers.texts(prompt=said, tools=[answers.weather_tool()])


_NO_SUCH = ("tools at the same time", "hand-off", "interrupted")
"""Coroutine functions run in loops of their own, each in a thread; agents delegate by a tool, and do not hand over."""

LIBRARY = Library(
    name="crewai",
    instrumentor="obs_instrumentors.crewai",
    beside=("obs_instrumentors.openai",),
    environments={OLDEST: ("crewai==1.15.0",), "newest": ("crewai>=1.15.30",)},
    driver=CrewAI,
    more=("more.py",),
    variables={
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_DISABLE_TRACKING": "true",
        "CREWAI_TESTING": "true",
        "CREWAI_TRACING_ENABLED": "false",
    },
    scenarios=(
        *story.stories(
            "crew: ",
            attributes,
            prepare=lambda its: its.using(),
            content=_content,
            error="crewai.tools.tool_failure.ToolExecutionFailedError",
            failures=2,
            without=_NO_SUCH,
            never_failed=(OLDEST,),
        ),
        *story.stories(
            "alone: ",
            attributes,
            prepare=lambda its: its.using(is_alone=True),
            content=_content,
            error="crewai.tools.tool_failure.ToolExecutionFailedError",
            failures=2,
            without=(*_NO_SUCH, "stream"),
            never_failed=(OLDEST,),
        ),
    ),
)
