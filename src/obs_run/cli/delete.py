"""``obsctl delete``: traces leave the local store, with their log lines."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.cli import moments, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from obs_run.telemetry.records import Trace

_MOST = 1_000_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("trace", nargs="*", metavar="TRACE", help="trace ids, or as much of each as is unique")
    parser.add_argument("--before", metavar="WHEN", help="all that began before: 30m, 1h, 2d ago, or a date and time")
    parser.add_argument("--service", metavar="NAME", help="of these, only traces that this service took part in")
    parser.add_argument("--yes", action="store_true", help="do it; without it they are only counted")
    parser.add_argument("--store", metavar="FILE", help="the store (else OBS_STORE_FILE, or the user's)")


def run(args: argparse.Namespace) -> int:
    """Delete what is named, or say how much that is."""
    from pathlib import Path

    from obs_run.store.deletion import delete_traces
    from obs_run.store.location import default_path

    if bool(args.trace) == bool(args.before):
        raise Mistake("name traces, or give --before; see obsctl list")
    path = default_path() if args.store is None else Path(args.store)
    traces = _meant(args, path)
    if traces is None:
        return 1
    if not traces:
        print("obsctl: no trace of the local store fits", file=sys.stderr)
        return 1
    what = words.count(len(traces), "trace")
    if not args.yes:
        print(f"{what} would be deleted; with --yes they are")
        return 0
    delete_traces(path, [trace.trace_id for trace in traces], settings.get("OBS_STORE_MAX_BYTES"))
    print(f"{what} deleted")
    return 0


def _meant(args: argparse.Namespace, path: Path) -> Sequence[Trace] | None:
    from obs_run.cli.show import named

    with terminal.open_store(path) as reader:
        if reader is None:
            return None
        if args.trace:
            return [named(reader, trace.rstrip("….")) for trace in args.trace]
        before = moments.parse("--before", args.before)
        until = min(before, time.time_ns())
        return reader.traces(_MOST, service=args.service, until_ns=until, without_spans=True, without_usage=True)
