"""Tokens and cost: what counts, for whom, and that nothing counts twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from obs_run.analysis.trace_tree import build
from obs_run.analysis.usage import (
    Totals,
    agent_of,
    counted_usage,
    model_of,
    tool_of,
    total,
    usage_by,
    usage_by_subtree,
)
from obs_run.telemetry.summary import summary
from tests.unit.analysis import drawing, soups

if TYPE_CHECKING:
    from obs_run.telemetry.records import Span


def span(name: str, parent: str | None, operation: str | None, *usage: float | None, **fields: Any) -> Span:
    names = ("input_tokens", "output_tokens", "cost")
    told = dict(zip(names, usage, strict=False))
    return drawing.span(name, 0, 9, parent, operation=operation, **told, **fields)


def chat(name: str, parent: str | None, *usage: float | None, model: str = "m", **fields: Any) -> Span:
    return span(name, parent, "chat", *usage, model=model, **fields)


RUN = [
    span("run", None, None),
    span("planner", "run", "invoke_agent", 999, 999, 9.0, agent="planner"),
    chat("c1", "planner", 10, 1, 0.5),
    span("t", "planner", "execute_tool", 7, 7, 7.0, tool="ask"),
    span("helper", "t", "invoke_agent", 20, 2, 0.25, agent="helper"),
    chat("c2", "helper", 20, 2, 0.25, model="n", status="error"),
    chat("c3", "run", 5, None, None),
]


def summed(input_tokens: int | None, output_tokens: int | None, cost: float | None, *counts: int) -> Totals:
    calls, errors, unpriced = (*counts, 0, 0, 0)[:3]
    return Totals(calls, errors, unpriced, input_tokens, output_tokens, cost)


def test_what_agents_and_tools_repeat_counts_once() -> None:
    tree = build(RUN)
    used = {node.span.span_id: own for node, own in usage_by_subtree(tree).items()}
    assert used["planner"] == summed(30, 3, 0.75, 2, 1)
    assert used["t"] == used["helper"] == used["c2"] == summed(20, 2, 0.25, 1, 1)
    assert used["run"] == total(tree) == summed(35, 3, 0.75, 3, 1, 1)
    assert sorted(node.span.span_id for node in counted_usage(tree)) == ["c1", "c2", "c3"]


def test_usage_by_agent_tool_and_model() -> None:
    tree = build(RUN)
    assert usage_by(tree, agent_of) == {
        "planner": summed(10, 1, 0.5, 1),
        "helper": summed(20, 2, 0.25, 1, 1),
        None: summed(5, None, None, 1, 0, 1),
    }
    assert usage_by(tree, tool_of)["ask"] == summed(20, 2, 0.25, 1, 1)
    assert usage_by(tree, model_of)["m"] == summed(15, 1, 0.5, 2, 0, 1)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        # Only agents tell: the larger of what the outer one and the inner ones tell.
        ([span("a", None, "invoke_agent", 10), span("b", "a", "invoke_agent", 4)], summed(10, None, None)),
        ([span("a", None, "invoke_agent", 3), span("b", "a", "invoke_agent", 4)], summed(4, None, None)),
        (
            [span("a", None, None), span("b", "a", "invoke_agent", 4), span("c", "a", "invoke_agent", 5)],
            summed(9, None, None),
        ),
        # Each figure for itself: the calls tell tokens, the agent the cost.
        ([span("a", None, "invoke_agent", 10, 1, 0.5), chat("b", "a", 8, 1)], summed(8, 1, 0.5, 1, 0, 1)),
        # A model call elsewhere in the trace may be one that the agent repeats.
        ([span("a", None, "invoke_agent", 10), chat("b", None, 8)], summed(8, None, None, 1, 0, 1)),
        # A framework's call of a model and the client's are one.
        ([chat("a", None, 10, 1, 0.5), chat("b", "a", 10, 1, 0.5)], summed(10, 1, 0.5, 1)),
        ([chat("a", None, 10), drawing.span("x", 1, 2, "a"), chat("b", "x", None, 1)], summed(10, 1, None, 1, 0, 1)),
        # What is around two attempts tells the one that was answered, or both.
        ([chat("a", None, 10), chat("b", "a", 4, status="error"), chat("c", "a", 5)], summed(10, None, None, 2, 1, 2)),
        ([], Totals()),
    ],
)
def test_what_counts_of_agents(spans: list[Span], expected: Totals) -> None:
    assert total(build(spans)) == expected


def test_another_trace_is_another_matter() -> None:
    spans = [span("a", None, "invoke_agent", 10), chat("b", None, 8, trace_id="2" * 32)]
    assert total(build(spans)).input_tokens == 18


@given(soups.soup())
def test_groups_add_up_to_the_total_and_roots_too(spans: list[Span]) -> None:
    tree = build(spans)
    whole = total(tree)
    for key in (agent_of, tool_of, model_of):
        groups = usage_by(tree, key).values()
        assert sum(group.input_tokens or 0 for group in groups) == (whole.input_tokens or 0)
        assert sum(group.calls for group in groups) == whole.calls
    subtrees = usage_by_subtree(tree)
    assert sum(subtrees[root].cost or 0 for root in tree.roots) == pytest.approx(whole.cost or 0)


@given(soups.soup())
def test_the_total_is_the_summary_of_the_trace(spans: list[Span]) -> None:
    """Nested, in a circle or alone, and as the local store counts them."""
    of_one = {span.span_id: replace(span, trace_id="1" * 32) for span in spans}
    if of_one:
        whole, trace = total(build(of_one.values())), summary("1" * 32, list(of_one.values()), [])
        assert (trace.input_tokens, trace.output_tokens) == (whole.input_tokens, whole.output_tokens)
        assert trace.cost == (whole.cost if whole.cost is None else pytest.approx(whole.cost))
