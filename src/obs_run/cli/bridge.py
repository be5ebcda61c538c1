"""``obsctl bridge``: what rules and the automatic part make of log files and traces, and rules for what recurs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.bridge import log_lines, rule_sources
from obs_run.bridge.proposals import propose
from obs_run.bridge.replay import replay
from obs_run.bridge.rule_index import RuleIndex
from obs_run.bridge.rules import AUTOMATIC
from obs_run.cli import show, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.bridge.log_lines import Line
    from obs_run.bridge.replay import Node, Replayed

_MOST_SHOWN = 20
_WIDEST = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    commands = parser.add_subparsers(dest="what", metavar="command", title="commands", required=True)
    sentence = "Print the spans that log files would become, what has no other half, and proposals of rules."
    test = commands.add_parser("test", help=sentence, description=sentence)
    sentence = "Write rules for what recurs in log files of several runs; read them before you use them."
    learn = commands.add_parser("learn", help=sentence, description=sentence)
    learn.add_argument("-o", dest="output", type=Path, metavar="RULES", help="where to write them (else to the output)")
    sentence = "Say of a trace of the local store which lines made its spans, and why other lines made none."
    explain = commands.add_parser("explain", help=sentence, description=sentence)
    show.trace_arguments(explain)
    for command in (test, learn):
        command.add_argument("file", nargs="+", metavar="FILE", help="a log file, text or JSON lines; - for the input")
    for command in (test, learn, explain):
        command.add_argument(
            "--rules", action="append", metavar="RULES", help="a file of rules (else OBS_BRIDGE_RULES); again for more"
        )
    test.add_argument("--rules-only", action="store_true", help="leave out what the automatic part would make")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    paths = tuple(args.rules) if args.rules else settings.get("OBS_BRIDGE_RULES") or ()
    loaded = rule_sources.load(paths)
    for problem in loaded.problems:
        print(problem, file=sys.stderr)
    index = RuleIndex(loaded.rules.values())
    if args.what == "learn":
        return _learn(args, index)
    if args.what == "explain":
        return _explain(args, index)
    is_automatic = not args.rules_only
    replays = [replay(_lines(file), index, is_automatic=is_automatic) for file in args.file]
    for file, replayed in zip(args.file, replays, strict=True):
        _print_replay(file, replayed)
    proposals = propose(replays)
    if proposals:
        print("rules for what recurs (obsctl bridge learn writes them):")
        print("rules:")
    for proposal in proposals[:_MOST_SHOWN]:
        print(f"  # {words.count(proposal.times, 'time')}\n{proposal.text}", end="")
    return 1 if loaded.problems else 0


def _learn(args: argparse.Namespace, index: RuleIndex) -> int:
    proposals = propose([replay(_lines(file), index) for file in args.file])
    if not proposals:
        print("nothing recurs that rules could be made of", file=sys.stderr)
        return 1
    files = ", ".join(args.file)
    text = f"# Proposed by obsctl bridge learn from {files}; read before use.\nrules:\n"
    text += "".join(f"  # {words.count(each.times, 'time')}\n{each.text}" for each in proposals)
    if args.output is None:
        print(text, end="")
        return 0
    try:
        args.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{args.output}: {error.strerror}") from None
    count = words.count(len(proposals), "proposal")
    print(f"{args.output}: {count}; obsctl bridge test --rules {args.output} tries them")
    return 0


def _explain(args: argparse.Namespace, index: RuleIndex) -> int:
    from obs_run.cli.explanation import Explanation

    found = show.read_trace(args)
    if found is None:
        return 1
    print(f"trace {found.trace.trace_id}  {words.one_line(found.trace.service)}")
    for text in Explanation(found.spans, found.logs, index, settings.get("OBS_BRIDGE")).texts():
        print(text)
    return 0


def _lines(path: str) -> Iterator[Line]:
    try:
        if path == "-":
            yield from log_lines.read_lines(_input())
            return
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            yield from log_lines.read_lines(file)
    except OSError as error:
        raise Mistake(f"{path}: {error.strerror}") from None


def _input() -> list[str]:
    """Return the lines of the input, up to its end or to where the person at the keyboard has seen enough."""
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    lines: list[str] = []
    try:
        lines.extend(sys.stdin)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return lines


def _print_replay(file: str, replayed: Replayed) -> None:
    print(f"{file}: {words.count(replayed.lines, 'line')}, {replayed.matched} by rules")
    for depth, node in _with_depth(replayed.root):
        print(f"{'  ' * depth}{_described(node)}")
    for title, said in (
        ("beginnings without an end", [(node.rule, node.line) for node in replayed.unmatched_starts]),
        ("ends without a beginning", replayed.unmatched_ends),
    ):
        if said:
            print(f"{title}: {len(said)}")
        for rule, line in said[:_MOST_SHOWN]:
            print(f"  line {line.number} ({rule}): {line.text[:_WIDEST]}")
    print()


def _with_depth(root: Node) -> Iterator[tuple[int, Node]]:
    waiting = [(1, node) for node in reversed(root.children)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting.extend((depth + 1, child) for child in reversed(node.children))


def _described(node: Node) -> str:
    parts = [("* " if node.is_event else "") + node.name]
    seconds = node.seconds
    if seconds is None and node.end is not None and node.end.seconds is not None and node.line.seconds is not None:
        seconds = max(0.0, node.end.seconds - node.line.seconds)
    if seconds is not None:
        parts.append(f"{seconds:.3g} s")
    if node.has_failed:
        parts.append("failed")
    if node.end_how not in ("", "line") or node.is_open():
        parts.append(f"ended by {node.end_how}" if node.end_how else "no end")
    where = f"line {node.line.number}" + (f" to {node.end.number}" if node.end is not None else "")
    rule = "" if node.rule == AUTOMATIC else f", {node.rule}"
    return "  ".join([*parts, f"({where}{rule})"])
