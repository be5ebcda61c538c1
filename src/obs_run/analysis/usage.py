"""Tokens and cost of traces: by subtree, agent, model, tool, service; no usage is counted twice.

The rule is the one of :mod:`obs_run.telemetry.totals`. Cost is in US dollars (``obs.cost.total``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.telemetry.totals import MODEL_OPERATIONS, Totals, calls_model, count, is_container, own_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.analysis.trace_tree import Node, Tree

__all__ = [
    "MODEL_OPERATIONS",
    "Totals",
    "agent_of",
    "calls_model",
    "conversation_of",
    "counted_usage",
    "is_container",
    "model_of",
    "own_usage",
    "service_of",
    "tool_of",
    "total",
    "usage_by",
    "usage_by_subtree",
]


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


def _added_up(tree: Tree) -> Iterator[tuple[Node, Totals, Totals]]:
    """Return each span with what its subtree used and what of that is its own."""
    nodes = list(tree.walk())
    places = {node: place for place, node in enumerate(nodes)}
    parents = [None if node.parent is None else places[node.parent] for node in nodes]
    for node, (whole, own) in zip(nodes, count([node.span for node in nodes], parents), strict=True):
        yield node, whole, own
