"""The spans of a run as a tree: what a scenario expects, and a readable comparison of whole trees."""

from __future__ import annotations

from collections import defaultdict
from difflib import ndiff
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_INDENT = "    "
_NAMED = ("invoke_agent", "execute_tool", "handoff")
"""The operations whose subject belongs to the story, and not to the framework."""


class Node:
    """A span and those inside of it, in the order in which they start.

    Its name always counts; its kind, status and attributes where the expected node says some. An attribute that is
    expected to be None is one that must not be there.
    """

    def __init__(
        self,
        name: str,
        *children: Node,
        kind: str | None = None,
        status: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.children = children
        self.kind = kind
        self.status = status
        self.attributes = dict(attributes or {})

    def __repr__(self) -> str:
        """Show the tree, as pytest does in the parameters of a test."""
        return "\n".join(_lines([self], [self]))


def start_of(span: Any) -> int:
    """Return when a span started, in nanoseconds."""
    return int(span.start_time)


def trees_of(spans: Iterable[Any]) -> list[Node]:
    """Return the roots of the spans; a span whose parent was not exported is one, and says so."""
    by_start = sorted(spans, key=start_of)
    ids = {span.context.span_id for span in by_start}
    children: defaultdict[int | None, list[Any]] = defaultdict(list)
    for span in by_start:
        parent = None if span.parent is None else span.parent.span_id
        children[parent if parent in ids else None].append(span)

    def node(span: Any) -> Node:
        lost = span.parent is not None and span.parent.span_id not in ids
        return Node(
            f"{span.name} (its parent is missing)" if lost else span.name,
            *map(node, children[span.context.span_id]),
            kind=span.kind.name,
            status=span.status.status_code.name,
            attributes=span.attributes,
        )

    return [node(span) for span in children[None]]


def assert_trees(spans: Iterable[Any], *expected: Node) -> None:
    """Compare what was recorded with the roots that are expected, and show whole trees where they differ."""
    _assert_same(trees_of(spans), expected)


def assert_shapes(spans: Iterable[Any], *expected: Node) -> None:
    """Compare the normal form of what was recorded with the roots that are expected, each of which is a trace."""
    recorded = list(spans)
    _assert_same([normal for root in trees_of(recorded) for normal in _normal(root)], expected)
    assert len({span.context.trace_id for span in recorded}) == len(expected)


def _normal(node: Node) -> Iterator[Node]:
    """Give a tree without what is a framework's own: steps, names of models, workflows of one agent.

    What the same story is in every framework is left: runs of agents, model calls, tools and hand-offs. Where a
    framework hands over by a tool, that is the hand-off.
    """
    children = _with_tools_by_name([normal for child in node.children for normal in _normal(child)])
    operation = node.attributes.get("gen_ai.operation.name")
    is_alone = len(children) == 1
    if operation == "step" or (operation == "invoke_workflow" and is_alone):
        yield from children
    elif operation == "execute_tool" and is_alone and children[0].name.startswith("handoff"):
        yield children[0]
    else:
        name = node.name if operation in _NAMED else str(operation or node.name)
        yield Node(name, *children, kind=node.kind, status=node.status, attributes=node.attributes)


def _with_tools_by_name(nodes: list[Node]) -> list[Node]:
    """Return siblings with tools that follow each other by their names: in threads any of them may be the first."""
    ordered: list[Node] = []
    for is_tool, group in groupby(nodes, lambda node: node.name.startswith("execute_tool")):
        siblings = list(group)
        ordered += sorted(siblings, key=lambda node: node.name) if is_tool else siblings
    return ordered


def _assert_same(recorded: Sequence[Node], expected: Sequence[Node]) -> None:
    wanted_lines = list(_lines(expected, expected))
    recorded_lines = list(_lines(recorded, expected))
    if recorded_lines != wanted_lines:
        lines = [line for line in ndiff(wanted_lines, recorded_lines) if not line.startswith("?")]
        raise AssertionError("\n".join(["- is expected, + was recorded:", *lines]))


def _lines(nodes: Sequence[Node], expected: Sequence[Node], depth: int = 0) -> Iterator[str]:
    """Show trees as lines, in the detail in which the tree at the same place is expected."""
    for node, wanted in zip_longest(nodes, expected):
        if node is None:
            return
        yield _INDENT * depth + " ".join((node.name, *_details(node, wanted)))
        yield from _lines(node.children, () if wanted is None else wanted.children, depth + 1)


def _details(node: Node, wanted: Node | None) -> Iterator[str]:
    if wanted is None:
        return
    if wanted.kind is not None:
        yield str(node.kind)
    if wanted.status is not None:
        yield str(node.status)
    for name in wanted.attributes:
        value = node.attributes.get(name)
        yield f"(no {name})" if value is None else f"{name}={value!r}"
