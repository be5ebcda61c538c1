"""``obsctl check``: whether recorded runs kept the budgets of a file; 0 if they did, 1 if not, 2 for a mistake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run.base.documents import UnreadableError, read_document
from obs_run.cli import moments, terminal, words
from obs_run.cli.mistake import Mistake
from obs_run.testing import baseline
from obs_run.testing.budgets import BudgetError, Verdict, judge
from obs_run.testing.recorded_run import RecordedRun
from obs_run.testing.reports import Judged, junit, markdown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from obs_run.telemetry.reader import Search, TraceReader
    from obs_run.telemetry.records import Trace

_MOST_TRACES = 10_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("budgets", metavar="BUDGETS", help="YAML or JSON: what a run may take")
    parser.add_argument("traces", nargs="*", metavar="TRACE", help="trace ids, or their beginnings (else the newest)")
    parser.add_argument("--last", action="store_true", help="the newest trace (so it is without TRACE, too)")
    parser.add_argument("--since", metavar="WHEN", help="all traces since then: 90s, 30m, 1h, 2d, or a date and time")
    parser.add_argument("--service", metavar="NAME", help="only traces that this service took part in")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="how long runs took before, for times_baseline")
    parser.add_argument("--record", action="store_true", help="write down in --baseline how long the runs took")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a report that CI servers read")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a report that people read")
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Judge the runs."""
    if args.record and args.baseline is None:
        raise Mistake("--record needs --baseline FILE, where to write it down")
    budgets = _budgets(args.budgets)
    try:
        judged = _judged(args, budgets)
    except (BudgetError, baseline.BaselineError) as problem:
        raise Mistake(f"{args.budgets}: {problem}" if isinstance(problem, BudgetError) else str(problem)) from None
    _report(judged, args)
    broken = sum(not verdict.is_kept for one in judged for verdict in one.verdicts)
    return 1 if broken else 0


def _budgets(path: str) -> dict[str, Any]:
    try:
        document = read_document(path)
    except UnreadableError as problem:
        raise Mistake(str(problem)) from None
    if document.problems:
        raise Mistake(document.problems[0])
    if not isinstance(document.content, dict) or not document.content:
        raise Mistake(f"{path}: has no budgets; such as `cost: 0.05`")
    return document.content


def _judged(args: argparse.Namespace, budgets: dict[str, Any]) -> list[Judged]:
    with terminal.open_store(args.store) as reader:
        if reader is None:
            raise SystemExit(2)
        return [_judge(reader, trace, args, budgets) for trace in _chosen(reader, args)]


def _chosen(reader: TraceReader, args: argparse.Namespace) -> Sequence[Trace]:
    if args.traces:
        if args.since or args.service or args.last:
            raise Mistake("give trace ids, or --last, --since and --service, not both")
        from obs_run.cli.show import named

        return [named(reader, prefix) for prefix in args.traces]
    search: Search = {"service": args.service}
    if args.since:
        search["since_ns"] = moments.parse("--since", args.since)
    found = reader.traces(_MOST_TRACES if args.since else 1, **search)
    if not found:
        raise Mistake(f"no trace of {words.one_line(reader.place)} fits, so that nothing can be checked")
    return found


def _judge(reader: TraceReader, trace: Trace, args: argparse.Namespace, budgets: dict[str, Any]) -> Judged:
    of = RecordedRun(reader.spans(trace.trace_id), reader.logs(trace.trace_id))
    name = trace.name or trace.service
    before = None if args.baseline is None else baseline.read(args.baseline, name)
    if args.record:
        baseline.record(args.baseline, name, of.seconds)
        budgets = {budget: limit for budget, limit in budgets.items() if budget != "times_baseline"}
    return Judged(f"{name} ({trace.trace_id[:12]})", of.seconds, judge(of, budgets, before))


def _report(judged: Sequence[Judged], args: argparse.Namespace) -> None:
    for one in judged:
        print(words.one_line(one.name))
        for verdict in one.verdicts:
            print(f"  {'ok  ' if verdict.is_kept else 'FAIL'}  {_line(verdict)}")
    for path, content in ((args.junit, junit(judged)), (args.markdown, markdown(judged).encode())):
        if path is not None:
            try:
                path.write_bytes(content)
            except OSError as error:
                raise Mistake(f"{path} cannot be written: {error.strerror}") from None
    kept = sum(verdict.is_kept for one in judged for verdict in one.verdicts)
    all_of_them = sum(len(one.verdicts) for one in judged)
    summary = f"{kept} of {words.count(all_of_them, 'budget')} kept in {words.count(len(judged), 'run')}"
    print(f"obsctl: {summary}", file=sys.stderr)


def _line(verdict: Verdict) -> str:
    if verdict.budget == "shape":
        return "shape" if verdict.is_kept else f"shape: {_difference(verdict)}"
    return words.one_line(f"{verdict.budget}: {verdict.found}; allowed: {verdict.allowed}")


def _difference(verdict: Verdict) -> str:
    """Return a shape's differences as a diff, indented below its line."""
    from difflib import unified_diff

    lines = unified_diff(verdict.allowed.splitlines(), verdict.found.splitlines(), "allowed", "found", lineterm="")
    return "".join(f"\n        {words.one_line(line)}" for line in lines)
