"""Tokens and cost of traces: by subtree, agent, model, tool, service; no usage is counted twice.

The rule is that of the store's totals: the usage of a model call counts. Spans of agents, workflows and tools may
repeat what the calls inside of them used, so theirs counts only in a trace in which no model call tells any, each of
input tokens, output tokens and cost for itself; and of such spans inside one another the larger of the outer one's and
the sum of the inner ones'. A model call around others, as where a framework's call and the client's are both
recorded, is no call of its own and counts in the same way. Cost is in US dollars (``obs.cost.total``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obs_run.telemetry.summary import CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.records import Span

_FIELDS = ("input_tokens", "output_tokens", "cost")
MODEL_OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""The operations that the conventions name a model call."""


@dataclass
class Totals:
    """What spans used together; None for what none of them tells."""

    calls: int = 0
    """Model calls."""
    errors: int = 0
    """Model calls that failed."""
    unpriced: int = 0
    """Model calls that tell tokens and no cost: the true cost is higher."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a call nor usage."""
        return not self.calls and self.input_tokens is self.output_tokens is self.cost is None

    def add(self, other: Totals) -> None:
        """Add what ``other`` used."""
        self.calls += other.calls
        self.errors += other.errors
        self.unpriced += other.unpriced
        for name in _FIELDS:
            setattr(self, name, _plus(getattr(self, name), getattr(other, name)))


def is_container(span: Span) -> bool:
    """Tell whether the span's usage may be that of the model calls inside of it."""
    return span.operation in CONTAINERS


def calls_model(span: Span) -> bool:
    """Tell whether the span is a call of a model: of an operation that is one, or with usage of its own."""
    if is_container(span):
        return False
    tells = span.input_tokens is not None or span.output_tokens is not None or span.cost is not None
    return span.operation in MODEL_OPERATIONS or span.model is not None or tells


def own_usage(span: Span) -> Totals:
    """Return what the span tells, whether or not it counts."""
    called = calls_model(span)
    tokens = bool(span.input_tokens or span.output_tokens)
    return Totals(
        calls=int(called),
        errors=int(called and span.status == "error"),
        unpriced=int(called and tokens and span.cost is None),
        input_tokens=span.input_tokens,
        output_tokens=span.output_tokens,
        cost=span.cost,
    )


def usage_by_subtree(tree: Tree) -> dict[Node, Totals]:
    """Return what each span and all below it used."""
    return {node: whole for node, whole, _ in _added_up(tree)}


def counted_usage(tree: Tree) -> dict[Node, Totals]:
    """Return the spans whose usage counts and what counts of it: over a tree they add up to its total."""
    return {node: own for node, _, own in _added_up(tree) if not own.is_empty}


def total(tree: Tree) -> Totals:
    """Return what all spans used."""
    added = Totals()
    for own in counted_usage(tree).values():
        added.add(own)
    return added


def usage_by(tree: Tree, key: Callable[[Node], str | None]) -> dict[str | None, Totals]:
    """Return what was used by the group that ``key`` gives a span: :func:`agent_of`, :func:`tool_of` or another."""
    groups: dict[str | None, Totals] = {}
    for node, own in counted_usage(tree).items():
        groups.setdefault(key(node), Totals()).add(own)
    return groups


def agent_of(node: Node) -> str | None:
    """Return the agent in whose work the span is: its own, else that of the nearest span around it."""
    return next((each.span.agent for each in (node, *node.ancestors()) if each.span.agent), None)


def tool_of(node: Node) -> str | None:
    """Return the tool in whose call the span is, the innermost one."""
    around = (each.span for each in (node, *node.ancestors()))
    return next((span.tool or span.name for span in around if span.operation == "execute_tool"), None)


def model_of(node: Node) -> str | None:
    """Return the model that answered, else the one that was asked for."""
    return node.span.model


def service_of(node: Node) -> str | None:
    """Return the service that made the span."""
    return node.span.service


def conversation_of(node: Node) -> str | None:
    """Return the conversation that the span belongs to: its own, else that of the nearest span around it."""
    return next((each.span.conversation for each in (node, *node.ancestors()) if each.span.conversation), None)


def _repeated_fields(spans: Iterable[Span]) -> dict[str, set[str]]:
    """Return for each trace what its model calls tell, which is what other spans can only repeat."""
    told: dict[str, set[str]] = {}
    for span in spans:
        fields = told.setdefault(span.trace_id, set())
        if not is_container(span):
            fields.update(name for name in _FIELDS if getattr(span, name) is not None)
    return told


def _added_up(tree: Tree) -> Iterator[tuple[Node, Totals, Totals]]:
    """Return each span with what its subtree used and what of that is its own, children first."""
    repeated = _repeated_fields(node.span for node in tree.nodes)
    wholes: dict[Node, Totals] = {}
    for node in reversed(list(tree.walk())):
        whole = Totals()
        for child in node.children:
            whole.add(wholes[child])
        own = own_usage(node.span)
        if is_container(node.span):
            own = _beyond(own, whole, repeated[node.span.trace_id])
        elif whole.calls and calls_model(node.span):
            own = _beyond(own, whole, _NOTHING)
        whole.add(own)
        wholes[node] = whole
        yield node, whole, own


_NOTHING: frozenset[str] = frozenset()


def _beyond(own: Totals, inner: Totals, repeated: Collection[str]) -> Totals:
    """Return what a span tells beyond what is told by those inside of it."""
    counted = Totals()
    for name in _FIELDS:
        told, below = getattr(own, name), getattr(inner, name)
        if name in repeated or told is None:
            continue
        if below is None:
            setattr(counted, name, told)
        elif told > below:
            setattr(counted, name, told - below)
    return counted


def _plus(one: float | None, other: float | None) -> float | None:
    if one is None:
        return other
    return one if other is None else one + other
