"""``obsctl list``: the newest traces, one a line."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from obs_run.cli import elsewhere, moments, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from obs_run.telemetry.records import Trace

_HEADER = ("TRACE", "STARTED", "TOOK", "SPANS", "ERRORS", "IN", "OUT", "COST", "SERVICE", "NAME")
_SHORT_ID, _SHORTEST_ID = 12, 8
_NUMBERS = frozenset(_HEADER[2:8])
_LEFT_OUT = ("IN", "OUT", "SPANS", "SERVICE", "COST", "ERRORS", "TOOK")
_NARROW = 60
_UNNAMED = "(no span has ended yet)"
_LEAST_NAME = 10


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
        traces = reader.traces(args.limit, service=args.service, since_ns=since, errors=args.errors, without_spans=True)
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
        words.one_line(trace.name or _UNNAMED) + (" (running)" if trace.running else ""),
    )


def _print(traces: Sequence[Trace]) -> None:
    rows = [_row(trace) for trace in traces]
    if not terminal.is_terminal():
        widths = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
        for row in (_HEADER, *rows):
            print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    lines = list(_fitted(traces, rows, console.width))
    console.print(Text(lines[0], "dim"), soft_wrap=True)
    for trace, line in zip(traces, lines[1:], strict=True):
        console.print(Text(line, "red" if trace.errors else ""), soft_wrap=True)


def _fitted(traces: Sequence[Trace], rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """Return header and rows as lines of ``width``: what matters least is left out first, names are cut last."""
    is_narrow = width < _NARROW
    columns = dict(zip(_HEADER, (list(column) for column in zip(*rows, strict=True)), strict=True))
    columns["TRACE"] = [text[: _SHORTEST_ID if is_narrow else _SHORT_ID] for text in columns["TRACE"]]
    columns["STARTED"] = _moments(traces, is_narrow=is_narrow)
    if columns["SERVICE"] == columns["NAME"]:
        del columns["SERVICE"]
    for name in ("", *_LEFT_OUT):
        columns.pop(name, None)
        taken = sum(max(map(len, (header, *texts))) + 2 for header, texts in columns.items() if header != "NAME")
        if taken + _LEAST_NAME <= width:
            break
    room = max(_LEAST_NAME, width - taken)
    columns["NAME"] = [terminal.shortened(text, room) for text in columns["NAME"]]
    widths = {header: max(map(len, (header, *texts))) for header, texts in columns.items()}
    for row in zip(*((header, *texts) for header, texts in columns.items()), strict=True):
        cells = zip(row, widths.items(), strict=True)
        yield "  ".join(
            text.rjust(width) if header in _NUMBERS else text.ljust(width) for text, (header, width) in cells
        ).rstrip()


def _moments(traces: Sequence[Trace], *, is_narrow: bool) -> list[str]:
    """Return when the traces began: the day only where it is not today."""
    texts = [words.clock(trace.start_ns).rsplit("+", 1)[0] for trace in traces]
    today = words.clock(time.time_ns()).partition(" ")[0]
    if all(text.startswith(today) for text in texts):
        return [text.partition(" ")[2] for text in texts]
    return [text[5:16] for text in texts] if is_narrow else texts
