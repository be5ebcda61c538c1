"""Errors and their causes: which span failed first, how far up it went, and who dealt with it.

As the error breakdown of CRISP defines it, which goes with Uber's "The Tale of Errors in Microservices" (Lee et al.,
POMACS 2024): the origin is a span that failed while none of its children did, and its error has gone up through each
span above that failed, too, until one that did not. Here, an exception that shows again further up with the same type
and message is the same one, although a span in between says nothing of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.records import LogLine, Span

_WARN = 13
"""OpenTelemetry's severity number of a warning."""
_VARIABLE = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|\d+", re.IGNORECASE)


class Failure(NamedTuple):
    """How a span failed."""

    type: str
    message: str

    @property
    def text(self) -> str:
        """Both, the type once."""
        short = self.type.rsplit(".", 1)[-1]
        message = self.message
        if self.type and message.startswith((f"{self.type}: ", f"{short}: ")):
            message = message.split(": ", 1)[1]
        return ": ".join(part for part in (self.type, message) if part)


class ErrorChain(NamedTuple):
    """An error on its way up."""

    nodes: tuple[Node, ...]
    """The spans that failed of it, the origin last."""
    failure: Failure
    """How the origin failed."""
    handled_by: Node | None
    """The span above the last one that failed, which did not; None if the error reached the root."""
    logs: tuple[LogLine, ...]
    """Warnings and errors that were logged in these spans."""

    @property
    def origin(self) -> Node:
        """The span that failed first."""
        return self.nodes[-1]


@dataclass
class ErrorGroup:
    """Errors of the same operation and type; of those without a type, with the same message but for its numbers."""

    service: str
    name: str
    failure: Failure
    """The newest one."""
    count: int = 0
    reached_root: int = 0
    """How many of them made a whole trace fail."""
    first_ns: int = 0
    last_ns: int = 0
    last_trace: str = ""
    """The trace of the newest."""
    traces: set[str] = field(default_factory=set)


def failure(span: Span) -> Failure:
    """Return how the span failed: by its error type, the exception that it recorded, its status."""
    # One that a log line told may have been overcome.
    told = (event.attributes for event in reversed(span.events) if event.name == "exception")
    raised = next((attributes for attributes in told if semconv.LOG_LEVEL not in attributes), {})
    kind = span.attributes.get(semconv.ERROR_TYPE) or raised.get(semconv.EXCEPTION_TYPE) or ""
    return Failure(str(kind), str(span.status_text or raised.get(semconv.EXCEPTION_MESSAGE) or ""))


def is_origin(node: Node) -> bool:
    """Tell whether the span failed while none of its children did."""
    return node.span.status == "error" and all(child.span.status != "error" for child in node.children)


def error_chains(tree: Tree, logs: Iterable[LogLine] = ()) -> list[ErrorChain]:
    """Return the errors of the traces in the order in which their origins began."""
    causes = _causes(tree)
    caused = set(causes.values())
    by_span = _told(logs)
    chains = []
    for node in tree.walk():
        if node.span.status != "error" or node in caused:
            continue
        nodes = [node]
        while nodes[-1] in causes:
            nodes.append(causes[nodes[-1]])
        told = [line for each in nodes for line in by_span.get((each.span.trace_id, each.span.span_id), ())]
        chains.append(ErrorChain(tuple(reversed(nodes)), failure(node.span), nodes[-1].parent, tuple(told)))
    return sorted(chains, key=lambda chain: chain.origin.start_ns)


def group_errors(chains: Iterable[ErrorChain]) -> list[ErrorGroup]:
    """Return the errors by their origin's operation and failure, the most frequent first."""
    groups: dict[tuple[str, str, str], ErrorGroup] = {}
    for chain in chains:
        span, moment = chain.origin.span, chain.origin.end_ns
        kind = chain.failure.type or _VARIABLE.sub("#", chain.failure.message)
        key = (span.service, span.name, kind)
        group = groups.get(key)
        if group is None:
            group = groups[key] = ErrorGroup(span.service, span.name, chain.failure, first_ns=moment)
        group.count += 1
        group.reached_root += chain.handled_by is None
        group.first_ns = min(group.first_ns, moment)
        if moment >= group.last_ns:
            group.last_ns, group.last_trace, group.failure = moment, span.trace_id, chain.failure
        group.traces.add(span.trace_id)
    return sorted(groups.values(), key=lambda group: (-group.count, -group.last_ns))


def _causes(tree: Tree) -> dict[Node, Node]:
    """Return the failed spans whose error went up, with the failed span that it went to."""
    found = {}
    for node in tree.walk():
        if node.span.status != "error":
            continue
        above = next((each for each in node.ancestors() if each.span.status == "error"), None)
        if above is not None and (node.parent is above or failure(node.span) == failure(above.span)):
            found[node] = above
    return found


def _told(logs: Iterable[LogLine]) -> dict[tuple[str | None, str | None], Sequence[LogLine]]:
    told: dict[tuple[str | None, str | None], list[LogLine]] = {}
    for line in logs:
        if (line.severity or 0) >= _WARN and not line.event_name:
            told.setdefault((line.trace_id, line.span_id), []).append(line)
    return dict(told)
