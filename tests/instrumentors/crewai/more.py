"""What CrewAI can do besides the story: its own models, flows, delegation, memory, guardrails, and hygiene."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.crewai import fakes
from tests.instrumentors.crewai.library import MODEL, OLDEST
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, cancel
from tests.instrumentors.run_scenarios import ENVIRONMENT
from tests.instrumentors.trees import Node, assert_shapes, assert_trees

its = driver_fixture("sync", "async")


def chat(model: str = fakes.MODEL, *children: Node, **attributes: Any) -> Node:
    return Node(f"chat {model}", *children, kind="CLIENT", status="UNSET", attributes=attributes)


def crew(*children: Node, status: str = "UNSET", **attributes: Any) -> Node:
    return Node("invoke_workflow", *children, kind="INTERNAL", status=status, attributes=attributes)


def task(*children: Node, name: str = "step", status: str = "UNSET", **attributes: Any) -> Node:
    return Node(name, *children, kind="INTERNAL", status=status, attributes=attributes)


def started(its: Any, flow: Any, **inputs: Any) -> Any:
    return its.run(flow.kickoff_async(inputs=inputs)) if its.kind == "async" else flow.kickoff(inputs=inputs)


class TestAgents(BudgetTests):
    pass


def test_a_crew_with_a_name_has_steps_for_its_tasks(its: Any, telemetry: Any) -> None:
    agent = its.named(f"{story.AGENT}\n")
    made = its.crew(agent, name="travel agency")
    its.task.name = "look it up"
    its.ask_of(made)
    tokens = {"obs.usage.input_tokens": fakes.INPUT_TOKENS, "obs.usage.output_tokens": fakes.OUTPUT_TOKENS}
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow travel agency",
            task(
                story.agent(chat()),
                name="step look it up",
                **{"obs.step.type": "task", "gen_ai.agent.name": story.AGENT},
            ),
            kind="INTERNAL",
            attributes={"gen_ai.workflow.name": "travel agency", **tokens},
        ),
    )


@pytest.mark.parametrize("way", ["whole", "stream"])
def test_the_client_tells_each_call_once(way: str, its: Any, telemetry: Any) -> None:
    its.using(has_client=True)
    agent = its.agent(story.weather)
    if way == "stream":
        its.read(its.stream(agent))
    else:
        its.ask(agent)
    told = {
        "gen_ai.response.model": f"{MODEL}-2025-08-07",
        "openai.api.type": "chat_completions",
        "gen_ai.request.stream": True if way == "stream" else None,
    }
    tool = Node("execute_tool weather", attributes={"gen_ai.agent.name": story.AGENT, "gen_ai.tool.type": "function"})
    assert_trees(telemetry.spans(), crew(task(story.agent(chat(MODEL, **told), tool, chat(MODEL, **told)))))
    call = next(span for span in telemetry.spans() if span.name == "execute_tool weather")
    assert call.attributes["gen_ai.tool.call.id"].startswith("call_")


def test_what_a_model_fails_with_is_told(its: Any, telemetry: Any) -> None:
    its.using(has_client=True)
    agent = its.named(story.AGENT, max_retry_limit=0)
    with pytest.raises(Exception, match="Invalid value"):
        its.ask_of(its.crew(agent, description="What is it like? [stub:400]"))
    assert {span.status.status_code.name for span in telemetry.spans()} == {"ERROR"}
    told = {span.name: span.attributes["error.type"] for span in telemetry.spans()}
    assert told.pop(f"chat {MODEL}") == "invalid_value"
    assert set(told.values()) == {"openai.BadRequestError"}
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


def test_tools_at_the_same_time_are_each_in_the_agent(its: Any, telemetry: Any) -> None:
    both = threading.Barrier(2)

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        both.wait(story.TIMEOUT)
        return f"rain in {city}"

    def population(city: str) -> str:
        """Tell how many live in a city."""
        both.wait(story.TIMEOUT)
        return f"half a million in {city}"

    its.ask(its.agent(weather, population))
    assert_shapes(telemetry.spans(), story.TWO_TOOLS)


def test_an_agent_that_is_delegated_to_is_inside_of_the_tool(its: Any, telemetry: Any) -> None:
    made = its.crew(its.named(story.AGENT, allow_delegation=True), its.named(story.SECOND))
    its.ask_of(made)
    tool = Node(
        "execute_tool delegate_work_to_coworker",
        story.agent(chat(), name=story.SECOND),
        attributes={"gen_ai.agent.name": story.AGENT},
    )
    assert_trees(telemetry.spans(), crew(task(story.agent(chat(), tool, chat()))))


def test_a_guardrail_that_lets_nothing_pass_is_no_error(its: Any, telemetry: Any) -> None:
    answers = iter([(False, "Say more."), (True, "It rains a lot.")])

    def says_enough(_: Any) -> Any:
        return next(answers)

    made = its.crew(its.named(story.AGENT))
    its.task.guardrail = says_enough
    its.task._guardrail = says_enough
    its.ask_of(made)
    guardrails = [span for span in telemetry.spans() if span.attributes.get("obs.step.type") == "guardrail"]
    assert [span.attributes.get("obs.outcome") for span in guardrails] == ["blocked", None]
    assert {span.name for span in guardrails} == {"step says_enough"}
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def _flow(its: Any) -> Any:
    flow: Any = import_module("crewai.flow.flow")

    class Journey(flow.Flow):  # type: ignore[misc]  # a class of the library's
        """A crew after a method that is none of a crew's."""

        @flow.start()  # type: ignore[untyped-decorator]
        def plan(self) -> str:
            return "Lisbon"

        @flow.listen(plan)  # type: ignore[untyped-decorator]
        async def ask(self) -> str:
            return str((await its.crew(its.named(story.AGENT)).akickoff()).raw)

    return Journey()


def test_a_flow_is_a_workflow_of_its_methods(its: Any, telemetry: Any) -> None:
    assert started(its, _flow(its), id="trip-1") == fakes.ANSWER
    assert_trees(
        telemetry.spans(),
        Node(
            "invoke_workflow Journey",
            task(name="step plan", **{"obs.step.type": "method"}),
            task(crew(task(story.agent(chat()))), name="step ask"),
            attributes={"gen_ai.conversation.id": "trip-1", "obs.usage.input_tokens": fakes.INPUT_TOKENS},
        ),
    )


def test_a_method_that_fails_fails_the_flow(its: Any, telemetry: Any) -> None:
    flow: Any = import_module("crewai.flow.flow")

    class Broken(flow.Flow):  # type: ignore[misc]  # a class of the library's
        """A flow that fails."""

        @flow.start()  # type: ignore[untyped-decorator]
        def fail(self) -> None:
            raise ValueError("nobody knows")

    with pytest.raises(ValueError, match="nobody knows"):
        started(its, Broken())
    failed = {"error.type": "ValueError"}
    step = task(name="step fail", status="ERROR", **failed)
    assert_trees(telemetry.spans(), Node("invoke_workflow Broken", step, status="ERROR", attributes=failed))
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


def test_a_flow_that_waits_for_somebody_is_interrupted_and_resumed(its: Any, telemetry: Any) -> None:
    flow: Any = import_module("crewai.flow.flow")
    human: Any = import_module("crewai.flow.human_feedback")
    pending: Any = import_module("crewai.flow.async_feedback").HumanFeedbackPending

    class Somebody:
        """Who is asked, and answers later."""

        def request_feedback(self, context: Any, _: Any) -> None:
            raise pending(context=context)

    class Asking(flow.Flow):  # type: ignore[misc]  # a class of the library's
        """A flow that asks somebody."""

        @flow.start()  # type: ignore[untyped-decorator]
        @human.human_feedback(message="Really?", provider=Somebody())  # type: ignore[untyped-decorator]
        def book(self) -> str:
            return "booked"

        @flow.listen(book)  # type: ignore[untyped-decorator]
        def tell(self) -> str:
            return "told"

    waiting = started(its, Asking())
    again = Asking.from_pending(waiting.context.flow_id)
    assert (its.run(again.resume_async("yes")) if its.kind == "async" else again.resume("yes")) == "told"
    about = {"gen_ai.conversation.id": waiting.context.flow_id}
    interrupted = {"obs.outcome": "interrupted"}
    assert_trees(
        telemetry.spans(),
        Node("invoke_workflow Asking", task(name="step book", **interrupted), attributes={**about, **interrupted}),
        Node(
            "invoke_workflow Asking",
            # The oldest release does not tell that the method goes on.
            *(() if ENVIRONMENT == OLDEST else (task(name="step book"),)),
            task(name="step tell"),
            attributes={**about, "obs.resumed": True, "obs.outcome": None},
        ),
    )


@pytest.mark.usefixtures("its")
def test_memory_is_searched_and_written(telemetry: Any) -> None:
    unified = import_module("crewai.memory.unified_memory")

    def embedder(texts: list[str]) -> list[list[float]]:
        return [[1.0] * 8 for _ in texts]

    memory = unified.Memory(llm=fakes.model(), embedder=embedder)
    memory.remember("It rains in Lisbon.", scope="/weather", categories=["weather"], importance=0.5)
    found = memory.recall("Lisbon", depth="shallow", scope="/weather")
    memory.drain_writes()
    spans = {span.name: span for span in telemetry.spans()}
    assert spans["search_memory"].attributes["gen_ai.memory.record.count"] == len(found) == 1
    assert spans["upsert_memory"].status.status_code.name == "UNSET"


def test_what_the_library_tells_its_vendor_is_not_recorded(telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    vendors: Any = import_module("crewai.telemetry.telemetry")
    memory: Any = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(vendors, "SafeOTLPSpanExporter", lambda **_: memory.InMemorySpanExporter())
    monkeypatch.setattr(vendors.Telemetry, "_instance", None)
    monkeypatch.setattr(vendors.Telemetry, "_register_shutdown_handlers", lambda _: None)
    told = vendors.Telemetry()
    told.set_tracer()
    assert told.ready
    told.tool_usage(None, "weather", 1)
    assert telemetry.spans() == []
    told.provider.shutdown()


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.crewai import events

    left_before = len(events.ongoing)

    def abandon(its: Any) -> None:
        its.abandon(its.stream(its.agent(story.weather)))
        # What nobody reads any more goes on in a thread of the library's.
        until = time.monotonic() + story.TIMEOUT
        while len(events.ongoing) > left_before and time.monotonic() < until:
            time.sleep(0.01)

    with driver("sync", stub) as sync, driver("async", stub) as its:
        ways = [
            lambda: sync.ask(sync.agent(story.weather)),
            lambda: its.ask(its.agent(story.weather)),
            lambda: abandon(sync),
            lambda: its.using(is_alone=True).ask(its.agent(story.weather)),
            lambda: started(its.using(), _flow(its)),
            sync.ask_in_a_thread,
            lambda: cancel(its),
        ]
        assert_leave_nothing(ways, events.ongoing, telemetry, times=200, library_grows=True)
