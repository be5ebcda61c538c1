"""``obsctl tree``: the spans of a trace with their self times, their part of the critical path, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.analysis.critical_path import critical_paths, critical_time_ns
from obs_run.analysis.repeats import loops, repeats
from obs_run.analysis.trace_tree import self_time_ns
from obs_run.analysis.usage import Totals, usage_by_subtree
from obs_run.cli import selection, tables, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.cli.selection import Found

_COLUMNS = (
    Column("TOOK", is_number=True),
    Column("SELF", 2, is_number=True),
    Column("ON PATH", 1, is_number=True),
    Column("COST", 3, is_number=True),
    Column("IN", 4, is_number=True),
    Column("OUT", 4, is_number=True),
    Column("SPAN", is_cut=True),
)


_GIVEN = {"tool": "arguments", "model": "messages"}


class _Line(NamedTuple):
    """Spans of one name below the same parent, or one span."""

    nodes: Sequence[Node]
    depth: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--depth", type=int, metavar="N", help="no deeper than this")
    parser.add_argument("--merge", action="store_true", help="one line for all of the same name below the same parent")
    selection.arguments(parser, 1)


def run(args: argparse.Namespace) -> int:
    """Print the tree."""
    if args.depth is not None and args.depth < 1:
        raise Mistake("--depth takes a number from 1")
    selection.mean_one(args)
    return selection.answer(args, lambda found: _print(found[0], args))


def _print(found: Found, args: argparse.Namespace) -> int:
    tree = found.tree
    critical = critical_time_ns(critical_paths(tree))
    subtrees = usage_by_subtree(tree)
    lines = [line for line in _lines(tree, merge=args.merge) if args.depth is None or line.depth < args.depth]
    if args.json:
        selection.print_json(_object(line, critical, subtrees) for line in lines)
        return 0
    whole = sum(root.duration_ns for root in tree.roots)
    tables.print_table(_COLUMNS, [_row(line, critical, subtrees, whole) for line in lines])
    tables.print_lines([(words.one_line(text), "yellow") for text in _again(tree)])
    return 0


def _again(tree: Tree) -> Iterator[str]:
    """Return what was called again with the same arguments, and what went round."""
    for repeat in repeats(tree):
        yield f"{repeat.nodes[0].span.name}: {len(repeat.nodes)} times with the same {_GIVEN[repeat.kind]}"
    for loop in loops(tree):
        yield f"{loop.within.span.name}: a loop of {loop.kind}: {', '.join(loop.names)}"


def _lines(tree: Tree, *, merge: bool) -> Iterator[_Line]:
    waiting = [_Line([root], 0) for root in reversed(tree.roots)]
    while waiting:
        line = waiting.pop()
        yield line
        below = [child for node in line.nodes for child in node.children]
        groups: list[list[Node]] = [[child] for child in below]
        if merge:
            named: dict[tuple[str, str], list[Node]] = {}
            for child in below:
                named.setdefault((child.span.service, child.span.name), []).append(child)
            groups = list(named.values())
        waiting.extend(_Line(group, line.depth + 1) for group in reversed(groups))


def _used(line: _Line, subtrees: dict[Node, Totals]) -> Totals:
    used = Totals()
    for node in line.nodes:
        used.add(subtrees[node])
    return used


def _row(line: _Line, critical: dict[Node, int], subtrees: dict[Node, Totals], whole: int) -> Row:
    used = _used(line, subtrees)
    on_path = sum(critical.get(node, 0) for node in line.nodes)
    span = line.nodes[0].span
    errors = sum(node.span.status == "error" for node in line.nodes)
    times = f" x{len(line.nodes)}" if len(line.nodes) > 1 else ""
    cells = (
        tables.took(sum(node.duration_ns for node in line.nodes)),
        tables.took(sum(map(self_time_ns, line.nodes))),
        tables.share(on_path, whole) if on_path else "-",
        tables.money(used.cost),
        tables.number(used.input_tokens),
        tables.number(used.output_tokens),
        tables.indent(line.depth)
        + span.name
        + times
        + (" ERROR" if errors else "")
        + (" open" if span.end_ns is None else ""),
    )
    return Row(cells, "red" if errors else "bold" if on_path else "")


def _object(line: _Line, critical: dict[Node, int], subtrees: dict[Node, Totals]) -> dict[str, Any]:
    used, span = _used(line, subtrees), line.nodes[0].span
    return {
        "trace_id": span.trace_id,
        "span_ids": [node.span.span_id for node in line.nodes],
        "parent_id": span.parent_id,
        "depth": line.depth,
        "name": span.name,
        "service": span.service,
        "errors": sum(node.span.status == "error" for node in line.nodes),
        "duration_ns": sum(node.duration_ns for node in line.nodes),
        "self_ns": sum(map(self_time_ns, line.nodes)),
        "critical_ns": sum(critical.get(node, 0) for node in line.nodes),
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "cost": used.cost,
    }
