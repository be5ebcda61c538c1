"""``obsctl cost``: tokens and cost by model, agent, tool and others, or along the tree of a trace."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from obs_run.analysis.usage import (
    Totals,
    agent_of,
    conversation_of,
    counted_usage,
    model_of,
    service_of,
    tool_of,
    usage_by_subtree,
)
from obs_run.cli import selection, tables, words
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from obs_run.analysis.trace_tree import Node
    from obs_run.cli.selection import Found

_KEYS: dict[str, Callable[[Node], str | None]] = {
    "model": model_of,
    "agent": agent_of,
    "tool": tool_of,
    "service": service_of,
    "conversation": conversation_of,
    "operation": lambda node: node.span.operation,
    "trace": lambda node: node.span.trace_id,
}
_SUBTREE = "subtree"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--by", choices=[*_KEYS, _SUBTREE], default="model", help="what is added up (model); subtree: span by span"
    )
    selection.arguments(parser, 1000)


def run(args: argparse.Namespace) -> int:
    """Print what was used."""
    if args.by == _SUBTREE:
        selection.mean_one(args)
        return selection.answer(args, lambda found: _print_subtrees(found[0], as_json=args.json))
    return selection.answer(args, lambda found: _print(found, args))


def _columns(name: str) -> tuple[Column, ...]:
    return (
        Column("COST", is_number=True),
        Column("SHARE", 2, is_number=True),
        Column("IN", 1, is_number=True),
        Column("OUT", 1, is_number=True),
        Column("CALLS", 3, is_number=True),
        Column("FAILED", 4, is_number=True),
        Column(name, is_cut=True),
    )


def _cells(used: Totals, whole: Totals, name: str) -> tuple[str, ...]:
    # At least so much: some calls have no price.
    more = "+" if used.unpriced and used.cost is not None else ""
    return (
        tables.money(used.cost) + more,
        "-" if used.cost is None else tables.share(used.cost, whole.cost or 0),
        tables.number(used.input_tokens),
        tables.number(used.output_tokens),
        str(used.calls),
        str(used.errors) if used.errors else "-",
        name,
    )


def _print(found: list[Found], args: argparse.Namespace) -> int:
    is_meant = selection.spans_filter(args)
    groups: dict[str | None, Totals] = {}
    whole = Totals()
    for each in found:
        for node, own in counted_usage(each.tree).items():
            if is_meant(node):
                groups.setdefault(_KEYS[args.by](node), Totals()).add(own)
                whole.add(own)
    if not groups:
        return selection.nothing(f"{words.count(len(found), 'trace')}, and no model call in them")
    ordered = sorted(groups.items(), key=lambda item: (-(item[1].cost or 0), -(item[1].input_tokens or 0)))
    if args.json:
        selection.print_json({args.by: name, **asdict(used)} for name, used in ordered)
        return 0
    rows = [Row(_cells(used, whole, name or f"(no {args.by})")) for name, used in ordered]
    if len(rows) > 1:
        rows.append(Row(_cells(whole, whole, f"all of {words.count(len(found), 'trace')}"), "bold"))
    tables.print_table(_columns(args.by.upper()), rows)
    if whole.unpriced:
        calls = words.count(whole.unpriced, "model call")
        tables.print_lines([(f"no price is known for {calls}; see docs/prices.md", "yellow")])
    return 0


def _print_subtrees(found: Found, *, as_json: bool) -> int:
    subtrees = {node: used for node, used in usage_by_subtree(found.tree).items() if not used.is_empty}
    if not subtrees:
        return selection.nothing(f"trace {found.trace.trace_id} has no model call")
    whole = Totals()
    for root in found.tree.roots:
        whole.add(subtrees.get(root, Totals()))
    shown = [node for node in found.tree.walk() if node in subtrees]
    if as_json:
        selection.print_json(
            {"trace_id": node.span.trace_id, "span_id": node.span.span_id, "parent_id": node.span.parent_id}
            | {"name": node.span.name, **asdict(subtrees[node])}
            for node in shown
        )
        return 0
    rows = [Row(_cells(subtrees[node], whole, tables.indented(node))) for node in shown]
    tables.print_table(_columns("SPAN"), rows)
    return 0
