"""Two traces side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis import trace_tree
from obs_run.analysis.comparison import compare_traces, does
from obs_run.analysis.messages import content
from obs_run.view.listing import summary_json
from obs_run.view.texts import shown
from obs_run.view.waterfall import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from obs_run.analysis.comparison import Pair
    from obs_run.analysis.trace_tree import Node
    from obs_run.analysis.usage import Totals
    from obs_run.telemetry.records import LogLine
    from obs_run.view.source import Source

Json = dict[str, Any]


def compared(source: Source, request: Request) -> Json | None:
    """Return the spans of two traces, aligned."""
    left, right = (read(source, request.query_params.get(name, "")) for name in ("left", "right"))
    if left is None or right is None:
        return None
    trees = trace_tree.build(left.spans), trace_tree.build(right.spans)
    pairs = compare_traces(*trees, left.logs, right.logs)
    return {
        "left": summary_json(left.trace),
        "right": summary_json(right.trace),
        "pairs": [_pair(pair, left.logs, right.logs) for pair in pairs],
    }


def _pair(pair: Pair, left_logs: Sequence[LogLine], right_logs: Sequence[LogLine]) -> Json:
    # Messages are large: only those that differ are sent.
    has_messages = any("messages" in change for change in pair.changes)
    return {
        "kind": pair.kind,
        "depth": pair.depth,
        "name": does(pair.node),
        "changes": pair.changes,
        "left": _side(pair.left, pair.left_usage, left_logs, has_messages=has_messages),
        "right": _side(pair.right, pair.right_usage, right_logs, has_messages=has_messages),
    }


def _side(node: Node | None, usage: Totals, logs: Sequence[LogLine], *, has_messages: bool) -> Json | None:
    if node is None:
        return None
    told = content(node.span, logs) if has_messages else ()
    return {
        "id": node.span.span_id,
        "name": node.span.name,
        "status": node.span.status,
        "took_ns": node.duration_ns,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost": usage.cost,
        "messages": [shown(message) for part in told for message in part],
    }
