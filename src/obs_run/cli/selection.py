"""Which traces a command is about: the arguments that say it, and the reading."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from obs_run.analysis.trace_tree import build
from obs_run.analysis.usage import agent_of
from obs_run.cli import elsewhere, moments, show, terminal, words
from obs_run.cli.mistake import Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from obs_run.analysis.trace_tree import Node, Tree
    from obs_run.telemetry.reader import Search, TraceReader
    from obs_run.telemetry.records import LogLine, Trace

_ID = re.compile(r"[0-9a-fA-F]{1,32}")
_CUT = "…."
"""What an id ends with that is copied from where there was no room for all of it."""
_STATUSES = ("error", "ok", "unfinished")
_PROGRESS_SECONDS = 1.0
_Given = TypeVar("_Given")


class Found(NamedTuple):
    """A trace with what was recorded of it."""

    trace: Trace
    tree: Tree
    logs: Sequence[LogLine]


def arguments(parser: argparse.ArgumentParser, limit: int, *, trace: bool = True) -> None:
    """Declare the arguments that say which traces are meant, the newest ``limit`` of them."""
    if trace:
        parser.add_argument("trace", nargs="?", metavar="TRACE", help="only this one: its id, or the beginning of it")
    parser.add_argument("-n", dest="limit", type=int, metavar="N", help=f"how many traces, the newest ({limit})")
    parser.set_defaults(usual_limit=limit)
    filters = parser.add_argument_group("only traces")
    filters.add_argument("--service", metavar="NAME", help="in which this service took part")
    filters.add_argument("--agent", metavar="NAME", help="with this agent")
    filters.add_argument("--model", metavar="NAME", help="with this model")
    filters.add_argument("--tool", metavar="NAME", help="with this tool")
    filters.add_argument("--status", choices=_STATUSES, help="with an error, without, or not finished")
    filters.add_argument("--since", metavar="WHEN", help="newer than 90s, 30m, 1h, 2d, or a date and time")
    filters.add_argument("--until", metavar="WHEN", help="older than that")
    filters.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help="with a span that has all of these"
    )
    filters.add_argument("--text", metavar="TEXT", help="in which this occurs")
    json_argument(parser)
    terminal.store_argument(parser)


def json_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


def search(args: argparse.Namespace) -> Search:
    """Return what the arguments ask for."""
    return {
        "service": args.service,
        "agent": args.agent,
        "model": args.model,
        "tool": args.tool,
        "status": args.status,
        "since_ns": moment("--since", args.since),
        "until_ns": moment("--until", args.until),
        "attributes": attributes(args.attribute),
        "text": args.text,
    }


def moment(option: str, text: str | None) -> int | None:
    """Return the moment that an option gives."""
    return None if text is None else moments.parse(option, text)


def attributes(given: Iterable[str]) -> dict[str, str] | None:
    """Return the attributes of ``--attribute``; None where there is none."""
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise Mistake(f"--attribute {name!r} has no value; write --attribute NAME=VALUE")
    return {name: value for name, _, value in pairs} or None


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that nothing can be found by, before anything is read."""
    if args.limit is not None and args.limit < 1:
        raise Mistake("-n takes a number from 1")
    if getattr(args, "trace", None):
        check_id(args.trace)
    search(args)


def check_id(given: str) -> None:
    """Refuse what is no trace id."""
    if not _ID.fullmatch(given.rstrip(_CUT)):
        raise Mistake(f"{given!r} is not a trace id: up to 32 hexadecimal digits; see obsctl list")


def named(reader: TraceReader, given: str) -> Trace:
    """Return the one trace whose id begins so."""
    return show.named(reader, given.rstrip(_CUT))


def mean_one(args: argparse.Namespace) -> None:
    """Have the newest trace that fits meant, whatever else is asked for."""
    check(args)
    args.limit = 1


def answer(args: argparse.Namespace, show: Callable[[list[Found]], _Given], *, logs: bool = False) -> _Given | int:
    """Read the traces that are meant and show them; 1, after one line that says why, where there are none."""
    check(args)
    if args.store is None and not getattr(args, "trace", None):
        elsewhere.tell_where_traces_go()
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        found = list(read(reader, args, logs=logs))
        place = reader.place
    if not found:
        return nothing(f"no trace of {place} fits")
    return show(found)


def nothing(text: str) -> int:
    """Say in one line that there is nothing, and return the exit code for it."""
    print(f"obsctl: {words.one_line(text)}", file=sys.stderr)
    return 1


def read(reader: TraceReader, args: argparse.Namespace, *, logs: bool = False) -> Iterator[Found]:
    """Return the traces that are meant, the newest first."""
    if getattr(args, "trace", None):
        traces: Sequence[Trace] = [named(reader, args.trace)]
    else:
        traces = newest(reader, args, search(args))
    for trace in progress(traces, "trace"):
        lines = reader.logs(trace.trace_id) if logs else ()
        yield Found(trace, build(reader.spans(trace.trace_id)), lines)


def newest(reader: TraceReader, args: argparse.Namespace, wanted: Search) -> Sequence[Trace]:
    """Return the newest traces that fit, as many as the arguments say; say it where there are more than is usual."""
    if args.limit is not None:
        return reader.traces(args.limit, **wanted)
    most = args.usual_limit
    traces = reader.traces(most + 1, **wanted)
    if len(traces) > most > 1:
        print(f"obsctl: these are the newest {most} traces; -n takes more, --since and others choose", file=sys.stderr)
    return traces[:most]


def progress(items: Sequence[_Given], what: str) -> Iterator[_Given]:
    """Return the items, and tell people who wait for long how many are done."""
    begun = time.monotonic()
    told = False
    for done, item in enumerate(items):
        if sys.stderr.isatty() and time.monotonic() - begun > _PROGRESS_SECONDS:
            told = True
            print(f"\robsctl: {done} of {words.count(len(items), what)} read", end="", file=sys.stderr, flush=True)
        yield item
    if told:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def spans_filter(args: argparse.Namespace) -> Callable[[Node], bool]:
    """Return what tells whether a span is of the service, agent and model that are asked for."""
    wanted: list[tuple[Callable[[Node], Any], Any]] = [
        (lambda node: node.span.service, args.service),
        (agent_of, args.agent),
        (lambda node: node.span.model, args.model),
    ]
    wanted = [(read_of, value) for read_of, value in wanted if value is not None]
    return lambda node: all(read_of(node) == value for read_of, value in wanted)


def print_json(objects: Iterable[dict[str, Any]]) -> None:
    """Print one object a line."""
    for each in objects:
        print(json.dumps(each, default=str))
