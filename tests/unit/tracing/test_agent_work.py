"""Agents of one's own, told by hand: the same spans, sums and budgets as those of a framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.unit.agents import Run

ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
TRIP = """
    import asyncio, contextvars, threading
    from obs_run.tracing import trace_agent, trace_model_call, trace_step, trace_tool, trace_workflow
    import telemetry_probe

    @trace_tool
    def weather(city: str, days: int = 1) -> str:
        return f"sunny in {city}"

    @trace_tool(call_id="c-2")
    async def flights(city: str) -> list[str]:
        await asyncio.sleep(0)
        return ["TP1"]

    @trace_model_call("small-1", provider="own")
    def ask(question: str) -> str:
        return "take the train"

    @trace_agent("travel agent", agent_id="a-1", version="2", conversation_id="c-9")
    async def plan(question: str) -> str:
        with trace_step("look", number=1):
            weather("Lisbon")
            weather("Lisbon")
            await flights("Lisbon")
        with trace_model_call("small-1", provider="own") as call:
            call.set_input([{"role": "user", "content": question}])
            call.set_usage(input_tokens=12, output_tokens=3)
            call.set_response_model("small-1-b")
            call.set_output("by train")
        return ask(question)
"""


def _tree(spans: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    names = {span["span"]: span["name"] for span in spans}
    return sorted((span["name"], names.get(span["parent"])) for span in spans)


def test_an_agent_told_by_hand_is_a_tree_with_sums(agent: Run) -> None:
    ran = agent(f"{TRIP}\n    asyncio.run(plan('how?'))\n    telemetry_probe.show()", **ON)
    assert (ran.code, ran.err) == (0, "")
    assert _tree(ran.seen["spans"]) == [
        ("chat small-1", "invoke_agent travel agent"),
        ("chat small-1", "invoke_agent travel agent"),
        ("execute_tool flights", "step look"),
        ("execute_tool weather", "step look"),
        ("execute_tool weather", "step look"),
        ("invoke_agent travel agent", None),
        ("step look", "invoke_agent travel agent"),
    ]
    run = ran.spans()["invoke_agent travel agent"]["attributes"]
    sums = {name: run[f"obs.run.{name}"] for name in ("steps", "model_calls", "tool_calls", "repeated_tool_calls")}
    assert sums == {"steps": 3, "model_calls": 2, "tool_calls": 3, "repeated_tool_calls": 1}
    assert (run["gen_ai.agent.id"], run["gen_ai.agent.version"], run["gen_ai.conversation.id"]) == ("a-1", "2", "c-9")
    assert (run["gen_ai.usage.input_tokens"], run["gen_ai.usage.output_tokens"]) == (12, 3)
    assert json.loads(run["gen_ai.input.messages"])[0]["parts"] == [{"type": "text", "content": "how?"}]
    assert json.loads(run["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "take the train"}]
    tool = ran.spans()["execute_tool weather"]["attributes"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"city": "Lisbon"}
    assert tool["gen_ai.tool.call.result"] == "sunny in Lisbon"
    flights = ran.spans()["execute_tool flights"]["attributes"]
    assert (flights["gen_ai.tool.call.id"], json.loads(flights["gen_ai.tool.call.result"])) == ("c-2", ["TP1"])
    answered = [span for span in ran.seen["spans"] if "gen_ai.response.model" in span["attributes"]]
    assert [span["attributes"]["gen_ai.provider.name"] for span in answered] == ["own"]


def test_content_is_kept_only_where_it_is_wanted(agent: Run) -> None:
    ran = agent(f"{TRIP}\n    asyncio.run(plan('how?'))\n    telemetry_probe.show()")
    shown = str(ran.seen["spans"])
    assert len(ran.seen["spans"]) == 7
    assert "Lisbon" not in shown
    assert "how?" not in shown
    assert "train" not in shown


def test_errors_outcomes_and_failures_told(agent: Run) -> None:
    ran = agent(f"""{TRIP}
    @trace_tool("broken")
    def broken():
        raise KeyError("x")

    @trace_agent("teller")
    def teller():
        yield 1
        weather("Faro")
        yield 2

    async def slow():
        async with trace_agent("slow") as run:
            run.set_tag("team", {{"a": 1}})
            await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        broken()
    except KeyError:
        pass
    with trace_tool("says no") as call:
        call.fail("not today", "refused")
    assert list(teller()) == [1, 2]
    left = teller()
    next(left)
    left.close()
    asyncio.run(cancelled())
    telemetry_probe.show()
    """)
    assert (ran.code, ran.err) == (0, "")
    spans = ran.spans()
    assert spans["execute_tool broken"]["attributes"]["error.type"] == "KeyError"
    assert spans["execute_tool says no"]["attributes"]["error.type"] == "refused"
    assert spans["execute_tool says no"]["status"] == "ERROR"
    slow = spans["invoke_agent slow"]
    assert (slow["status"], slow["attributes"]["obs.outcome"]) == ("UNSET", "cancelled")
    assert json.loads(slow["attributes"]["team"]) == {"a": 1}
    tellers = [span for span in ran.seen["spans"] if span["name"] == "invoke_agent teller"]
    assert sorted(span["attributes"].get("obs.run.tool_calls", 0) for span in tellers) == [0, 1]
    assert {span["status"] for span in tellers} == {"UNSET"}
    assert spans["execute_tool weather"]["parent"] in {span["span"] for span in tellers}


def test_a_budget_stops_it(agent: Run) -> None:
    ran = agent(
        f"""{TRIP}
    from obs_run.tracing import BudgetExceeded

    def looping():
        with trace_agent("looper"):
            while True:
                with trace_model_call("small-1"):
                    pass
    try:
        looping()
    except BudgetExceeded as error:
        print(error.run, error.budget, error.limit)
    telemetry_probe.show()
    """,
        OBS_BUDGET_STEPS="3",
        OBS_BUDGET_ACTION="stop",
    )
    assert "looper steps 3" in ran.out
    assert sum(span["name"] == "chat small-1" for span in ran.seen["spans"]) == 3


def test_nothing_changes_for_the_agent_where_nothing_is_recorded(agent: Run) -> None:
    ran = agent(
        f"{TRIP}\n    print(asyncio.run(plan('how?')), weather.__name__, trace_agent('x')(len)([1]))\n"
        "    with trace_agent('y') as run:\n        run.set_output('z'); run.set_tag('a', 1); print(run.context)",
        OTEL_SDK_DISABLED="true",
    )
    assert (ran.code, ran.out, ran.err) == (0, "take the train weather 1\nNone\n", "")


def test_what_is_passed_by_place_goes_where_the_table_says(agent: Run) -> None:
    ran = agent("""
    from obs_run.tracing import trace_agent, trace_model_call, trace_step, trace_tool, trace_workflow
    import telemetry_probe
    with trace_workflow("flow", "c-1"), trace_agent("writer", "a-1", "2", "writes", "small", 42):
        with trace_step("draft", 3), trace_model_call("small", "own"), trace_tool("look", "t-1", "looks"):
            pass
    telemetry_probe.show()
    """)
    assert (ran.code, ran.err) == (0, "")
    spans = {name: span["attributes"] for name, span in ran.spans().items()}
    run = spans["invoke_agent writer"]
    assert spans["invoke_workflow flow"]["gen_ai.conversation.id"] == "c-1"
    assert [run[f"gen_ai.agent.{part}"] for part in ("id", "version", "description")] == ["a-1", "2", "writes"]
    # Ids are texts, whatever a database has them as.
    assert (run["gen_ai.request.model"], run["gen_ai.conversation.id"]) == ("small", "42")
    assert spans["step draft"]["obs.step.number"] == 3
    assert spans["chat small"]["gen_ai.provider.name"] == "own"
    assert spans["execute_tool look"]["gen_ai.tool.call.id"] == "t-1"


def test_a_wrong_call_is_one_clear_line_and_never_raises(agent: Run) -> None:
    ran = agent("""
    from obs_run.tracing import get_tracer, trace_agent, trace_function, trace_model_call, trace_step, trace_tool
    import telemetry_probe

    class NoBool:
        def __bool__(self):
            raise ValueError

    with trace_agent("writer", conversation="c"), trace_step(7), trace_model_call() as call:
        call.set_usage(prompt_tokens=3)
        call.set_usage("many", {})
        call.set_usage(2.0, NoBool())
        call.set_tag("alone")
    with trace_model_call(NoBool()):
        pass

    @trace_model_call
    def bare(question):
        return question

    @trace_function(8)
    def numbered():
        return 1

    tracer = get_tracer("a")
    with tracer.span("spanned", nothing=1) as span:
        span.log_event("row", event=1, self=2, size=3)
    tracer.finish_span(None)
    print(bare("asked"), numbered(), trace_tool("t")(5), span.logs[0]["event"], span.logs[0]["size"])
    telemetry_probe.show()
    """)
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "asked 1 5 row 3"
    assert {"invoke_agent writer", "step 7", "chat", "8", "spanned"} <= ran.spans().keys()
    asked = [span["attributes"] for span in ran.seen["spans"] if "gen_ai.usage.input_tokens" in span["attributes"]]
    assert [told["gen_ai.usage.input_tokens"] for told in asked] == [2, 2]
    said = ran.err.splitlines()
    assert said[0] == (
        "trace_agent() got an unexpected keyword argument 'conversation'; allowed: name, agent_id, version, "
        "description, model, conversation_id; what is wrong was left out"
    )
    assert [line.partition(";")[0] for line in said[1:]] == [
        "trace_model_call() missing 1 required positional argument: 'model'",
        "set_usage() got an unexpected keyword argument 'prompt_tokens'",
        "set_tag() missing 1 required positional argument: 'value'",
        "trace_model_call: which model is called? @trace_model_call(model) says it",
        "span() got an unexpected keyword argument 'nothing'",
        "log_event() got multiple values for argument 'event'",
        "finish_span: NoneType is not allowed",
        "int cannot be decorated: it is no function",
    ]


def test_a_property_and_a_cache_stay_what_they_are(agent: Run) -> None:
    ran = agent("""
    from functools import lru_cache
    from obs_run.tracing import trace_step, trace_tool
    import telemetry_probe

    class Agent:
        @trace_step
        @property
        def plan(self):
            return "plan"

    @trace_tool
    @lru_cache
    def search(query):
        return query

    print(Agent().plan, search("a"), search("a"), search.cache_info().hits)
    telemetry_probe.show()
    """)
    assert (ran.code, ran.out.splitlines()[0], ran.err) == (0, "plan a a 1", "")
    assert [span["name"] for span in ran.seen["spans"]] == ["step plan", "execute_tool search", "execute_tool search"]
