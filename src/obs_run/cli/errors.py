"""``obsctl errors``: what failed, where it began and how far it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis.errors import error_chains, group_errors
from obs_run.cli import selection, tables, words
from obs_run.cli.log_lines import body_text
from obs_run.cli.tables import Column, Row
from obs_run.telemetry.summary import is_error

if TYPE_CHECKING:
    import argparse

    from obs_run.analysis.errors import ErrorChain, ErrorGroup
    from obs_run.cli.selection import Found

_COLUMNS = (
    Column("N", is_number=True),
    Column("ROOT", 1, is_number=True),
    Column("LAST", 3),
    Column("TRACE", 2),
    Column("SERVICE", 4, is_cut=True, is_shared=True),
    Column("SPAN", is_cut=True),
    Column("ERROR", is_cut=True),
)
_SHORT_ID = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    selection.arguments(parser, 1000)


def run(args: argparse.Namespace) -> int:
    """Print the errors: of one trace each with its way up, of several in groups."""
    if args.status is None and not args.trace:
        args.status = "error"
    return selection.answer(args, lambda found: _print(found, args), logs=True)


def _print(found: list[Found], args: argparse.Namespace) -> int:
    is_meant = selection.spans_filter(args)
    chains = [
        chain for each in found for chain in error_chains(each.tree, each.logs) if any(map(is_meant, chain.nodes))
    ]
    if not chains:
        return selection.nothing(f"no span failed in {words.count(len(found), 'trace')}{_logged(found)}")
    if args.json:
        selection.print_json(map(_object, chains))
    elif args.trace:
        for chain in chains:
            tables.print_lines(_lines(chain, found[0].trace.start_ns))
    else:
        _print_groups(group_errors(chains))
        tables.print_lines([("ROOT: so many made their trace fail; obsctl errors TRACE tells the way", "dim")])
    return 0


def _logged(found: list[Found]) -> str:
    """Return how many errors were only logged, with the command that shows them."""
    lines = sum(is_error(line) for each in found for line in each.logs)
    return f"; {words.count(lines, 'error')} logged: obsctl logs --level error" if lines else ""


def _print_groups(groups: list[ErrorGroup]) -> None:
    rows = [
        Row(
            (
                str(group.count),
                str(group.reached_root) if group.reached_root else "-",
                words.clock(group.last_ns).rsplit("+", 1)[0],
                group.last_trace[:_SHORT_ID],
                group.service,
                group.name,
                group.failure.text or "(nothing is told)",
            ),
            "red" if group.reached_root else "",
        )
        for group in groups
    ]
    tables.print_table(_COLUMNS, rows)


def _lines(chain: ErrorChain, start_ns: int) -> list[tuple[str, str]]:
    """Return the error, and under it the spans that it went through, the last one first."""
    at = f"{(chain.origin.end_ns - start_ns) / 1e9:+.3f}s"
    told = [(f"{at}  ERROR {chain.failure.text}".rstrip(), "red")]
    spans = [node.span for node in reversed(chain.nodes)]
    told += [(f"  in {span.name}  [{span.service}]  span {span.span_id}", "") for span in spans]
    if chain.handled_by is None:
        told.append(("  to the root", "red"))
    else:
        told.append((f"  not in {chain.handled_by.span.name}, which went on", "dim"))
    for line in chain.logs:
        told.append((f"  {line.severity_text or 'LOG'}  {body_text(line)}", "yellow"))
    return [(words.one_line(text), style) for text, style in told]


def _object(chain: ErrorChain) -> dict[str, Any]:
    span = chain.origin.span
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "time_ns": chain.origin.end_ns,
        "service": span.service,
        "name": span.name,
        "type": chain.failure.type,
        "message": chain.failure.message,
        "spans": [{"span_id": node.span.span_id, "name": node.span.name} for node in chain.nodes],
        "reached_root": chain.handled_by is None,
        "handled_by": None if chain.handled_by is None else chain.handled_by.span.name,
        "logs": [line.body for line in chain.logs],
    }
