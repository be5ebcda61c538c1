"""``obsctl list``: the newest traces, one a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from obs_run.cli import elsewhere, moments, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from obs_run.telemetry.records import Trace

_HEADER = ("TRACE", "STARTED", "TOOK", "SPANS", "ERRORS", "IN", "OUT", "COST", "SERVICE", "NAME")
_SHORT_ID = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("-n", dest="limit", type=int, default=20, metavar="N", help="how many (20)")
    parser.add_argument("--service", metavar="NAME", help="only traces that this service took part in")
    parser.add_argument("--errors", action="store_true", help="only traces with an error")
    parser.add_argument("--since", metavar="WHEN", help="only newer ones: 90s, 30m, 1h, 2d, or a date and time")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    if args.limit < 1:
        raise Mistake("-n takes a number from 1")
    since = None if args.since is None else moments.parse("--since", args.since)
    if args.store is None:
        elsewhere.tell_where_traces_go()
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        place = reader.place
        traces = reader.traces(args.limit, service=args.service, since_ns=since, errors=args.errors)
    if args.json:
        import json
        from dataclasses import asdict

        for trace in traces:
            print(json.dumps(asdict(trace)))
    elif traces:
        _print(traces)
    if not traces:
        print(f"obsctl: no trace of {words.one_line(place)} fits", file=sys.stderr)
        return 1
    return 0


def _row(trace: Trace) -> tuple[str, ...]:
    return (
        words.one_line(trace.trace_id),
        words.clock(trace.start_ns),
        words.duration(trace.seconds),
        str(trace.spans),
        str(trace.errors),
        "-" if trace.input_tokens is None else str(trace.input_tokens),
        "-" if trace.output_tokens is None else str(trace.output_tokens),
        "-" if trace.cost is None else words.money(trace.cost),
        words.one_line(trace.service),
        words.one_line(trace.name or "-"),
    )


def _print(traces: Sequence[Trace]) -> None:
    rows = [_row(trace) for trace in traces]
    if not terminal.is_terminal():
        widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
        for row in (_HEADER, *rows):
            print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in _HEADER:
        table.add_column(name, no_wrap=True, justify="right" if name in _HEADER[2:8] else "left")
    for trace, row in zip(traces, rows, strict=True):
        cells = (row[0][:_SHORT_ID], row[1].rsplit("+", 1)[0], *row[2:])
        style = "red" if trace.errors else "default"
        table.add_row(*(Text(cell, style) for cell in cells))
    Console(highlight=False).print(table)
