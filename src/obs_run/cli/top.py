"""``obsctl top``: what agents do now, by operation, agent, model, tool or service; renewed while people look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from obs_run.analysis.operations import Operation, operation_of, operations
from obs_run.analysis.trace_tree import build
from obs_run.analysis.usage import agent_of, calls_model, counted_usage
from obs_run.cli import selection, tables, terminal
from obs_run.cli.mistake import Mistake
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.reader import TraceReader

_MOST_TRACES = 500
_NANO = 1e9


def _agent(node: Node) -> tuple[str, str] | None:
    return (node.span.service, node.span.agent) if node.span.agent and node.span.operation == "invoke_agent" else None


def _model(node: Node) -> tuple[str, str] | None:
    return (node.span.service, node.span.model or "?") if calls_model(node.span) else None


def _tool(node: Node) -> tuple[str, str] | None:
    span = node.span
    return (span.service, span.tool or span.name) if span.operation == "execute_tool" else None


def _service(node: Node) -> tuple[str, str] | None:
    above = node.parent
    is_entry = above is None or above.span.service != node.span.service
    return (node.span.service, node.span.service) if is_entry else None


_KEYS: dict[str, Callable[[Node], tuple[str, str] | None]] = {
    "operation": operation_of,
    "agent": _agent,
    "model": _model,
    "tool": _tool,
    "service": _service,
}
_SORTS: dict[str, Callable[[tuple[Operation, float | None]], float]] = {
    "self": lambda row: row[0].self_ns,
    "total": lambda row: row[0].total_ns,
    "calls": lambda row: row[0].count,
    "errors": lambda row: row[0].errors,
    "p95": lambda row: row[0].p95_ns or 0,
    "cost": lambda row: row[1] or 0,
}
_Line = tuple[Operation, "float | None"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--by", choices=list(_KEYS), default="operation", help="what makes a line (operation)")
    parser.add_argument("--sort", choices=list(_SORTS), default="self", help="what comes first (self: own time)")
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="how often it is renewed (2)")
    parser.add_argument("--once", action="store_true", help="print it once (so it is where no terminal is)")
    selection.arguments(parser, _MOST_TRACES, trace=False)
    parser.set_defaults(since="5m")


def run(args: argparse.Namespace) -> int:
    """Print the table, again and again."""
    if not args.interval >= 0.1:  # noqa: PLR2004 (faster than anybody looks)
        raise Mistake("--interval takes a number of seconds from 0.1")
    selection.check(args)
    if args.once or args.json or args.store == "-" or not terminal.is_terminal():
        return _once(args)
    return _live(args)


def _once(args: argparse.Namespace) -> int:
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        of, place = _read(reader, args), reader.place
    if not of:
        return selection.nothing(f"no trace of {place} fits")
    if args.json:
        seconds = _seconds(of)
        selection.print_json(_object(*each, seconds) for each in of)
        return 0
    tables.print_table(_columns(args.by), _rows(of))
    return 0


def _live(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                # Opened anew: a place may keep what it has read once.
                with terminal.open_store(args.store) as reader:
                    if reader is None:
                        return 1
                    of = _read(reader, args)
                head = f"obsctl top  {time.strftime('%H:%M:%S')}  since {args.since}  by {args.by}  (Ctrl-C ends it)"
                shown = tables.lines(_columns(args.by), _rows(of), console.width)
                text = Text(head, "bold")
                for line, style in shown[: console.height - 2]:
                    text.append("\n" + line[: console.width], style or None)
                live.update(text, refresh=True)
                time.sleep(args.interval)
        except KeyboardInterrupt:
            return 0


def _read(reader: TraceReader, args: argparse.Namespace) -> list[_Line]:
    traces = selection.newest(reader, args, selection.search(args))
    is_meant = selection.spans_filter(args)
    key = _KEYS[args.by]
    trees = [build(reader.spans(trace.trace_id)) for trace in traces]
    found = operations(trees, lambda node: key(node) if is_meant(node) else None)
    costs = _costs(trees, key, args.by)
    rows = [(each, costs.get((each.service, each.name))) for each in found]
    return sorted(rows, key=_SORTS[args.sort], reverse=True)


def _costs(trees: list[Tree], key: Callable[[Node], tuple[str, str] | None], by: str) -> dict[tuple[str, str], float]:
    """Return what each line cost; that of an agent is what it and no other agent inside of it spent."""
    costs: dict[tuple[str, str], float] = {}
    for tree in trees:
        for node, own in counted_usage(tree).items():
            group = (node.span.service, agent_of(node) or "") if by == "agent" else key(node)
            if by == "service":
                group = (node.span.service, node.span.service)
            if group is not None and own.cost is not None:
                costs[group] = costs.get(group, 0.0) + own.cost
    return costs


def _columns(by: str) -> tuple[Column, ...]:
    return (
        Column("CALLS", is_number=True),
        Column("/MIN", 7, is_number=True),
        Column("OPEN", 8, is_number=True),
        Column("ERRORS", 1, is_number=True),
        Column("SELF", 5, is_number=True),
        Column("P50", 6, is_number=True),
        Column("P95", 3, is_number=True),
        Column("COST", 4, is_number=True),
        Column("SERVICE", 2, is_cut=True, is_shared=True),
        Column(by.upper(), is_cut=True),
    )


def _seconds(of: list[_Line]) -> float:
    """Return the time from the first start to the last end of all."""
    first = min((operation.first_ns for operation, _ in of if operation.first_ns is not None), default=0)
    return (max((operation.last_ns for operation, _ in of), default=0) - first) / _NANO


def _per_minute(operation: Operation, seconds: float) -> float | None:
    return operation.count * 60 / seconds if seconds > 0 else None


def _rows(of: list[_Line]) -> list[Row]:
    seconds = _seconds(of)
    return [_row(operation, cost, seconds) for operation, cost in of]


def _row(operation: Operation, cost: float | None, seconds: float) -> Row:
    cells = (
        str(operation.count),
        tables.number(_per_minute(operation, seconds)),
        str(operation.open) if operation.open else "-",
        str(operation.errors) if operation.errors else "-",
        tables.took(operation.self_ns),
        tables.took(operation.p50_ns),
        tables.took(operation.p95_ns),
        tables.money(cost),
        operation.service,
        operation.name,
    )
    return Row(cells, "red" if operation.errors else "")


def _object(operation: Operation, cost: float | None, seconds: float) -> dict[str, Any]:
    return {
        "service": operation.service,
        "name": operation.name,
        "calls": operation.count,
        "calls_per_minute": _per_minute(operation, seconds),
        "open": operation.open,
        "errors": operation.errors,
        "total_ns": operation.total_ns,
        "self_ns": operation.self_ns,
        "p50_ns": operation.p50_ns,
        "p95_ns": operation.p95_ns,
        "cost": cost,
    }
