"""``obsctl compare``: two traces span by span, or the traces since a moment with those before it.

Without either it is the newest trace and the one before it of the same name and service.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.analysis.comparison import compare_sets, compare_traces
from obs_run.analysis.messages import content
from obs_run.analysis.statistics import SIGNIFICANCE, TEST
from obs_run.analysis.trace_tree import build
from obs_run.analysis.usage import total
from obs_run.cli import moments, selection, tables, terminal, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from obs_run.analysis.comparison import OperationDifference, Pair
    from obs_run.analysis.trace_tree import Tree
    from obs_run.telemetry.reader import TraceReader
    from obs_run.telemetry.records import LogLine, Trace

_EXIT_DIFFERENT = 1
_SHORT_ID = 12
_TWO = 2
_MARKS = {"same": " ", "changed": "~", "added": "+", "removed": "-"}
_STYLES = {"same": "", "changed": "yellow", "added": "green", "removed": "red"}
_PAIRS = (
    Column(""),
    Column("BEFORE", 1, is_number=True),
    Column("NOW", is_number=True),
    Column("COST BEFORE", 4, is_number=True),
    Column("COST", 3, is_number=True),
    Column("SPAN", is_cut=True),
    Column("CHANGES", 2, is_cut=True),
)
_OPERATIONS = (
    Column("P50 BEFORE", 1, is_number=True),
    Column("P50", is_number=True),
    Column("A", 3, is_number=True),
    Column("P", 3, is_number=True),
    Column("COST", 4, is_number=True),
    Column("ERRORS", 2, is_number=True),
    Column("CALLS", 5, is_number=True),
    Column("SERVICE", 6, is_cut=True, is_shared=True),
    Column("OPERATION", is_cut=True),
    Column("", 1),
)


class _Side(NamedTuple):
    trace: Trace
    tree: Tree
    logs: Sequence[LogLine]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "traces", nargs="*", metavar="TRACE", help="two traces, the earlier one first; one: with the newest"
    )
    parser.add_argument(
        "--against", metavar="WHEN", help="without traces: compare --since with what is since this (7d)"
    )
    parser.add_argument("--changed", action="store_true", help="only what differs")
    parser.add_argument("--messages", action="store_true", help="also how the messages of the two traces differ")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if something differs")
    selection.arguments(parser, 1000, trace=False)


def run(args: argparse.Namespace) -> int:
    """Print the comparison."""
    selection.check(args)
    if len(args.traces) > _TWO:
        raise Mistake("compare takes two traces; see obsctl list")
    for given in args.traces:
        selection.check_id(given)
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        if not args.traces and (args.since is not None or args.against is not None):
            return _print_sets(reader, args)
        traces = _pair(reader, args)
        if len(traces) < _TWO:
            return selection.nothing(f"{reader.place} has no two traces to compare")
        left, right = (_side(reader, trace) for trace in traces)
    return _print_pairs(left, right, args)


def _pair(reader: TraceReader, args: argparse.Namespace) -> list[Trace]:
    """Return the two traces that are meant, the earlier one first."""
    given = [selection.named(reader, each) for each in args.traces]
    if len(given) == _TWO:
        return given
    newest, *others = selection.newest(reader, args, selection.search(args)) or (None,)
    if newest is None:
        return []
    if given:
        return [*given, newest]
    same = (each for each in others if (each.name, each.service) == (newest.name, newest.service))
    return [each for each in (next(same, None), newest) if each is not None]


def _side(reader: TraceReader, trace: Trace) -> _Side:
    return _Side(trace, build(reader.spans(trace.trace_id)), reader.logs(trace.trace_id))


def _print_pairs(left: _Side, right: _Side, args: argparse.Namespace) -> int:
    pairs = compare_traces(left.tree, right.tree, left.logs, right.logs)
    differs = any(pair.kind != "same" for pair in pairs)
    shown = [pair for pair in pairs if pair.kind != "same" or not args.changed]
    if args.json:
        selection.print_json(_pair_object(pair) for pair in shown)
    else:
        tables.print_lines([(_head("before", left), "bold"), (_head("now   ", right), "bold")])
        if shown:
            tables.print_table(_PAIRS, [_pair_row(pair) for pair in shown])
        else:
            tables.print_lines([("the same spans with the same results", "dim")])
        if args.messages:
            for pair in pairs:
                tables.print_lines(list(_message_lines(pair, left.logs, right.logs)))
    return _EXIT_DIFFERENT if differs and args.exit_code else 0


def _head(which: str, side: _Side) -> str:
    trace, used = side.trace, total(side.tree)
    began = words.clock(trace.start_ns).rsplit("+", 1)[0]
    text = f"{which}  {trace.trace_id[:_SHORT_ID]}  {began}  {words.duration(trace.seconds)}"
    text += f"  {words.count(trace.spans, 'span')}"
    return words.one_line(f"{text}  {words.usage(None, None, used.cost)}".rstrip())


def _pair_row(pair: Pair) -> Row:
    cells = (
        _MARKS[pair.kind],
        "-" if pair.left is None else tables.took(pair.left.duration_ns),
        "-" if pair.right is None else tables.took(pair.right.duration_ns),
        tables.money(pair.left_usage.cost),
        tables.money(pair.right_usage.cost),
        tables.indent(pair.depth) + pair.node.span.name,
        ", ".join(pair.changes),
    )
    return Row(cells, _STYLES[pair.kind])


def _pair_object(pair: Pair) -> dict[str, Any]:
    return {
        "kind": pair.kind,
        "depth": pair.depth,
        "name": pair.node.span.name,
        "service": pair.node.span.service,
        "span_id_before": None if pair.left is None else pair.left.span.span_id,
        "span_id_now": None if pair.right is None else pair.right.span.span_id,
        "duration_ns_before": None if pair.left is None else pair.left.duration_ns,
        "duration_ns_now": None if pair.right is None else pair.right.duration_ns,
        "usage_before": asdict(pair.left_usage),
        "usage_now": asdict(pair.right_usage),
        "changes": list(pair.changes),
    }


def _message_lines(pair: Pair, left: Sequence[LogLine], right: Sequence[LogLine]) -> Iterator[tuple[str, str]]:
    if pair.left is None or pair.right is None:
        return
    one, other = content(pair.left.span, left), content(pair.right.span, right)
    if one == other:
        return
    yield f"{pair.node.span.name}:", "bold"
    before, now = (
        [line for side in said for message in side for line in json.dumps(message, indent=1).splitlines()]
        for said in (one, other)
    )
    styles = {"+": "green", "-": "red"}
    for line in list(difflib.unified_diff(before, now, lineterm="", n=2))[2:]:
        yield f"  {words.one_line(line)}", styles.get(line[:1], "dim")


def _print_sets(reader: TraceReader, args: argparse.Namespace) -> int:
    now = selection.search(args)
    against = moments.parse("--against", args.against or "7d")
    since = now["since_ns"]
    if since is None:
        raise Mistake("--against needs --since, from when on it is compared")
    if against >= since:
        raise Mistake("--against is not before --since; there is nothing to compare with")
    before = now.copy()
    before["since_ns"], before["until_ns"] = against, since
    trees = []
    for wanted in (before, now):
        traces = selection.newest(reader, args, wanted)
        trees.append([build(reader.spans(trace.trace_id)) for trace in selection.progress(traces, "trace")])
    if not all(trees):
        which = "since then" if trees[0] else "before that"
        return selection.nothing(f"no trace of {reader.place} fits {which}")
    found = compare_sets(*trees)
    differs = any(_is_different(each) for each in found)
    shown = [each for each in found if _is_different(each) or not args.changed]
    if args.json:
        selection.print_json(_difference_object(each) for each in shown)
    else:
        if shown:
            tables.print_table(_OPERATIONS, [_difference_row(each) for each in shown])
        counts = " with ".join(words.count(len(of), "trace") for of in reversed(trees))
        tables.print_lines([(f"{counts}{'' if differs else ': nothing differs'}", "dim"), (_TEST, "dim")])
    return _EXIT_DIFFERENT if differs and args.exit_code else 0


_TEST = f"{TEST}, {SIGNIFICANCE:.0%}; A: chance that a call of now took longer than one of before"


def _is_different(difference: OperationDifference) -> bool:
    return difference.is_slower_or_faster or difference.is_cheaper_or_dearer or not _is_in_both(difference)


def _is_in_both(difference: OperationDifference) -> bool:
    return bool(difference.calls_before and difference.calls_now)


def _difference_row(each: OperationDifference) -> Row:
    told = each.duration
    cells = (
        _took(each.seconds_before),
        _took(each.seconds_now),
        "-" if told is None else f"{told.effect:.2f}",
        "-" if told is None else f"{told.p:.2g}",
        tables.change(each.cost_before, each.cost_now),
        f"{each.errors_before:.0%} {each.errors_now:.0%}" if each.errors_before or each.errors_now else "-",
        f"{each.calls_before:.3g} {each.calls_now:.3g}",
        each.service,
        each.name,
        _verdict(each),
    )
    return Row(cells, "yellow" if _is_different(each) else "")


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else words.duration(seconds)


def _verdict(each: OperationDifference) -> str:
    if not each.calls_before:
        return "new"
    if not each.calls_now:
        return "gone"
    told = []
    if each.is_slower_or_faster and each.duration is not None:
        told.append("slower" if each.duration.effect > 0.5 else "faster")  # noqa: PLR2004 (no effect)
    if each.is_cheaper_or_dearer and each.cost is not None:
        told.append("dearer" if each.cost.effect > 0.5 else "cheaper")  # noqa: PLR2004 (no effect)
    if told:
        return ", ".join(told)
    return "too few" if each.duration is None else ""


def _difference_object(each: OperationDifference) -> dict[str, Any]:
    return {
        "service": each.service,
        "operation": each.name,
        "verdict": _verdict(each),
        "test": TEST,
        "calls_per_trace": [each.calls_before, each.calls_now],
        "error_rate": [each.errors_before, each.errors_now],
        "seconds": [each.seconds_before, each.seconds_now],
        "duration_test": None if each.duration is None else each.duration._asdict(),
        "cost": [each.cost_before, each.cost_now],
        "cost_test": None if each.cost is None else each.cost._asdict(),
    }
