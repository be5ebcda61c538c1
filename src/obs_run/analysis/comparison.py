"""Two traces, or two sets of traces, side by side.

Two traces are aligned from their roots down, as in Jaeger's structural comparison: children of aligned spans are
aligned by what they do and, of several that do the same, the first with the first. What a span does is its operation
with the name of its tool or agent, or its name; the model is left out, so that the same work of another model is
compared.

Two sets are compared operation by operation with the Mann-Whitney U test (:mod:`obs_run.analysis.statistics`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from obs_run.analysis.messages import content, events_by_span
from obs_run.analysis.statistics import mann_whitney, quantile, significant
from obs_run.analysis.usage import Totals, calls_model, usage_by_subtree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from obs_run.analysis.messages import Content, Message
    from obs_run.analysis.statistics import Difference
    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.records import LogLine

    Events = Mapping[str | None, Sequence[LogLine]]

_NOTHING = Totals()


class Pair(NamedTuple):
    """A span of the one trace and what became of it in the other."""

    left: Node | None
    right: Node | None
    depth: int
    left_usage: Totals
    """What was used by it and all below it."""
    right_usage: Totals
    changes: tuple[str, ...]
    """What differs beside time and cost: status, model, messages."""

    @property
    def node(self) -> Node:
        """The span of the right trace, else of the left one."""
        node = self.right or self.left
        assert node is not None
        return node

    @property
    def kind(self) -> str:
        """Whether the span is the same, changed, added or removed."""
        if self.left is None:
            return "added"
        if self.right is None:
            return "removed"
        return "changed" if self.changes else "same"


@dataclass
class OperationDifference:
    """What an operation was in one set of traces and is in another."""

    service: str
    name: str
    calls_before: float
    """For each trace."""
    calls_now: float
    errors_before: float
    """For each call."""
    errors_now: float
    seconds_before: float | None
    """The median duration."""
    seconds_now: float | None
    cost_before: float | None
    """The median of what a call and all below it cost, in dollars."""
    cost_now: float | None
    duration: Difference | None
    """None where there are too few calls for a test."""
    cost: Difference | None
    is_slower_or_faster: bool = False
    """Whether the durations differ significantly."""
    is_cheaper_or_dearer: bool = False


@dataclass
class _Sample:
    calls: int = 0
    errors: int = 0
    seconds: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)


def does(node: Node) -> str:
    """Return what the span does, without the model that it does it with."""
    span = node.span
    if span.operation == "execute_tool":
        return f"{span.operation} {span.tool or ''}".strip()
    if span.operation in ("invoke_agent", "create_agent"):
        return f"{span.operation} {span.agent or ''}".strip()
    return span.operation if span.operation and calls_model(span) else span.name


def compare_traces(
    left: Tree, right: Tree, left_logs: Sequence[LogLine] = (), right_logs: Sequence[LogLine] = ()
) -> list[Pair]:
    """Return all spans of both traces, aligned, parents first."""
    left_usage, right_usage = usage_by_subtree(left), usage_by_subtree(right)
    left_events, right_events = events_by_span(left_logs), events_by_span(right_logs)
    pairs = []
    waiting = [(one, other, 0) for one, other in reversed(_aligned_roots(left, right))]
    while waiting:
        one, other, depth = waiting.pop()
        changes: tuple[str, ...] = ()
        if one is not None and other is not None:
            changes = tuple(_changes(one, other, left_events, right_events))
        before = _NOTHING if one is None else left_usage[one]
        after = _NOTHING if other is None else right_usage[other]
        pairs.append(Pair(one, other, depth, before, after, changes))
        below = _aligned(one.children if one else (), other.children if other else ())
        waiting.extend((*pair, depth + 1) for pair in reversed(below))
    return pairs


def compare_sets(before: Sequence[Tree], now: Sequence[Tree]) -> list[OperationDifference]:
    """Return the operations of both sets, those that differ first, then those that take most time."""
    old, new = _samples(before), _samples(now)
    found = []
    for service, name in dict.fromkeys([*new, *old]):
        one, other = old.get((service, name), _Sample()), new.get((service, name), _Sample())
        found.append(
            OperationDifference(
                service,
                name,
                one.calls / max(1, len(before)),
                other.calls / max(1, len(now)),
                one.errors / max(1, one.calls),
                other.errors / max(1, other.calls),
                quantile(one.seconds, 0.5),
                quantile(other.seconds, 0.5),
                quantile(one.costs, 0.5),
                quantile(other.costs, 0.5),
                mann_whitney(one.seconds, other.seconds),
                mann_whitney(one.costs, other.costs),
            )
        )
    marks = significant([each.duration for each in found] + [each.cost for each in found])
    for each, slower, dearer in zip(found, marks, marks[len(found) :], strict=False):
        each.is_slower_or_faster, each.is_cheaper_or_dearer = slower, dearer
    weights = {key: sum(old.get(key, _Sample()).seconds) + sum(new.get(key, _Sample()).seconds) for key in {*old, *new}}
    return sorted(found, key=lambda each: (not _differs(each), -weights[each.service, each.name]))


def _differs(difference: OperationDifference) -> bool:
    return difference.is_slower_or_faster or difference.is_cheaper_or_dearer


def _samples(trees: Iterable[Tree]) -> dict[tuple[str, str], _Sample]:
    samples: dict[tuple[str, str], _Sample] = {}
    for tree in trees:
        usage = usage_by_subtree(tree)
        for node in tree.walk():
            sample = samples.setdefault((node.span.service, does(node)), _Sample())
            sample.calls += 1
            sample.errors += node.span.status == "error"
            if node.span.end_ns is not None:
                sample.seconds.append(node.duration_ns / 1e9)
            cost = usage[node].cost
            if cost is not None:
                sample.costs.append(cost)
    return samples


_Pairs = list[tuple["Node | None", "Node | None"]]


def _aligned_roots(left: Tree, right: Tree) -> _Pairs:
    """Return the roots, aligned; those that name the traces are, whatever they are called."""
    one, other = left.main_root, right.main_root
    if one is None or other is None:
        return _aligned(left.roots, right.roots)
    rest = _aligned(
        [root for root in left.roots if root is not one], [root for root in right.roots if root is not other]
    )
    return [(one, other), *rest]


def _aligned(left: Sequence[Node], right: Sequence[Node]) -> _Pairs:
    """Return each span with its counterpart; in the order of the right side, the removed where they were."""
    waiting: dict[tuple[str, str], list[Node]] = {}
    for node in reversed(left):
        waiting.setdefault(_key(node), []).append(node)
    partners: dict[Node, Node] = {}
    for node in right:
        same = waiting.get(_key(node))
        if same:
            partners[node] = same.pop()
    matched = set(partners.values())
    removed = [node for node in left if node not in matched]
    places = {node: place for place, node in enumerate(left)}
    pairs: _Pairs = []
    for node in right:
        partner = partners.get(node)
        while partner is not None and removed and places[removed[0]] < places[partner]:
            pairs.append((removed.pop(0), None))
        pairs.append((partner, node))
    return pairs + [(node, None) for node in removed]


def _key(node: Node) -> tuple[str, str]:
    # A service that is called matters, how the agent's own is called does not.
    own = node.parent is None or node.parent.span.service == node.span.service
    return "" if own else node.span.service, does(node)


def _changes(left: Node, right: Node, left_events: Events, right_events: Events) -> Iterator[str]:
    one, other = left.span, right.span
    if (one.status == "error") != (other.status == "error"):
        yield "fails now" if other.status == "error" else "no longer fails"
    if one.model != other.model:
        yield f"model {one.model or 'none'} -> {other.model or 'none'}"
    if calls_model(one) and calls_model(other):
        said = content(one, left_events.get(one.span_id, ()))
        says = content(other, right_events.get(other.span_id, ()))
        if any(said) and any(says):
            yield from (f"other {name} messages" for name in said._fields if _differ(said, says, name))


def _differ(one: Content, other: Content, side: str) -> bool:
    return [_without_ids(message) for message in getattr(one, side)] != [
        _without_ids(message) for message in getattr(other, side)
    ]


def _without_ids(message: Message) -> Message:
    """Return the message without the ids of its tool calls, which are never the same twice."""
    parts = [{name: value for name, value in part.items() if name != "id"} for part in message["parts"]]
    return {**message, "parts": parts}
