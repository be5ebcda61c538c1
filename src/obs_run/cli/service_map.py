"""``obsctl map``: who calls whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis.service_map import service_map
from obs_run.cli import selection, tables, words
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.analysis.service_map import Edge, Place, ServiceMap
    from obs_run.cli.selection import Found

_COLUMNS = (
    Column("CALLER", is_cut=True),
    Column("CALLS", is_cut=True),
    Column("N", is_number=True),
    Column("/MIN", 6, is_number=True),
    Column("ERRORS", 1, is_number=True),
    Column("P50", 4, is_number=True),
    Column("P95", 2, is_number=True),
    Column("COST", 3, is_number=True),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    selection.arguments(parser, 1000)


def run(args: argparse.Namespace) -> int:
    """Print the map."""
    return selection.answer(args, lambda found: _print(found, as_json=args.json))


def _print(found: list[Found], *, as_json: bool) -> int:
    of = service_map(each.tree for each in found)
    if as_json:
        selection.print_json(_objects(of))
        return 0
    if not of.edges:
        return selection.nothing(f"nothing calls anything in {words.count(len(found), 'trace')}")
    tables.print_table(_COLUMNS, [_row(of, edge) for edge in of.edges])
    between = words.duration(of.seconds)
    tables.print_lines([(f"{words.count(len(found), 'trace')} in {between}", "dim")])
    return 0


def _place(place: Place) -> str:
    return place.name if place.kind == "service" else f"{place.kind} {place.name}"


def _row(of: ServiceMap, edge: Edge) -> Row:
    cells = (
        _place(edge.caller),
        _place(edge.callee),
        str(edge.calls),
        tables.number(of.rate(edge)),
        f"{edge.errors} {edge.error_rate:.0%}" if edge.errors else "-",
        tables.took(edge.p50_ns),
        tables.took(edge.p95_ns),
        tables.money(edge.usage.cost),
    )
    return Row(cells, "red" if edge.errors else "")


def _objects(of: ServiceMap) -> Iterator[dict[str, Any]]:
    for edge in of.edges:
        yield {
            "caller": edge.caller._asdict(),
            "callee": edge.callee._asdict(),
            "calls": edge.calls,
            "errors": edge.errors,
            "calls_per_minute": of.rate(edge),
            "p50_ns": edge.p50_ns,
            "p95_ns": edge.p95_ns,
            "input_tokens": edge.usage.input_tokens,
            "output_tokens": edge.usage.output_tokens,
            "cost": edge.usage.cost,
        }
