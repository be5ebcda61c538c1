"""What the time of a span went by with: models, stores, other services, tools, or its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs_run.analysis.trace_tree import Interval
from obs_run.analysis.usage import calls_model
from obs_run.core import semconv

if TYPE_CHECKING:
    from obs_run.analysis.trace_tree import Node
    from obs_run.telemetry.records import Span

KINDS = ("model", "store", "remote", "tool")
"""What is waited for; where several go on at once the time is the first one's."""


class Waiting(NamedTuple):
    """The duration of a span, split: the parts add up to it."""

    model_ns: int
    """At least one model call was going on."""
    store_ns: int
    """No model call, but a call of a database or vector store."""
    remote_ns: int
    """Neither, but another call of something outside of the process."""
    tool_ns: int
    """None of these, but a tool was running: its own work."""
    own_ns: int
    """Nothing of this: the agent's own work, or what is not recorded."""


def waiting(node: Node) -> Waiting:
    """Return what the time of ``node`` went by with, over all that is below it.

    The parts are lengths of unions of intervals, cut to the span, so that concurrent calls count once. The time of
    models is what the run's own ``obs.run.model_time`` measures.
    """
    changes: list[tuple[int, int, int]] = []
    whole = Interval(node.start_ns, node.end_ns)
    for each in node.walk():
        kind = kind_of(each.span)
        if kind is not None:
            start, end = each.clipped(whole)
            changes += ((start, KINDS.index(kind), 1), (end, KINDS.index(kind), -1))
    changes.sort()
    going_on = [0] * len(KINDS)
    parts = [0] * len(KINDS)
    before = node.start_ns
    for moment, kind_index, change in changes:
        waited_for = next((at for at, count in enumerate(going_on) if count), None)
        if waited_for is not None:
            parts[waited_for] += moment - before
        before = moment
        going_on[kind_index] += change
    model, store, remote, tool = parts
    return Waiting(model, store, remote, tool, node.duration_ns - sum(parts))


def kind_of(span: Span) -> str | None:
    """Return which of :data:`KINDS` waits while the span goes on; None for work that is none of them."""
    if calls_model(span):
        return "model"
    if store_of(span) is not None:
        return "store"
    if span.kind in ("client", "producer") and span.operation != "invoke_agent":
        return "remote"
    return "tool" if span.operation == "execute_tool" else None


def store_of(span: Span) -> str | None:
    """Return the database system that the span is a call of."""
    system = span.attributes.get(semconv.DB_SYSTEM_NAME) or span.attributes.get(semconv.DB_SYSTEM)
    return str(system) if system else None
