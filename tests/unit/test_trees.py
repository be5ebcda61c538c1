"""What scenario tests compare trees of spans with."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from tests.instrumentors.trees import Node, assert_trees

_numbers = count(1)


def span(name: str, parent: Any = None, **attributes: Any) -> Any:
    number = next(_numbers)
    return SimpleNamespace(
        name=name,
        context=SimpleNamespace(span_id=number),
        parent=None if parent is None else parent.context,
        start_time=number,
        kind=SimpleNamespace(name="INTERNAL"),
        status=SimpleNamespace(status_code=SimpleNamespace(name="UNSET")),
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
    )


@pytest.fixture
def spans() -> list[Any]:
    """A run with two steps, exported as spans are: those inside first."""
    run = span("run")
    first = span("step", run, gen_ai__tool__name="weather")
    inside = span("chat", first)
    second = span("step", run)
    return [inside, second, first, run]


def difference(spans: list[Any], *expected: Node) -> list[str]:
    """Return what the failure of a comparison shows."""
    with pytest.raises(AssertionError) as caught:
        assert_trees(spans, *expected)
    _, *lines = str(caught.value).splitlines()
    return lines


def test_equal_trees(spans: list[Any]) -> None:
    assert_trees(spans, Node("run", Node("step", Node("chat")), Node("step")))
    tool = Node("step", Node("chat"), kind="INTERNAL", status="UNSET", attributes={"gen_ai.tool.name": "weather"})
    assert_trees(spans, Node("run", tool, Node("step", attributes={"gen_ai.tool.name": None})))
    assert_trees([])


WRONG = {
    "a span too few": Node("run", Node("step", Node("chat")), Node("step"), Node("step")),
    "a span too many": Node("run", Node("step", Node("chat"))),
    "inside of another": Node("run", Node("step"), Node("step", Node("chat"))),
    "in another order": Node("run", Node("step"), Node("step", Node("chat"))),
    "another name": Node("walk", Node("step", Node("chat")), Node("step")),
    "another kind": Node("run", Node("step", Node("chat", kind="CLIENT")), Node("step")),
    "another status": Node("run", Node("step", Node("chat", status="ERROR")), Node("step")),
    "another value": Node("run", Node("step", Node("chat"), attributes={"gen_ai.tool.name": "news"}), Node("step")),
    "no value": Node("run", Node("step", Node("chat")), Node("step", attributes={"gen_ai.tool.name": "news"})),
    "a value too many": Node("run", Node("step", Node("chat"), attributes={"gen_ai.tool.name": None}), Node("step")),
}


@pytest.mark.parametrize("fault", WRONG)
def test_different_trees(spans: list[Any], fault: str) -> None:
    assert any(line.startswith(("- ", "+ ")) for line in difference(spans, WRONG[fault]))


def test_the_difference_is_of_lines(spans: list[Any]) -> None:
    news = Node("step", Node("chat"), attributes={"gen_ai.tool.name": "news"})
    assert difference(spans, Node("run", news, Node("step"))) == [
        "  run",
        "-     step gen_ai.tool.name='news'",
        "+     step gen_ai.tool.name='weather'",
        "          chat",
        "      step",
    ]


def test_two_roots_are_not_one(spans: list[Any]) -> None:
    lonely = span("step")
    assert_trees([lonely, *spans], Node("run", Node("step", Node("chat")), Node("step")), Node("step"))
    assert difference([lonely, *spans], Node("run", Node("step", Node("chat")), Node("step"), Node("step")))


def test_a_span_whose_parent_is_missing_says_so() -> None:
    orphan = span("chat", span("never exported"))
    assert difference([orphan], Node("chat")) == ["- chat", "+ chat (its parent is missing)"]
