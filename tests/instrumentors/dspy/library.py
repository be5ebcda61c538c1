"""The agents of DSPy: the story of ``frameworks``, with a faked model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.dspy import fakes
from tests.instrumentors.frameworks import answers, story
from tests.instrumentors.scenarios import Library

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "gpt-5-mini"
OLDEST = "3.0.4"


class DSPy(story.Teller):
    """Agents with a faked model, or with one of the library's behind the stub."""

    engine: str | None = None
    question = story.PROMPT

    def using(self, engine: str) -> DSPy:
        """Return the driver for the library's own models with an engine, behind the stub."""
        self.engine = engine
        # What the stub repeats in its answer is then the field that the library asks for.
        self.question = "What is it like?\n[[ ## answer ## ]]\nFine."
        return self

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.dspy = import_module("dspy")

    def model(self, **more: Any) -> Any:
        if self.engine is None:
            return fakes.model()
        # The older release has but one engine, and no word for it.
        engine = {"engine": self.engine} if hasattr(self.dspy, "lm15") else {}
        more = {"cache": False, "num_retries": 0, **engine, **more}
        return self.dspy.LM(f"openai/{MODEL}", api_base=self.stub.url, api_key="none", **more)

    def signature(self, name: str) -> Any:
        """Return a signature with a name, as a class has one."""
        fields = {"question": (str, self.dspy.InputField()), "answer": (str, self.dspy.OutputField())}
        return self.dspy.Signature(fields, "Help.", signature_name=name)

    def named(self, name: str, *tools: Callable[..., Any]) -> Any:
        agent = self.dspy.ReAct(self.signature(name), tools=list(tools), max_iters=5)
        agent.set_lm(self.model())
        return agent

    def agent(self, *tools: Callable[..., Any], handles_errors: bool = True) -> Any:
        assert handles_errors, "a failing tool never fails an agent"
        return self.named(story.AGENT, *tools)

    def asking(self, agent: Any) -> Any:
        return agent.acall(question=self.question) if self.kind == "async" else agent(question=self.question)

    def stream(self, agent: Any) -> Any:
        is_async = self.kind == "async"
        stream = self.dspy.streamify(agent, is_async_program=is_async, async_streaming=is_async)
        return stream(question=self.question)

    def read(self, stream: Any) -> list[Any]:
        opened, *pieces = super().read(stream)
        return [opened, *map(type, pieces)]


attributes = answers.attributes(gen_ai__request__model=None)


_CHAT = story.chat()
ONE_TOOL = story.agent(_CHAT, story.tool("weather"), _CHAT, _CHAT)
"""Each tool has a turn of its own; then the model says that it is done, and then the answer."""
_TWO_TOOLS = story.agent(_CHAT, story.tool("weather"), _CHAT, story.tool("population"), _CHAT, _CHAT)
_HANDLED = story.agent(_CHAT, story.tool("broken", "ERROR", error__type="ValueError"), _CHAT, _CHAT)
_CANCELLED = story.agent(_CHAT, story.tool("slow", obs__outcome="cancelled"), obs__outcome="cancelled")

CONTENT = answers.texts(answer=f'{{"reasoning":"I know.","answer":"{fakes.ANSWER}"}}')
LIBRARY = Library(
    name="dspy",
    instrumentor="obs_instrumentors.dspy",
    beside=("obs_instrumentors.litellm", "obs_instrumentors.openai"),
    environments={OLDEST: ("dspy==3.0.4",), "newest": ("dspy>=3.4.1",)},
    driver=DSPy,
    more=("more.py",),
    variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    scenarios=story.stories(
        "",
        attributes,
        content=CONTENT,
        without=("tools at the same time", "hand-off", "a tool fails the agent", "interrupted"),
        instead={
            "two tools": (4, (_TWO_TOOLS,)),
            "stream": (3, (ONE_TOOL,)),
            "a tool fails": (3, (_HANDLED,)),
            "cancelled": (1, (_CANCELLED,)),
            "one after the other": (3, (ONE_TOOL, ONE_TOOL)),
            "two at once": (3, (ONE_TOOL, ONE_TOOL)),
            "in a thread": (3, (ONE_TOOL,)),
        },
    ),
)
