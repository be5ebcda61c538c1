"""``obsctl show``: one trace as a tree, or as OTLP JSON."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from obs_run.cli import elsewhere, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from obs_run.telemetry.reader import TraceReader
    from obs_run.telemetry.records import LogLine, Span, Trace

_ID = re.compile(r"[0-9a-fA-F]{1,32}")


class Stored(NamedTuple):
    """A trace that was recorded, with its spans and log lines."""

    trace: Trace
    spans: Sequence[Span]
    logs: Sequence[LogLine]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    trace_arguments(parser)
    parser.add_argument(
        "--content", action="store_true", help="with the conversation: messages, arguments, results, hits"
    )
    parser.add_argument(
        "--details", action="store_true", help="with attributes, events, and where each log line was written"
    )
    parser.add_argument("--json", action="store_true", help="print the trace as OTLP JSON")


def trace_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say which trace is meant."""
    parser.add_argument("trace", nargs="?", metavar="TRACE", help="trace id, or as much of its beginning as is unique")
    parser.add_argument("--last", action="store_true", help="the newest trace (so it is without TRACE, too)")
    terminal.store_argument(parser)


def read_trace(args: argparse.Namespace) -> Stored | None:
    """Return the trace that is meant; None, after one line that says why, where there is none."""
    if args.trace and args.last:
        raise Mistake("give a trace id or --last, not both")
    if args.trace:
        # As it is copied from a place that had no room for all of it.
        args.trace = args.trace.rstrip("….")
    if args.trace and not _ID.fullmatch(args.trace):
        raise Mistake(f"{args.trace!r} is not a trace id: up to 32 hexadecimal digits; see obsctl list")
    if args.store is None and not args.trace:
        elsewhere.tell_where_traces_go()
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return None
        trace = named(reader, args.trace) if args.trace else _newest(reader)
        if trace is None:
            place = words.one_line(reader.place)
            print(f"obsctl: {place} has no trace yet; run an agent: obs-run python agent.py", file=sys.stderr)
            return None
        if args.store is None and not args.trace and not args.last:
            elsewhere.tell_age(trace.end_ns)
        return Stored(trace, reader.spans(trace.trace_id), reader.logs(trace.trace_id))


def _newest(reader: TraceReader) -> Trace | None:
    # An agent that runs has log lines before its first span has ended.
    traces = reader.traces(1, without_spans=True)
    return traces[0] if traces else None


def run(args: argparse.Namespace) -> int:
    """Print the trace."""
    found = read_trace(args)
    if found is None:
        return 1
    if args.json:
        import json

        from obs_run.telemetry.otlp_json import trace_json

        print(json.dumps(trace_json(found.spans, found.logs), indent=2))
        return 0
    from obs_run.cli.tree import lines

    speeches = None
    if args.content:
        from obs_run.cli.spoken import Speeches

        speeches = Speeches(found.logs)
    terminal.print_tree(lines(*found, speeches, details=args.details), cut=not args.details)
    if speeches is not None and not speeches.has_any:
        print("obsctl: no content of this trace was recorded: obs-run --content python agent.py", file=sys.stderr)
    return 0


def named(reader: TraceReader, prefix: str) -> Trace:
    """Return the one trace whose id begins so; raise ``Mistake`` for what is none, or several."""
    if not _ID.fullmatch(prefix):
        raise Mistake(f"{prefix!r} is not a trace id: up to 32 hexadecimal digits; see obsctl list")
    traces = reader.find(prefix)
    if not traces:
        raise Mistake(f"no trace begins with {prefix}; see obsctl list")
    if len(traces) > 1:
        ids = ", ".join(trace.trace_id for trace in traces[:3])
        raise Mistake(f"several traces begin with {prefix}: {ids}{' ...' if len(traces) > 3 else ''}")  # noqa: PLR2004 (as many as are named)
    return traces[0]
