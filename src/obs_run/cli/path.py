"""``obsctl path``: the critical path of a trace, or of many together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis.critical_path import critical_path, critical_paths
from obs_run.analysis.operations import operations
from obs_run.analysis.waiting import Waiting, waiting
from obs_run.cli import selection, tables, words
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.analysis.critical_path import Section
    from obs_run.analysis.trace_tree import Node
    from obs_run.cli.selection import Found

_SECTIONS = (
    Column("AT", 2, is_number=True),
    Column("TOOK", is_number=True),
    Column("SHARE", 1, is_number=True),
    Column("SERVICE", 3, is_cut=True, is_shared=True),
    Column("SPAN", is_cut=True),
)
_TOTALS = (
    Column("ON PATH", is_number=True),
    Column("SHARE", 1, is_number=True),
    Column("SELF", 4, is_number=True),
    Column("CALLS", 2, is_number=True),
    Column("P95", 5, is_number=True),
    Column("SERVICE", 3, is_cut=True, is_shared=True),
    Column("SPAN", is_cut=True),
)
_WAITED = ("models", "stores", "calls of others", "tools", "own work")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--total", action="store_true", help="add up the paths of all these traces, by operation")
    selection.arguments(parser, 1000)


def run(args: argparse.Namespace) -> int:
    """Print the path."""
    if args.total:
        return selection.answer(args, lambda found: _print_totals(found, as_json=args.json))
    selection.mean_one(args)
    return selection.answer(args, lambda found: _print_path(found[0], as_json=args.json))


def _print_path(found: Found, *, as_json: bool) -> int:
    if as_json:
        selection.print_json(_objects(found))
        return 0
    trace, tree = found.trace, found.tree
    head = f"trace {trace.trace_id}  {trace.service}  {words.duration(trace.seconds)}"
    tables.print_lines([(words.one_line(head), "bold")])
    for root in tree.roots:
        sections = critical_path(root)
        tables.print_table(_SECTIONS, [_row(section, root, trace.start_ns) for section in sections])
        tables.print_lines([(_waited(waiting(root), root.duration_ns), "")])
    return 0


def _row(section: Section, root: Node, start_ns: int) -> Row:
    node = section.node
    cells = (
        f"{(section.start_ns - start_ns) / 1e9:+.3f}s",
        tables.took(section.duration_ns),
        tables.share(section.duration_ns, root.duration_ns),
        node.span.service,
        tables.indented(node),
    )
    return Row(cells, "red" if node.span.status == "error" else "")


def _waited(parts: Waiting, whole: int) -> str:
    told = [
        f"{name} {tables.took(part)} ({tables.share(part, whole)})"
        for name, part in zip(_WAITED, parts, strict=True)
        if part
    ]
    return "waited for " + ", ".join(told) if told else "no time went by"


def _objects(found: Found) -> Iterator[dict[str, Any]]:
    for section in critical_paths(found.tree):
        span = section.node.span
        yield {
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "name": span.name,
            "service": span.service,
            "start_ns": section.start_ns,
            "end_ns": section.end_ns,
        }


def _print_totals(found: list[Found], *, as_json: bool) -> int:
    of = operations(each.tree for each in found)
    of = sorted((one for one in of if one.critical_ns), key=lambda one: -one.critical_ns)
    if as_json:
        selection.print_json(
            {
                "service": one.service,
                "name": one.name,
                "calls": one.count,
                "critical_ns": one.critical_ns,
                "self_ns": one.self_ns,
                "p95_ns": one.p95_ns,
            }
            for one in of
        )
        return 0
    whole = sum(one.critical_ns for one in of)
    rows = [
        Row(
            (
                tables.took(one.critical_ns),
                tables.share(one.critical_ns, whole),
                tables.took(one.self_ns),
                str(one.count),
                tables.took(one.p95_ns),
                one.service,
                one.name,
            )
        )
        for one in of
    ]
    tables.print_table(_TOTALS, rows)
    tables.print_lines(
        [(f"critical paths of {words.count(len(found), 'trace')}, {tables.took(whole)} together", "dim")]
    )
    return 0
