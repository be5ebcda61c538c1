"""``obsctl conversation``: the turns of a conversation over all of its traces, or which conversations there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from obs_run.analysis.conversations import conversations, turns
from obs_run.analysis.trace_tree import build
from obs_run.analysis.usage import Totals
from obs_run.cli import selection, tables, terminal, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.tables import Column, Row

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.analysis.conversations import Turn
    from obs_run.cli.selection import Found
    from obs_run.telemetry.reader import TraceReader

_CONVERSATIONS = (
    Column("STARTED", 3),
    Column("TOOK", 2, is_number=True),
    Column("TURNS", is_number=True),
    Column("IN", 4, is_number=True),
    Column("OUT", 4, is_number=True),
    Column("COST", 1, is_number=True),
    Column("CONVERSATION"),
)
_SHORT_ID = 12
_LONGEST = 500
"""So much of a message is shown; the whole is in ``obsctl show``."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "conversation", nargs="?", metavar="ID", help="the id of a conversation, or the beginning of it"
    )
    selection.arguments(parser, 1000, trace=False)


def run(args: argparse.Namespace) -> int:
    """Print the conversation, or the list of them."""
    selection.check(args)
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        if args.conversation is None:
            return _print_list(list(selection.read(reader, args)), args)
        found = _find(reader, args)
        if not found:
            return selection.nothing(f"no conversation of {reader.place} begins with {args.conversation}")
    return _print_turns(found, args)


def _find(reader: TraceReader, args: argparse.Namespace) -> list[Found]:
    """Return the traces of the conversation; where none has this id, of the one whose id begins so."""
    found = list(_read(reader, args, args.conversation))
    if found:
        return found
    ids = list(conversations(each.tree for each in selection.read(reader, args)))
    near = [each for each in ids if each.startswith(args.conversation)]
    if len(near) > 1:
        raise Mistake(f"several conversations begin with {args.conversation}: {', '.join(near[:3])}")
    if not near:
        return []
    args.conversation = near[0]
    return list(_read(reader, args, near[0]))


def _read(reader: TraceReader, args: argparse.Namespace, conversation: str) -> Iterator[Found]:
    wanted = selection.search(args)
    wanted["conversation"] = conversation
    traces = selection.newest(reader, args, wanted)
    for trace in selection.progress(traces, "trace"):
        yield selection.Found(trace, build(reader.spans(trace.trace_id)), reader.logs(trace.trace_id))


def _turns(found: list[Found], conversation: str) -> list[Turn]:
    return turns(conversation, [each.tree for each in found], [line for each in found for line in each.logs])


def _print_list(found: list[Found], args: argparse.Namespace) -> int:
    told = {name: _turns(found, name) for name in conversations(each.tree for each in found)}
    if not told:
        return selection.nothing(f"no conversation in {words.count(len(found), 'trace')}")
    ordered = sorted(told.items(), key=lambda item: -item[1][0].node.start_ns)
    if args.json:
        selection.print_json(_conversation(name, of) for name, of in ordered)
        return 0
    rows = []
    for name, of in ordered:
        used = _used(of)
        rows.append(
            Row(
                (
                    words.clock(of[0].node.start_ns).rsplit("+", 1)[0],
                    tables.took(_end(of) - of[0].node.start_ns),
                    str(len(of)),
                    tables.number(used.input_tokens),
                    tables.number(used.output_tokens),
                    tables.money(used.cost),
                    name,
                )
            )
        )
    tables.print_table(_CONVERSATIONS, rows)
    return 0


def _end(of: list[Turn]) -> int:
    return max(turn.node.end_ns for turn in of)


def _used(of: list[Turn]) -> Totals:
    used = Totals()
    for turn in of:
        used.add(turn.usage)
    return used


def _conversation(name: str, of: list[Turn]) -> dict[str, Any]:
    return {
        "conversation": name,
        "turns": len(of),
        "start_ns": of[0].node.start_ns,
        "end_ns": _end(of),
        **asdict(_used(of)),
    }


def _print_turns(found: list[Found], args: argparse.Namespace) -> int:
    of = _turns(found, args.conversation)
    if args.json:
        selection.print_json(map(_object, of))
        return 0
    used = _used(of)
    head = f"conversation {args.conversation}  {words.count(len(of), 'turn')} in {words.count(len(found), 'trace')}"
    head += f"  {words.usage(used.input_tokens, used.output_tokens, used.cost)}"
    tables.print_lines([(words.one_line(head.rstrip()), "bold")])
    for turn in of:
        tables.print_lines([(words.one_line(text), style) for text, style in _lines(turn)])
    return 0


def _lines(turn: Turn) -> Iterator[tuple[str, str]]:
    node = turn.node
    parts = [words.clock(node.start_ns).rsplit("+", 1)[0], node.span.trace_id[:_SHORT_ID], node.span.name]
    parts.append(tables.took(node.duration_ns))
    if turn.usage.cost is not None:
        parts.append(tables.money(turn.usage.cost))
    if turn.errors:
        parts.append(words.count(turn.errors, "error"))
    if turn.idle_ns is not None:
        yield f"  ({tables.took(turn.idle_ns)} later)", "dim"
    yield "  ".join(parts), "red" if turn.errors else "bold"
    if turn.question:
        yield f"  user: {_short(turn.question)}", "cyan"
    if turn.tools:
        yield f"  tools: {', '.join(turn.tools)}", "green"
    if turn.answer:
        yield f"  {turn.agents[0] if turn.agents else 'assistant'}: {_short(turn.answer)}", ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _object(turn: Turn) -> dict[str, Any]:
    span = turn.node.span
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "start_ns": turn.node.start_ns,
        "end_ns": turn.node.end_ns,
        "idle_ns": turn.idle_ns,
        "agents": list(turn.agents),
        "tools": list(turn.tools),
        "failures": turn.errors,
        "question": turn.question,
        "answer": turn.answer,
        **asdict(turn.usage),
    }
