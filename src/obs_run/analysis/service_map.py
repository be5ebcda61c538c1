"""Who calls whom: services, agents, models, tools, stores, queues and others, with counts, rates and errors.

As Jaeger's dependency graph counts it: a call is a span whose parent belongs to something else. Something is, beside a
service: an agent (``gen_ai.agent.name`` of an agent's span), a tool, a model, a database system, and what only the
caller tells of: the ``peer.service``, queue or address of a client's or producer's span below which no other service
recorded anything. A consumer that is in a trace of its own was called by those whose spans it links to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from obs_run.analysis.statistics import quantile
from obs_run.analysis.usage import Totals, calls_model, counted_usage
from obs_run.analysis.waiting import store_of
from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from obs_run.analysis.trace_tree import Node, Tree

_NANO = 1e9


class Place(NamedTuple):
    """Something that calls or is called."""

    kind: str
    """service, agent, tool, model, store, queue or peer."""
    name: str


@dataclass
class Edge:
    """The calls of one by another."""

    caller: Place
    callee: Place
    calls: int = 0
    errors: int = 0
    durations: list[int] = field(default_factory=list)
    """Of the spans that have an end."""
    usage: Totals = field(default_factory=Totals)
    """What the model calls themselves used; nothing for other edges."""

    @property
    def error_rate(self) -> float:
        """Which part of the calls failed."""
        return self.errors / self.calls if self.calls else 0.0

    @property
    def p50_ns(self) -> float | None:
        """The median duration."""
        return quantile(self.durations, 0.5)

    @property
    def p95_ns(self) -> float | None:
        """The duration that 95 of 100 calls stay below."""
        return quantile(self.durations, 0.95)

    def add(self, node: Node, usage: Totals | None) -> None:
        """Count a call, which ``node`` recorded."""
        self.calls += 1
        self.errors += node.span.status == "error"
        if node.span.end_ns is not None:
            self.durations.append(node.duration_ns)
        if usage is not None and self.callee.kind == "model":
            self.usage.add(usage)


class ServiceMap(NamedTuple):
    """The edges, the busiest first, and the time that they are of."""

    edges: Sequence[Edge]
    seconds: float
    """From the first start to the last end."""

    @property
    def places(self) -> list[Place]:
        """All that calls or is called."""
        return list(dict.fromkeys(place for edge in self.edges for place in (edge.caller, edge.callee)))

    def rate(self, edge: Edge) -> float | None:
        """Return the calls in a minute; None where no time went by."""
        return edge.calls * 60 / self.seconds if self.seconds > 0 else None


def service_map(trees: Iterable[Tree]) -> ServiceMap:
    """Return who calls whom in the traces."""
    trees = list(trees)
    edges: dict[tuple[Place, Place], Edge] = {}
    owners: dict[tuple[str, str], Place] = {}
    counted: dict[Node, Totals] = {}
    for tree in trees:
        counted.update(counted_usage(tree))
        for node, place in _owners(tree).items():
            owners[node.span.trace_id, node.span.span_id] = place
    for tree in trees:
        for node, caller, callee in _calls(tree, owners):
            edge = edges.get((caller, callee))
            if edge is None:
                edge = edges[caller, callee] = Edge(caller, callee)
            edge.add(node, counted.get(node))
    ordered = sorted(edges.values(), key=lambda edge: (-edge.calls, edge.caller, edge.callee))
    nodes = [node for tree in trees for node in tree.nodes]
    begin, end = min((n.start_ns for n in nodes), default=0), max((n.end_ns for n in nodes), default=0)
    return ServiceMap(ordered, (end - begin) / _NANO)


def _owners(tree: Tree) -> dict[Node, Place]:
    """Return for each span whose work it is: what it stands for itself, else what is around it in its service."""
    owners: dict[Node, Place] = {}
    for node in tree.walk():
        own = _callee(node)
        above = node.parent
        if own is not None:
            owners[node] = own
        elif above is None or above.span.service != node.span.service:
            owners[node] = Place("service", node.span.service)
        else:
            owners[node] = owners[above]
    return owners


def _callee(node: Node) -> Place | None:
    """Return what the span is a call of, of what it tells itself."""
    span = node.span
    if calls_model(span):
        return Place("model", span.model or span.operation or "?")
    store = store_of(span)
    if store is not None:
        return Place("store", store)
    if span.operation == "execute_tool":
        return Place("tool", span.tool or span.name)
    if span.operation == "invoke_agent" and span.agent:
        return Place("agent", span.agent)
    return None


def _calls(tree: Tree, owners: dict[tuple[str, str], Place]) -> Iterator[tuple[Node, Place, Place]]:
    for node in tree.walk():
        span, above = node.span, node.parent
        callee = owners[span.trace_id, span.span_id]
        service = Place("service", span.service)
        caller = service
        if above is not None:
            caller = owners[above.span.trace_id, above.span.span_id]
            if above.span.service != span.service:
                # The service that answers, and what it does is its own call.
                yield node, caller, service
                caller = service
        else:
            yield from ((node, sender, service) for sender in _senders(node, owners) if sender != service)
        own = _callee(node)
        if own is not None and caller != callee:
            yield node, caller, callee
        elif own is None:
            outside = _peer(node)
            if outside is not None and caller.kind not in ("model", "store"):
                yield node, caller, outside


def _senders(node: Node, owners: dict[tuple[str, str], Place]) -> list[Place]:
    """Return those whose spans a consumer links to, each once."""
    if node.span.kind != "consumer":
        return []
    linked = (owners.get((link.trace_id, link.span_id)) for link in node.span.links)
    return list(dict.fromkeys(place for place in linked if place is not None))


def _peer(node: Node) -> Place | None:
    """Return what a client's or producer's span says that it calls, where that recorded nothing itself."""
    span = node.span
    if span.kind not in ("client", "producer"):
        return None
    if any(child.span.service != span.service or child.span.kind == "client" for child in node.children):
        return None
    for name, kind in _PEERS:
        told = span.attributes.get(name)
        if told:
            return Place(kind, str(told))
    return None


_PEERS = (
    (semconv.PEER_SERVICE, "peer"),
    (semconv.MESSAGING_DESTINATION_TEMPLATE, "queue"),
    (semconv.MESSAGING_DESTINATION_NAME, "queue"),
    (semconv.SERVER_ADDRESS, "peer"),
)
