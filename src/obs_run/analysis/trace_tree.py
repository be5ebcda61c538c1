"""The spans of a trace as a tree, with the times that the rest of the analysis reckons with.

A span whose parent was not recorded is a root of its own. Parents that form a cycle, which wrong instrumentation can
make, are cut at the span that began first. A span without an end lasts until the last moment that is known of its
trace; one that ends before it began takes no time.

Clocks of several hosts are brought together as Jaeger's clock skew adjuster does
(``internal/storage/v1/api/spanstore/...adjuster/clockskew``): a span of another host than its parent's is moved into
the middle of the parent where it does not fit into it, one that lasts longer only so far that it does not begin before
it, and what it contains of its own host moves with it. Spans of the same host, or of hosts that are not named, are
never moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from obs_run.telemetry.records import Span

_HOST = ("host.id", "host.name", "k8s.node.name", "k8s.pod.name")
"""What tells that two processes have two clocks; the first that both name decides."""


class Interval(NamedTuple):
    """A stretch of time in nanoseconds since the epoch."""

    start_ns: int
    end_ns: int


class Node:
    """A span in its tree."""

    __slots__ = ("children", "end_ns", "is_cut", "is_orphan", "parent", "span", "start_ns")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.parent: Node | None = None
        self.children: list[Node] = []
        """In the order in which they began."""
        self.is_orphan = False
        """Whether the span names a parent that was not recorded."""
        self.is_cut = False
        """Whether the span's parent is left out because it is inside of the span."""
        self.start_ns = span.start_ns
        self.end_ns = max(span.start_ns, span.start_ns if span.end_ns is None else span.end_ns)

    @property
    def duration_ns(self) -> int:
        """How long the span took; for one without an end, so far."""
        return self.end_ns - self.start_ns

    def walk(self) -> Iterator[Node]:
        """Return the node and all below it, parents first, siblings in the order in which they began."""
        # Not recursion: a trace may be deeper than Python's stack.
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))

    def ancestors(self) -> Iterator[Node]:
        """Return the parent, its parent and so on."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def clipped(self, interval: Interval) -> Interval:
        """Return the part of the span's time inside of ``interval``; an empty one where there is none."""
        start = min(max(self.start_ns, interval.start_ns), interval.end_ns)
        return Interval(start, max(start, min(self.end_ns, interval.end_ns)))


class Tree:
    """The spans of a trace, or of several."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        """In the order in which the spans were given."""
        self.roots = sorted((node for node in nodes if node.parent is None), key=_order)
        """In the order in which they began."""

    @property
    def main_root(self) -> Node | None:
        """The root that names the trace: the first without a parent, else the first whose parent is missing."""
        return min(self.roots, key=lambda root: (root.span.parent_id is not None, root.start_ns), default=None)

    def walk(self) -> Iterator[Node]:
        """Return all nodes, each tree after the other."""
        for root in self.roots:
            yield from root.walk()


def build(spans: Iterable[Span], *, skew: bool = True) -> Tree:
    """Return the tree of ``spans``, of one trace or several; with ``skew``, clocks of several hosts are adjusted."""
    nodes = [Node(span) for span in spans]
    by_id: dict[tuple[str, str], Node] = {}
    for node in nodes:
        by_id.setdefault((node.span.trace_id, node.span.span_id), node)
    for node in nodes:
        _attach(node, by_id)
    _cut_cycles(nodes)
    _end_open_spans(nodes)
    for node in nodes:
        node.children.sort(key=_order)
    tree = Tree(nodes)
    if skew:
        _adjust_clocks(tree)
    return tree


def self_time_ns(node: Node) -> int:
    """Return the self time: the span's duration without what its children cover of it.

    As Jaeger's trace statistics and the Cloud Trace glossary define it: overlapping children count once, and of a child
    that outlives the span only the part inside.
    """
    whole = Interval(node.start_ns, node.end_ns)
    return node.duration_ns - covered_ns(child.clipped(whole) for child in node.children)


def covered_ns(intervals: Iterable[Interval]) -> int:
    """Return how much time the intervals cover together, overlaps once."""
    covered = 0
    reached: int | None = None
    for start, end in sorted(intervals):
        if reached is None or start > reached:
            reached = start
        if end > reached:
            covered += end - reached
            reached = end
    return covered


def _order(node: Node) -> tuple[int, int]:
    # Of spans that begin together the longer one is the outer one.
    return node.start_ns, -node.end_ns


def _attach(node: Node, by_id: dict[tuple[str, str], Node]) -> None:
    span = node.span
    if not span.parent_id:
        return
    parent = by_id.get((span.trace_id, span.parent_id))
    if parent is None:
        node.is_orphan = True
    elif parent is node:
        node.is_cut = True
    else:
        node.parent = parent
        parent.children.append(node)


def _cut_cycles(nodes: Sequence[Node]) -> None:
    checked: set[Node] = set()
    for start in nodes:
        passed: dict[Node, None] = {}
        at: Node | None = start
        while at is not None and at not in checked and at not in passed:
            passed[at] = None
            at = at.parent
        if at is not None and at in passed:
            _cut(at)
        checked.update(passed)


def _cut(member: Node) -> None:
    cycle = [member]
    while cycle[-1].parent is not member:
        above = cycle[-1].parent
        assert above is not None
        cycle.append(above)
    first = min(cycle, key=_order)
    assert first.parent is not None
    first.parent.children.remove(first)
    first.parent, first.is_cut = None, True


def _end_open_spans(nodes: Sequence[Node]) -> None:
    last: dict[str, int] = {}
    for node in nodes:
        last[node.span.trace_id] = max(last.get(node.span.trace_id, node.end_ns), node.end_ns)
    for node in nodes:
        if node.span.end_ns is None:
            node.end_ns = last[node.span.trace_id]


def _adjust_clocks(tree: Tree) -> None:
    waiting = [(root, 0) for root in tree.roots]
    while waiting:
        node, shift = waiting.pop()
        for child in node.children:
            moved = shift
            if _other_host(child.span, node.span):
                moved = _skew(child, node)
            child.start_ns += moved
            child.end_ns += moved
            waiting.append((child, moved))


def _other_host(child: Span, parent: Span) -> bool:
    for name in _HOST:
        mine, theirs = child.resource.get(name), parent.resource.get(name)
        if mine is not None and theirs is not None:
            return bool(mine != theirs)
    return False


def _skew(child: Node, parent: Node) -> int:
    """Return by how much the child has to be moved."""
    if child.duration_ns > parent.duration_ns:
        return max(0, parent.start_ns - child.start_ns)
    if child.start_ns >= parent.start_ns and child.end_ns <= parent.end_ns:
        return 0
    # The way there is taken to last as long as the way back.
    return parent.start_ns + (parent.duration_ns - child.duration_ns) // 2 - child.start_ns
