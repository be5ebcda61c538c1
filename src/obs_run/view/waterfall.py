"""One trace as the rows of a waterfall, each column a list: 10,000 spans have to be read quickly."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from obs_run.analysis import critical_path, trace_tree, usage
from obs_run.telemetry.records import STATUSES
from obs_run.view.listing import summary_json
from obs_run.view.texts import body_text, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.requests import Request

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.records import LogLine
    from obs_run.view.source import Recorded, Source

Json = dict[str, Any]

_GROUPS = {"agent": usage.agent_of, "model": usage.model_of, "tool": usage.tool_of, "service": usage.service_of}
_LINE = 400  # characters of a log line that the waterfall shows


def trace(source: Source, request: Request) -> Json | None:
    """Return the trace; nothing but its summary's digest where the page has it already."""
    recorded = read(source, request.path_params["id"])
    if recorded is None:
        return None
    digest = f"{hash(recorded.trace):x}"
    if request.query_params.get("known") == digest:
        return {"digest": digest}
    size = recorded.trace.spans + recorded.trace.logs
    return {"digest": digest, **source.keep(("waterfall", recorded.trace), lambda: rows(recorded), size)}


def read(source: Source, trace_id: str) -> Recorded | None:
    """Return a trace by its id, or the beginning of its id if no other begins so."""
    with source.open() as reader:
        found = reader.find(trace_id)
        exact = [trace for trace in found if trace.trace_id == trace_id] or found
        return source.recorded(reader, exact[0]) if len(exact) == 1 else None


def rows(recorded: Recorded) -> Json:
    """Return the spans in the order of the tree, the log lines, and the critical path."""
    tree = trace_tree.build(recorded.spans)
    nodes = list(tree.walk())
    row_of = {node: row for row, node in enumerate(nodes)}
    begin = min([node.start_ns for node in nodes] + [line.time_ns for line in recorded.logs], default=0)
    names = _Names()
    path = critical_path.critical_paths(tree)
    return {
        "trace": summary_json(recorded.trace),
        "took_ns": max([node.end_ns for node in nodes] + [line.time_ns for line in recorded.logs], default=0) - begin,
        "spans": _columns(nodes, tree, row_of, begin, names),
        "names": names.all,
        "path": [[row_of[part.node], part.start_ns - begin, part.end_ns - begin] for part in path],
        "logs": list(_logs(recorded.logs, nodes, begin)),
        "usage": {name: _groups(tree, key) for name, key in _GROUPS.items()},
    }


def _groups(tree: Tree, key: Callable[[Node], str | None]) -> list[Json]:
    """Return what each group used, the most expensive first."""
    found = usage.usage_by(tree, key)
    ordered = sorted(found.items(), key=lambda item: (-(item[1].cost or 0), -item[1].calls, item[0] or ""))
    return [{"group": group, **asdict(totals)} for group, totals in ordered if not totals.is_empty]


class _Names:
    """Texts that many rows share, each sent once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._at: dict[str, int] = {}

    def of(self, text: str | None) -> int:
        if text is None:
            return -1
        if text not in self._at:
            self._at[text] = len(self.all)
            self.all.append(text)
        return self._at[text]


def _columns(nodes: Sequence[Node], tree: Tree, row_of: dict[Node, int], begin: int, names: _Names) -> Json:
    totals = usage.usage_by_subtree(tree)
    depths: list[int] = []
    for node in nodes:
        depths.append(0 if node.parent is None else depths[row_of[node.parent]] + 1)
    spans = [node.span for node in nodes]
    return {
        "id": [span.span_id for span in spans],
        "depth": depths,
        "name": [names.of(span.name) for span in spans],
        "service": [names.of(span.service) for span in spans],
        "operation": [names.of(span.operation) for span in spans],
        "model": [names.of(span.model) for span in spans],
        "kind": [names.of(span.kind) for span in spans],
        "start": [node.start_ns - begin for node in nodes],
        "took": [node.duration_ns for node in nodes],
        "self": [trace_tree.self_time_ns(node) for node in nodes],
        "status": [STATUSES.index(span.status) for span in spans],
        "open": [int(span.unfinished or span.end_ns is None) for span in spans],
        "orphan": [int(node.is_orphan) for node in nodes],
        "input": [totals[node].input_tokens for node in nodes],
        "output": [totals[node].output_tokens for node in nodes],
        "cost": [totals[node].cost for node in nodes],
        "calls": [totals[node].calls for node in nodes],
    }


def _logs(lines: Sequence[LogLine], nodes: Sequence[Node], begin: int) -> Iterable[list[Any]]:
    row_of = {node.span.span_id: row for row, node in enumerate(nodes)}
    for line in lines:
        logger = line.scope.name if line.scope is not None and not line.event_name else line.event_name
        text = shortened(body_text(line), _LINE)
        yield [row_of.get(line.span_id or "", -1), line.time_ns - begin, line.severity or 0, logger or "", text]
