"""What is told of runs of agents once they are exported: sums by agent and tool, context windows, metrics, budgets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core.operations import Embedding, Inference, Usage
from obs_run.pipeline import context_windows, prices
from obs_run.pipeline.run_totals import RunTotals
from tests.unit.records import record_of

if TYPE_CHECKING:
    from tests.unit.agents import Run

WORK = """
import telemetry_probe
from obs_run.core import content, recorder
from obs_run.core.operations import AgentRun, Inference, ToolCall, Usage, Workflow

def chat(model="gpt-4o-mini", tokens=12_800):
    operation = Inference("chat", provider="openai", request_model=model, usage=Usage(tokens, 1000))
    recording = recorder.start(operation)
    recording.end()

def tool(name, *inside, **arguments):
    operation = ToolCall(tool_name=name)
    content.note_arguments(operation, arguments)
    recording = recorder.start(operation)
    with recording:
        for each in inside:
            each()
    recording.end()

def run(operation, *inside):
    recording = recorder.start(operation)
    try:
        with recording:
            for each in inside:
                each()
    except Exception as error:
        recording.end(error)
        raise
    recording.end()
"""
TEAM = """
run(Workflow(workflow_name="team"),
    lambda: run(AgentRun(agent_name="lead"),
        chat,
        lambda: tool("search", q="x"), lambda: tool("search", q="x"), lambda: tool("search", q="x"),
        lambda: tool("ask_writer", lambda: run(AgentRun(agent_name="writer"), lambda: chat(tokens=64_000))),
        lambda: chat("a-model-of-our-own")))
telemetry_probe.show()
"""
INPUT, OUTPUT = 0.15e-6, 0.6e-6
LEAD_COST = 12_800 * INPUT + 1000 * OUTPUT
WRITER_COST = 64_000 * INPUT + 1000 * OUTPUT


def test_a_run_is_told_with_its_parts(agent: Run) -> None:
    spans = agent(WORK + TEAM).spans()
    team, lead, writer = (
        spans[name]["attributes"] for name in ("invoke_workflow team", "invoke_agent lead", "invoke_agent writer")
    )
    by_agent = {
        "lead": {"model_calls": 2, "input_tokens": 25_600, "output_tokens": 2000, "unknown_cost": 1},
        "writer": {"model_calls": 1, "input_tokens": 64_000, "output_tokens": 1000},
    }
    costs = {"lead": LEAD_COST, "writer": WRITER_COST}
    for attributes in (team, lead):
        told = json.loads(attributes["obs.run.agents"])
        assert {name: part.pop("cost") for name, part in told.items()} == pytest.approx(costs)
        assert told == by_agent
        assert list(json.loads(attributes["obs.run.tools"])) == ["ask_writer"]
        assert attributes["obs.cost.subtree"] == pytest.approx(LEAD_COST + WRITER_COST)
        assert attributes["obs.run.unknown_cost"] == 1
        assert attributes["obs.run.context_fill"] == pytest.approx(0.5)
        assert attributes["obs.run.context_window"] == 128_000
        assert (attributes["obs.run.model_calls"], attributes["obs.run.tool_calls"]) == (3, 4)
        assert (attributes["obs.run.repeated_tool_calls"], attributes["obs.run.loops"]) == (2, 1)
        assert list(attributes["obs.run.loop_tools"]) == ["search"]
        assert 0 < attributes["obs.run.own_time"] < 60
    assert not {"obs.run.agents", "obs.run.tools", "obs.run.unknown_cost", "obs.run.tool_calls"} & set(writer)
    assert writer["obs.cost.subtree"] == pytest.approx(WRITER_COST)


def points(seen: dict[str, Any], name: str, value: str) -> dict[tuple[Any, ...], float]:
    """Return the points of a metric by their labels."""
    return {tuple(point["attributes"].values()): point[value] for point in seen["metrics"][name]["points"]}


def test_runs_and_agents_are_measured(agent: Run) -> None:
    seen = agent(WORK + TEAM).seen
    lead, writer, team = ("invoke_agent", "lead"), ("invoke_agent", "writer"), ("invoke_workflow", "team")
    assert points(seen, "obs.run.steps", "sum") == {lead: 3, writer: 1, team: 3}
    assert points(seen, "obs.run.model_calls", "sum") == {lead: 3, writer: 1, team: 3}
    assert points(seen, "obs.run.tool_calls", "sum") == {lead: 4, team: 4}
    assert points(seen, "obs.run.repeated_tool_calls", "value") == {lead: 2, team: 2}
    assert points(seen, "obs.run.loops", "value") == {lead: 1, team: 1}
    assert set(points(seen, "obs.run.model_time", "sum")) == set(points(seen, "obs.run.own_time", "sum"))
    tokens = {
        ("lead", "input"): 25_600,
        ("lead", "output"): 2000,
        ("writer", "input"): 64_000,
        ("writer", "output"): 1000,
    }
    assert points(seen, "obs.agent.tokens", "value") == tokens
    costs = {("lead",): LEAD_COST, ("writer",): WRITER_COST}
    assert points(seen, "obs.agent.cost", "value") == pytest.approx(costs)
    assert points(seen, "obs.run.context_fill", "sum") == pytest.approx({lead: 0.5, writer: 0.5, team: 0.5})


def test_runs_are_measured_though_their_traces_are_not_kept(agent: Run) -> None:
    seen = agent(WORK + TEAM, OTEL_TRACES_SAMPLER="always_off").seen
    assert not seen["spans"]
    costs = {("lead",): LEAD_COST, ("writer",): WRITER_COST}
    assert points(seen, "obs.agent.cost", "value") == pytest.approx(costs)
    assert points(seen, "obs.run.loops", "value") == {("invoke_agent", "lead"): 1, ("invoke_workflow", "team"): 1}


STOPPED = """
from obs_run.tracing import BudgetExceeded
try:
    run(AgentRun(agent_name="lead"), *[chat] * 10)
except BudgetExceeded as error:
    print(error)
telemetry_probe.show()
"""


@pytest.mark.slow
@pytest.mark.parametrize("exported", ["exported", "nowhere"])
def test_a_budget_of_money_stops_a_run(exported: str, agent: Run) -> None:
    settings = {"OBS_BUDGET_USD": "0.006", "OBS_BUDGET_ACTION": "stop"}
    said = "the run of lead has used 0.00756 of 0.006 US dollars (OBS_BUDGET_USD)"
    if exported == "nowhere":
        nowhere = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
        ran = agent((WORK + STOPPED).replace("telemetry_probe.show()", ""), **settings, **nowhere)
        assert said in ran.out
        return
    ran = agent(WORK + STOPPED, **settings)
    assert said in ran.out
    assert f"obs-run: {said}" in ran.err
    span = ran.spans()["invoke_agent lead"]
    assert list(span["attributes"]["obs.run.exceeded_budgets"]) == ["usd"]
    assert span["attributes"]["error.type"].endswith("BudgetExceeded")
    assert span["events"].count("obs.budget.exceeded") == 1
    assert len([each for each in ran.seen["spans"] if each["name"] == "chat gpt-4o-mini"]) == 3
    assert list(points(ran.seen, "obs.run.exceeded_budgets", "value").values()) == [1]


def test_a_price_that_the_table_has_counts_though_prices_are_not_exported(agent: Run) -> None:
    ran = agent(WORK + STOPPED, OBS_BUDGET_USD="0.006", OBS_BUDGET_ACTION="stop", OBS_COST="false")
    assert "of 0.006 US dollars" in ran.out
    span = ran.spans()["invoke_agent lead"]
    assert not {"obs.cost.subtree", "obs.run.unknown_cost"} & set(span["attributes"])


def test_context_windows_are_those_of_the_model_that_answered() -> None:
    def window(**fields: Any) -> int | None:
        return context_windows.of(record_of(Inference("chat", **fields)))

    assert window(provider="openai", request_model="gpt-4o-mini") == 128_000
    assert window(provider="openai", request_model="gpt-3.5-turbo", response_model="gpt-4o-mini-2024-07-18") == 128_000
    assert window(provider="openai", request_model="no-such-model") is None
    assert window(provider="openai") is None


def test_many_windows_are_known() -> None:
    anthropic = prices.context_window("anthropic", "claude-sonnet-4-5")
    openai = prices.context_window("openai", "gpt-5")
    assert anthropic is not None
    assert openai is not None
    assert min(anthropic, openai) >= 200_000


def test_runs_that_never_end_and_parts_without_end_are_bounded() -> None:
    totals = RunTotals()
    record = record_of(Embedding("embeddings", usage=Usage(1)))
    for number in range(200):
        totals.add(record._replace(runs=((0, f"tool {number}"),), agent_name=f"agent {number}"), None)
    of_one = totals.pop(record._replace(run=0))
    assert of_one is not None
    told = of_one.attributes()
    for by, name in (("tools", "tool"), ("agents", "agent")):
        parts = json.loads(told[f"obs.run.{by}"])
        assert len(parts) == 65
        assert parts[f"{name} 0"]["model_calls"] == 1
        assert parts["(others)"]["model_calls"] == 200 - 64
    for number in range(1, 12_000):
        totals.add(record._replace(runs=((number, None),)), None)
    assert totals.pop(record._replace(run=1)) is None, "one of too many"
    newest = totals.pop(record._replace(run=11_999))
    assert newest is not None
    assert newest.attributes() == {"obs.run.unknown_cost": 1}
