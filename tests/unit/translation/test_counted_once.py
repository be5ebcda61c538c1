"""A model call that several spans tell of: its tokens and its price are told once, by ours where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Ran, Run

BEGIN = """
from contextlib import contextmanager
from fake_models import *
from opentelemetry import trace
from telemetry_probe import show
tracer = trace.get_tracer("theirs")
LLM = {
    "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o-mini",
    "llm.token_count.prompt": 10, "llm.token_count.completion": 5, "llm.token_count.total": 15,
    "llm.token_count.prompt_details.cache_read": 4,
}
RUN = {
    "langsmith.span.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.id": "answer-1", "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5, "gen_ai.usage.total_tokens": 15,
}
def ask():
    client({**completion(), "id": "answer-1"}).chat.completions.create(**QUESTION)
def around(call, **attributes):
    with tracer.start_as_current_span("theirs", attributes={**LLM, **attributes}):
        call()
"""
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


def _counted(ran: Ran) -> list[dict[str, Any]]:
    """Return the spans that tell of tokens to be counted."""
    return [span for span in ran.seen["spans"] if any(name in span["attributes"] for name in USAGE)]


def _is_paid_once(ran: Ran, scope: str) -> None:
    (counted,) = _counted(ran)
    assert counted["scope"] == scope
    priced = [span for span in ran.seen["spans"] if "obs.cost.total" in span["attributes"]]
    assert priced == [counted]
    (point,) = ran.seen["metrics"]["obs.client.cost"]["points"]
    assert point["value"] == pytest.approx(counted["attributes"]["obs.cost.total"])
    assert point["value"] > 0


def _theirs(ran: Ran) -> list[dict[str, Any]]:
    return [span["attributes"] for span in ran.seen["spans"] if span["scope"] == "theirs"]


@pytest.mark.parametrize("keeps", ["false", "true"])
def test_a_span_of_others_around_a_call_of_ours(openai_agent: Run, keeps: str) -> None:
    ran = openai_agent(BEGIN + "around(ask)\nshow()", OBS_KEEP_FOREIGN_ATTRIBUTES=keeps)
    _is_paid_once(ran, "obs_run")
    (told,) = _theirs(ran)
    assert told["gen_ai.operation.name"] == "chat"
    assert (told["obs.usage.input_tokens"], told["obs.usage.output_tokens"]) == (10, 5)
    assert not any(name.startswith("gen_ai.usage.") for name in told)


def test_a_span_of_others_inside_of_a_call_of_ours(openai_agent: Run) -> None:
    ran = openai_agent(
        BEGIN
        + """
def inside(request):
    around(lambda: None)
    return completion()
client(inside).chat.completions.create(**QUESTION)
show()
"""
    )
    _is_paid_once(ran, "obs_run")


@pytest.mark.parametrize("keeps", ["false", "true"])
def test_a_span_of_others_that_comes_later_and_elsewhere(openai_agent: Run, keeps: str) -> None:
    ran = openai_agent(
        BEGIN
        + """
ask()
tracer.start_span("ChatOpenAI", context=trace.set_span_in_context(trace.INVALID_SPAN), attributes=RUN).end()
show()
""",
        OBS_KEEP_FOREIGN_ATTRIBUTES=keeps,
    )
    _is_paid_once(ran, "obs_run")


def test_two_spans_of_others_of_one_call(agent: Run) -> None:
    ran = agent(BEGIN.replace("from fake_models import *", "") + "around(lambda: around(lambda: None))\nshow()")
    _is_paid_once(ran, "theirs")


def test_calls_of_others_one_after_the_other_are_each_counted(agent: Run) -> None:
    source = 'around(lambda: None, **{"gen_ai.response.id": "mock"})\n' * 2
    ran = agent(BEGIN.replace("from fake_models import *", "") + source + "show()")
    assert len(_counted(ran)) == 2
    (point,) = ran.seen["metrics"]["obs.client.cost"]["points"]
    assert point["value"] == pytest.approx(sum(span["attributes"]["obs.cost.total"] for span in _counted(ran)))


def test_there_are_no_metrics_of_tokens_of_others(agent: Run) -> None:
    ran = agent(BEGIN.replace("from fake_models import *", "") + "around(lambda: None)\nshow()")
    assert [name for name in ran.seen["metrics"] if name.startswith("gen_ai.")] == []


def test_a_run_of_ours_sums_up_what_calls_of_others_in_it_cost(agent: Run) -> None:
    ran = agent(
        BEGIN.replace("from fake_models import *", "")
        + """
from obs_run.core import recorder
from obs_run.core.operations import AgentRun
run = recorder.start(AgentRun(agent_name="meteo"))
with run:
    with tracer.start_as_current_span("a step"):
        around(lambda: None)
run.end()
show()
"""
    )
    (call,) = _theirs(ran)[:1]
    run = ran.spans()["invoke_agent meteo"]["attributes"]
    assert run["obs.cost.subtree"] == pytest.approx(call["obs.cost.total"])
