"""What smolagents can do besides the story: a real client, agents inside of agents, code, plans, and hygiene."""

from __future__ import annotations

from typing import Any

import pytest

from obs_run.base.json_text import from_json
from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.agent_tests import BudgetTests
from tests.instrumentors.frameworks.answers import CITY, CLIENTS_MODEL, MODEL
from tests.instrumentors.frameworks.drivers import driver, driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing, ways_of
from tests.instrumentors.smolagents.library import tool_of
from tests.instrumentors.trees import Node, assert_trees

CODE = "Thought: I ask.\n<code>\nfinal_answer(weather(city='Lisbon'))\n</code>"


its = driver_fixture("sync")


def step(number: int, *children: Node) -> Node:
    return Node("step step", *children, attributes={"obs.step.number": number, "gen_ai.agent.name": story.AGENT})


def chat(model: str = MODEL, **attributes: Any) -> Node:
    return Node(f"chat {model}", kind="CLIENT", status="UNSET", attributes=attributes)


def tool(name: str = "weather") -> Node:
    return Node(
        f"execute_tool {name}", kind="INTERNAL", attributes={"gen_ai.tool.description": "Tell the weather of a city."}
    )


@pytest.mark.parametrize("streams", [{}, {"stream_outputs": True}], ids=["whole", "stream"])
def test_the_client_tells_each_call_once(streams: dict[str, Any], its: Any, telemetry: Any) -> None:
    its.using(is_faked=False).named(story.AGENT, story.weather, max_steps=1, **streams).run(
        f"{story.PROMPT} [stub:cached]"
    )
    chats = [span for span in telemetry.spans() if span.name == f"chat {CLIENTS_MODEL}"]
    assert chats
    for span in chats:
        assert span.attributes["openai.api.type"] == "chat_completions"
        assert span.attributes["gen_ai.response.model"] == f"{CLIENTS_MODEL}-2025-08-07"
        assert span.attributes.get("obs.response.tool_calls") in (None, ("weather", "final_answer"))
        # Of which the library tells nothing.
        assert span.attributes["gen_ai.usage.cache_read.input_tokens"] > 0
    assert [span.name for span in telemetry.spans() if span.parent is None] == [f"invoke_agent {story.AGENT}"]


class TestAgents(BudgetTests):
    pass


def test_an_agent_inside_of_another(its: Any, telemetry: Any) -> None:
    inner = its.named("inner", max_steps=3)
    its.named(story.AGENT, managed_agents=[inner]).run(story.PROMPT)
    run = Node("execute_tool inner", Node("invoke_agent inner", Node("step step", chat())))
    assert_trees(telemetry.spans(), story.agent(step(1, chat(), run), step(2, chat())))


def test_tools_that_the_models_code_calls(its: Any, telemetry: Any) -> None:
    from obs_run.context import threads

    # The library runs the code in a thread, into which the launcher has the context carried.
    threads.install()
    model = its.model()
    model.client.said = CODE
    agent = its.library.CodeAgent([tool_of(story.weather)], model, name=story.AGENT, verbosity_level=0)
    assert agent.run(story.PROMPT) == "rain in Lisbon"
    assert_trees(telemetry.spans(), story.agent(step(1, chat(), tool())))


@pytest.mark.parametrize("said", ["city='Lisbon'", "'Lisbon'", "{'city': 'Lisbon'}"])
def test_arguments_have_names_whatever_way_code_says_them(
    said: str, its: Any, telemetry: Any, with_content: None
) -> None:
    from obs_run.context import threads

    assert with_content is None
    threads.install()
    model = its.model()
    model.client.said = CODE.replace("city='Lisbon'", said)
    agent = its.library.CodeAgent([tool_of(story.weather)], model, name=story.AGENT, verbosity_level=0)
    assert agent.run(story.PROMPT) == "rain in Lisbon"
    (called,) = [span for span in telemetry.spans() if span.name == "execute_tool weather"]
    assert from_json(called.attributes["gen_ai.tool.call.arguments"]) == CITY


def test_a_plan_has_its_model_call_inside(its: Any, telemetry: Any) -> None:
    its.named(story.AGENT, planning_interval=1, max_steps=2).run(story.PROMPT)
    spans = {span.context.span_id: span for span in telemetry.spans()}
    plans = [span for span in spans.values() if span.name == f"plan {story.AGENT}"]
    assert plans
    inside = {spans[span.parent.span_id].name for span in spans.values() if span.name == f"chat {MODEL}"}
    assert inside == {f"plan {story.AGENT}", "step step"}


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_a_stream_that_is_left_at_its_answer_is_read(its: Any, telemetry: Any) -> None:
    stream = its.stream(its.agent(story.weather))
    for event in stream:
        if type(event).__name__ == "FinalAnswerStep":
            break
    stream.close()
    assert [span.attributes.get("obs.outcome") for span in telemetry.spans()] == [None] * len(telemetry.spans())


def test_runs_of_all_kinds_leave_nothing(stub: Any, telemetry: Any) -> None:
    # A stream that is left is none of them: the library ignores that it is closed, and pytest keeps each complaint.
    with driver("sync", stub) as its:
        assert_leave_nothing(ways_of(its, cancels=False), (), telemetry, times=200)
