"""Where time goes, by operation and service, over any number of traces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obs_run.analysis.critical_path import critical_paths, critical_time_ns
from obs_run.analysis.statistics import quantile
from obs_run.analysis.trace_tree import self_time_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.analysis.trace_tree import Node, Tree


@dataclass
class Operation:
    """All spans of one name and service, as Jaeger's trace statistics group them."""

    service: str
    name: str
    count: int = 0
    errors: int = 0
    open: int = 0
    """Spans without an end, which are in no quantile."""
    total_ns: int = 0
    """The durations of all spans; of those inside one another, both."""
    self_ns: int = 0
    """Their self times (:func:`obs_run.analysis.trace_tree.self_time_ns`)."""
    critical_ns: int = 0
    """Their part of the critical paths."""
    durations: list[int] = field(default_factory=list)
    first_ns: int | None = None
    """When the first span began."""
    last_ns: int = 0
    """When the last one ended, or began."""

    @property
    def p50_ns(self) -> float | None:
        """The median duration."""
        return quantile(self.durations, 0.5)

    @property
    def p95_ns(self) -> float | None:
        """The duration that 95 of 100 spans stay below."""
        return quantile(self.durations, 0.95)

    def add(self, node: Node, critical_ns: int) -> None:
        """Add a span."""
        self.count += 1
        self.errors += node.span.status == "error"
        self.total_ns += node.duration_ns
        self.self_ns += self_time_ns(node)
        self.critical_ns += critical_ns
        self.first_ns = node.start_ns if self.first_ns is None else min(self.first_ns, node.start_ns)
        self.last_ns = max(self.last_ns, node.end_ns)
        if node.span.end_ns is None:
            self.open += 1
        else:
            self.durations.append(node.duration_ns)


def operation_of(node: Node) -> tuple[str, str] | None:
    """Return service and name of the span."""
    return node.span.service, node.span.name


def operations(trees: Iterable[Tree], key: Callable[[Node], tuple[str, str] | None] = operation_of) -> list[Operation]:
    """Return the operations of the traces, those with most self time first; ``key`` says what a span is counted as."""
    found: dict[tuple[str, str], Operation] = {}
    for tree in trees:
        critical = critical_time_ns(critical_paths(tree))
        for node in tree.nodes:
            group = key(node)
            if group is None:
                continue
            operation = found.get(group)
            if operation is None:
                operation = found[group] = Operation(*group)
            operation.add(node, critical.get(node, 0))
    return sorted(found.values(), key=lambda one: (-one.self_ns, -one.total_ns, one.service, one.name))
