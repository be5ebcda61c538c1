"""``obsctl tail``: what is recorded, as it comes in."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

from obs_run.cli import elsewhere, log_lines, terminal, tree, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.tree import Line, Part

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from obs_run.store.reader import Reader
    from obs_run.telemetry.records import LogLine, Span

_PAUSE = 0.5
_ERROR = 17


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("-n", dest="before", type=int, default=10, metavar="N", help="begin with the last N (10)")
    parser.add_argument("--service", metavar="NAME", help="only what this service recorded")
    parser.add_argument("--errors", action="store_true", help="only what failed")
    parser.add_argument("--content", action="store_true", help="with the conversation")
    parser.add_argument("--json", action="store_true", help="print OTLP JSON, one object a line")
    parser.add_argument("--store", metavar="FILE", help="the store to read (else OBS_STORE_FILE, or the user's)")


def run(args: argparse.Namespace) -> int:
    """Print until interrupted."""
    from pathlib import Path

    from obs_run.store.location import default_path
    from obs_run.store.reader import Reader

    if args.before < 0:
        raise Mistake("-n takes a number from 0")
    if args.store is None:
        elsewhere.tell_where_traces_go()
    path = default_path() if args.store is None else Path(args.store)
    _wait_for(path)
    with terminal.open_store(path) as reader:
        if isinstance(reader, Reader):
            _follow(reader, args)
    return 1


def _wait_for(path: Path) -> None:
    if not path.exists():
        print(f"obsctl: there is no local store at {path} yet; waiting for an agent", file=sys.stderr)
        while not _is_store(path):
            time.sleep(_PAUSE)


def _is_store(path: Path) -> bool:
    """Tell whether whoever makes the file has made its tables."""
    from obs_run.store import schema

    try:
        schema.open_reader(path).close()
    except schema.StoreError:
        return False
    return True


def _follow(reader: Reader, args: argparse.Namespace) -> None:
    mark = reader.mark(args.before, args.before)
    newest = args.before
    running: set[tuple[str, str]] = set()
    while True:
        spans, logs, mark = reader.after(mark)
        spans = list(_news(spans, running))
        spans = [span for span in spans if _is_wanted(span.service, args) and _fits(args, is_error=_failed(span))]
        logs = [
            log for log in logs if _is_wanted(log.service, args) and _fits(args, is_error=(log.severity or 0) >= _ERROR)
        ]
        if newest:
            spans, logs = _last(spans, logs, newest)
            newest = 0
        if args.json:
            _print_json(spans, logs)
        elif spans or logs:
            terminal.print_tree(_lines(spans, logs, content=args.content), cut=True)
        sys.stdout.flush()
        time.sleep(_PAUSE)


def _news(spans: Iterable[Span], running: set[tuple[str, str]]) -> Iterator[Span]:
    """Yield the spans but those that go on and were yielded already, whose keys are in ``running``."""
    for span in spans:
        key = span.trace_id, span.span_id
        if not span.is_open:
            running.discard(key)
        elif key in running:
            continue
        else:
            running.add(key)
        yield span


def _failed(span: Span) -> bool:
    return span.status == "error"


def _is_wanted(service: str, args: argparse.Namespace) -> bool:
    return args.service is None or service == args.service


def _fits(args: argparse.Namespace, *, is_error: bool) -> bool:
    return is_error or not args.errors


def _ended(span: Span) -> int:
    return span.end_ns or span.start_ns


def _last(spans: Sequence[Span], logs: Sequence[LogLine], count: int) -> tuple[list[Span], list[LogLine]]:
    """Return the last ``count`` of both together."""
    moments = sorted([*map(_ended, spans), *(log.time_ns for log in logs)])[-count:]
    first = moments[0] if moments else 0
    return [span for span in spans if _ended(span) >= first], [log for log in logs if log.time_ns >= first]


def _lines(spans: Sequence[Span], logs: Sequence[LogLine], *, content: bool) -> Iterator[Line]:
    told: list[tuple[int, Span | log_lines.Repeated]] = [(_ended(span), span) for span in spans]
    told += [(each.line.time_ns, each) for each in log_lines.folded(logs)]
    for time_ns, each in sorted(told, key=lambda pair: pair[0]):
        if isinstance(each, log_lines.Repeated):
            parts = list(tree.log_parts(each, each.line.time_ns))[1:]
            yield Line((), (*_head(time_ns, each.line.service), *parts), is_log=True)
            continue
        yield Line((), (*_head(time_ns, each.service), *tree.span_parts(each, None, lost=False)))
        if content:
            from obs_run.cli.spoken import Speeches

            yield from tree.spoken_lines(Speeches(()), each)


def _head(time_ns: int, service: str) -> tuple[Part, Part]:
    moment = datetime.fromtimestamp(time_ns / 1e9).astimezone()
    return Part(moment.strftime("%H:%M:%S.%f")[:-3], "dim"), Part(words.one_line(service), "magenta")


def _print_json(spans: Sequence[Span], logs: Sequence[LogLine]) -> None:
    import json

    from obs_run.telemetry.otlp_json import trace_json

    for name, told in trace_json(spans, logs).items():
        for resource in told:
            print(json.dumps({name: [resource]}, separators=(",", ":")))
