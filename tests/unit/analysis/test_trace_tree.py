"""Trees, self times, and what holds of every trace."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from obs_run.analysis.critical_path import critical_path, critical_paths
from obs_run.analysis.trace_tree import Interval, Node, build, covered_ns, self_time_ns
from tests.unit.analysis import drawing, soups

if TYPE_CHECKING:
    from obs_run.telemetry.records import Span


def shape(node: Node) -> str:
    """Return the node and what is below it as ``a(b c(d))``."""
    below = " ".join(map(shape, node.children))
    return node.span.span_id + (f"({below})" if below else "")


def shapes(spans: list[Span]) -> str:
    return " ".join(map(shape, build(spans).roots))


def test_children_are_in_the_order_in_which_they_began() -> None:
    made = [drawing.span("c", 5, 6, "a"), drawing.span("b", 1, 3, "a"), drawing.span("a", 0, 9)]
    assert shapes(made) == "a(b c)"


def test_a_missing_parent_makes_a_root() -> None:
    tree = build([drawing.span("b", 1, 3, "gone"), drawing.span("c", 2, 3, "b"), drawing.span("a", 4, 9)])
    assert [shape(root) for root in tree.roots] == ["b(c)", "a"]
    assert [root.is_orphan for root in tree.roots] == [True, False]
    assert tree.main_root is not None
    assert tree.main_root.span.name == "a"


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ({"a": "a"}, "a"),
        ({"a": "b", "b": "a"}, "a(b)"),
        ({"a": "c", "b": "a", "c": "b"}, "a(b(c))"),
        ({"a": "b", "b": "a", "c": "b", "d": "a"}, "a(b(c) d)"),
        ({"a": None, "b": "c", "c": "d", "d": "b"}, "a b(d(c))"),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, "a(b) c(d)"),
    ],
)
def test_a_cycle_of_parents_is_cut_where_it_began(parents: dict[str, str | None], expected: str) -> None:
    made = [drawing.span(name, at, 9, parent) for at, (name, parent) in enumerate(parents.items())]
    assert shapes(made) == expected
    assert shapes(made[::-1]) == expected
    cut = [root for root in build(made).roots if root.span.parent_id]
    assert all(root.is_cut and not root.is_orphan for root in cut)


def test_an_id_that_came_twice_is_two_spans() -> None:
    made = [drawing.span("a", 0, 9), drawing.span("b", 1, 3, "a"), drawing.span("b", 1, 3, "a")]
    assert shapes(made) == "a(b b)"


def test_ids_count_within_their_trace() -> None:
    other = "2" * 32
    made = [drawing.span("a", 0, 9), drawing.span("b", 1, 3, "a", trace_id=other), drawing.span("b", 1, 3, "a")]
    assert shapes(made) == "a(b) b"


def test_a_trace_deeper_than_the_stack() -> None:
    made = [drawing.span(str(at), at, 20_000 - at, str(at - 1) if at else None) for at in range(5000)]
    tree = build(made)
    assert sum(1 for _ in tree.walk()) == 5000
    assert sum(section.duration_ns for section in critical_paths(tree)) == tree.roots[0].duration_ns
    assert sum(map(self_time_ns, tree.nodes)) == tree.roots[0].duration_ns


@pytest.mark.parametrize(
    ("drawn", "own"),
    [
        ("a |=====", 5),
        ("a |=====\n b | ==", 3),
        ("a |=====\n b | ==\n c |  ==", 2),
        ("a |=====\n b | ===\n c |  =", 2),
        ("a |=====\n b |   =====", 3),
        ("a |  ===\n b |=====", 0),
        ("a |==\n b |  ==", 2),
        ("a |=====\n b | ===\n  c|  =", 2),
        ("a |===~\n b |   ==", 3),
    ],
)
def test_self_time(drawn: str, own: int) -> None:
    assert self_time_ns(drawing.tree(drawn).roots[0]) == own * drawing.UNIT


def test_covered_time() -> None:
    assert covered_ns([Interval(5, 9), Interval(1, 3), Interval(2, 4), Interval(6, 7), Interval(9, 9)]) == 7
    assert covered_ns([]) == 0


@given(soups.nested())
def test_the_path_of_a_nested_trace_is_as_long_as_its_root(spans: list[Span]) -> None:
    [root] = build(spans).roots
    sections = critical_path(root)
    assert sum(section.duration_ns for section in sections) == root.duration_ns
    assert all(one.end_ns == two.start_ns for one, two in pairwise(sections))
    for section in sections:
        assert section.node.start_ns <= section.start_ns < section.end_ns <= section.node.end_ns


@given(soups.sequential())
def test_self_times_of_a_sequential_trace_add_up_to_its_root(spans: list[Span]) -> None:
    tree = build(spans)
    [root] = tree.roots
    assert sum(map(self_time_ns, tree.nodes)) == root.duration_ns
    # And nothing runs beside anything, so that the path is each span's own time.
    own = {node: self_time_ns(node) for node in tree.nodes if self_time_ns(node)}
    found: dict[Node, int] = {}
    for section in critical_path(root):
        found[section.node] = found.get(section.node, 0) + section.duration_ns
    assert found == own


@given(soups.nested())
def test_a_span_is_its_own_time_and_that_of_its_children(spans: list[Span]) -> None:
    for node in build(spans).nodes:
        inside = covered_ns(Interval(child.start_ns, child.end_ns) for child in node.children)
        assert self_time_ns(node) + inside == node.duration_ns


@given(soups.soup())
def test_any_soup_has_a_tree_and_a_path(spans: list[Span]) -> None:
    tree = build(spans)
    assert len(list(tree.walk())) == len(tree.nodes) == len(spans)
    assert set(tree.walk()) == set(tree.nodes)
    for root in tree.roots:
        sections = critical_path(root)
        assert sum(section.duration_ns for section in sections) == root.duration_ns
    for node in tree.nodes:
        assert 0 <= self_time_ns(node) <= node.duration_ns
