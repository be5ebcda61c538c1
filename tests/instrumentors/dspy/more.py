"""What DSPy can do besides the story: its models and their cache, programs, parallel runs, retrievers, and hygiene."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from tests.instrumentors.dspy import fakes
from tests.instrumentors.dspy.library import MODEL, OLDEST, ONE_TOOL
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, cancel
from tests.instrumentors.run_scenarios import ENVIRONMENT
from tests.instrumentors.trees import Node, assert_shapes, assert_trees

ENGINES = ["litellm"] if ENVIRONMENT == OLDEST else ["litellm", "lm15"]


its = driver_fixture("sync", "async")


def chat(model: str = fakes.MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def step(name: str, *children: Node) -> Node:
    return Node(f"step {name}", *children, kind="INTERNAL", attributes={"obs.step.type": "module"})


def workflow(name: str, *children: Node, **more: Any) -> Node:
    return Node(f"invoke_workflow {name}".rstrip(), *children, kind="INTERNAL", **more)


def predictor(its: Any, **more: Any) -> Any:
    made = its.dspy.Predict("question -> answer")
    made.set_lm(its.model(**more))
    return made


@cache
def program_kind() -> Any:
    dspy = import_module("dspy")
    base: Any = dspy.Module

    class Travel(base):  # type: ignore[misc]  # a class of the library's
        """A program of several parts."""

        def __init__(self, agent: Any) -> None:
            super().__init__()
            self.traveller = agent
            self.checks = [dspy.Predict("question -> answer")]
            self.set_lm(fakes.model())

        def forward(self, question: str) -> Any:
            self.checks[0](question=question)
            return self.traveller(question=question)

        async def aforward(self, question: str) -> Any:
            await self.checks[0].acall(question=question)
            return await self.traveller.acall(question=question)

    return Travel


class TestAgents(BudgetTests):
    pass


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", ["whole", "stream"])
def test_each_call_is_told_once_by_whatever_engine(way: str, engine: str, its: Any, telemetry: Any) -> None:
    program = predictor(its.using(engine))
    if way == "stream":
        its.read(its.stream(program))
    else:
        its.ask(program)
    told = {
        "gen_ai.provider.name": "openai",
        "server.port": its.stub.port,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.request.stream": True if way == "stream" else None,
    }
    assert_trees(telemetry.spans(), workflow("", chat(MODEL, **told)))
    if way == "whole":
        # Of a stream the library tells the model that was asked, and usage only where the user tracks it.
        call = next(span for span in telemetry.spans() if span.parent is not None)
        assert call.attributes["gen_ai.response.model"] == f"{MODEL}-2025-08-07"
        assert call.attributes["gen_ai.usage.input_tokens"] > 0
        assert call.attributes["obs.cost.total"] > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_of_the_librarys_cache_has_cost_nothing(engine: str, its: Any, telemetry: Any) -> None:
    model = its.using(engine).model(cache=True)
    asked = [{"role": "user", "content": f"{story.PROMPT} {uuid4()}"}]
    for _ in range(2):
        its.run(model.acall(messages=asked) if its.kind == "async" else model(messages=asked))
    first, second = telemetry.spans()
    assert (first.name, second.name) == (f"chat {MODEL}", f"chat {MODEL}")
    assert first.attributes["gen_ai.usage.input_tokens"] > 0
    assert "obs.response.cached" not in first.attributes
    assert second.attributes["obs.response.cached"] is True
    assert not [name for name in second.attributes if name.startswith(("gen_ai.usage.", "obs.cost."))]


def test_a_program_has_steps_by_the_names_of_its_parts(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    agent = its.dspy.ReAct("question -> answer", tools=[story.weather], max_iters=2)
    its.ask(program_kind()(agent))
    react = step("react", chat())
    run = Node(
        "invoke_agent traveller",
        react,
        story.tool("weather", **{"gen_ai.tool.description": "Tell the weather of a city."}),
        react,
        step("extract", step("predict", chat())),
        attributes={"gen_ai.agent.name": "traveller"},
    )
    assert_trees(
        telemetry.spans(),
        workflow("Travel", step("checks[0]", chat()), run, attributes={"obs.usage.input_tokens": 4 * 12}),
    )
    call = next(span for span in telemetry.spans() if span.name == "execute_tool weather")
    assert call.attributes["gen_ai.tool.call.arguments"] == '{"city":"Lisbon"}'
    assert call.attributes["gen_ai.tool.call.result"] == "rain in Lisbon"


def test_callbacks_of_the_users_own_change_nothing(its: Any, telemetry: Any) -> None:
    heard: list[str] = []
    base = import_module("dspy.utils.callback").BaseCallback
    callback = type("Own", (base,), {"on_tool_start": lambda _self, **_: heard.append("tool")})()
    with its.dspy.context(callbacks=[callback]):
        its.ask(its.agent(story.weather))
    assert "tool" in heard
    assert_shapes(telemetry.spans(), ONE_TOOL)


@pytest.mark.parametrize("way", ["Parallel", "batch", "Evaluate"])
def test_what_runs_in_parallel_is_side_by_side(way: str, its: Any, telemetry: Any) -> None:
    from obs_run.context import threads

    # The library runs each in a thread, into which the launcher has the context carried.
    threads.install()
    dspy = its.dspy
    examples = [dspy.Example(question=f"Where? {number}", answer="").with_inputs("question") for number in range(3)]
    program = predictor(its)
    if way == "Parallel":
        dspy.Parallel(num_threads=3, disable_progress_bar=True)([(program, each) for each in examples])
    elif way == "batch":
        program.batch(examples, num_threads=3, disable_progress_bar=True)
    else:
        dspy.Evaluate(devset=examples, metric=lambda *_: 1.0, num_threads=3, display_progress=False)(program)
    around = "Evaluate" if way == "Evaluate" else "Parallel"
    inner = Node("invoke_workflow", chat())
    assert_trees(telemetry.spans(), workflow(around, inner, inner, inner))


def test_what_a_tool_fails_a_program_with_is_told_once(its: Any, telemetry: Any) -> None:
    tool = its.dspy.Tool(story.broken)
    base: Any = its.dspy.Module

    async def aforward(self: Any) -> Any:  # noqa: ARG001 (a method)
        return await tool.acall(city="Lisbon")

    kind = type("Failing", (base,), {"forward": lambda _self: tool(city="Lisbon"), "aforward": aforward})
    with pytest.raises(ValueError, match="nobody knows"):
        its.run(kind().acall() if its.kind == "async" else kind()())
    failed = story.tool("broken", "ERROR", error__type="ValueError")
    assert_trees(telemetry.spans(), workflow("Failing", failed, status="ERROR"))
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


def test_a_retriever_is_a_retrieval(its: Any, telemetry: Any, with_content: None) -> None:
    assert with_content is None
    passages = [SimpleNamespace(long_text=text) for text in ("It rains.", "It pours.")]
    with its.dspy.context(rm=lambda query, k, **_: passages[:k] if query else []):
        found = its.dspy.Retrieve(k=2)("rain")
    assert found.passages == ["It rains.", "It pours."]
    (span,) = telemetry.spans()
    assert span.name == "retrieval Retrieve"
    assert span.attributes["gen_ai.retrieval.top_k"] == 2
    assert span.attributes["db.response.returned_rows"] == 2
    assert span.attributes["gen_ai.retrieval.query.text"] == "rain"
    assert "It pours." in span.attributes["gen_ai.retrieval.documents"]


class Interpreter:
    """What runs no code."""

    def __init__(self) -> None:
        self.tools: dict[str, Any] = {}

    def execute(self, code: str, variables: Any = None) -> str:  # noqa: ARG002 (the library gives it)
        return f"{len(code)} letters"

    __call__ = execute

    def start(self) -> None:
        """Need nothing."""

    shutdown = start


def test_an_agent_that_writes_code(its: Any, telemetry: Any) -> None:
    key = "interpreter" if ENVIRONMENT == OLDEST else "interpreter_factory"
    given = Interpreter() if ENVIRONMENT == OLDEST else Interpreter
    agent = its.dspy.CodeAct(its.signature("coder"), tools=[story.weather], max_iters=1, **{key: given})
    agent.set_lm(fakes.model())
    # It has no coroutine function of its own.
    agent(question=story.PROMPT)
    extracted = step("extractor", step("predict", chat()))
    assert_trees(telemetry.spans(), Node("invoke_agent coder", step("codeact", chat()), extracted))


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    with driver("sync", stub) as sync, driver("async", stub) as its, sync.dspy.context(disable_history=True):
        ways = [
            lambda: sync.ask(sync.agent(story.weather)),
            lambda: its.ask(its.agent(story.weather)),
            lambda: sync.read(sync.stream(sync.agent(story.weather))),
            lambda: its.abandon(its.stream(its.agent(story.weather))),
            sync.ask_in_a_thread,
            lambda: sync.ask(sync.agent(story.broken)),
            lambda: cancel(its),
        ]
        assert_leave_nothing(ways, (), telemetry, times=140, library_grows=True)
