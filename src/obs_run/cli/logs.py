"""``obsctl logs``: log lines of a trace, or the newest of all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from obs_run.cli import selection, tables, terminal, words
from obs_run.cli.log_lines import body_text
from obs_run.cli.mistake import Mistake
from obs_run.core import semconv
from obs_run.telemetry.matching import matches_log

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from obs_run.telemetry.reader import LogSearch, TraceReader
    from obs_run.telemetry.records import LogLine

_SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""OpenTelemetry's severity numbers."""
_PYTHONS = {"warning": "warn", "critical": "fatal"}
_STYLES = ((17, "red"), (13, "yellow"), (0, ""))
_SHORT_ID = 12


def _level(text: str) -> str:
    """Return a severity's name; those of Python's logging are known, too."""
    name = text.lower()
    return _PYTHONS.get(name, name)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("trace", nargs="?", metavar="TRACE", help="only of this trace: its id, or the beginning of it")
    parser.add_argument("-n", dest="limit", type=int, default=200, metavar="N", help="how many, the newest (200)")
    parser.add_argument(
        "--level", type=_level, choices=list(_SEVERITIES), help="only lines of this severity or a higher one"
    )
    parser.add_argument("--service", metavar="NAME", help="only of this service")
    parser.add_argument("--since", metavar="WHEN", help="only newer than 90s, 30m, 1h, 2d, or a date and time")
    parser.add_argument("--until", metavar="WHEN", help="only older than that")
    parser.add_argument("--attribute", action="append", default=[], metavar="NAME=VALUE", help="only with all of these")
    parser.add_argument("--text", metavar="TEXT", help="only lines in which this occurs")
    parser.add_argument("--outside", action="store_true", help="only lines that belong to no trace")
    selection.json_argument(parser)
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the lines in the order of time."""
    if args.limit < 1:
        raise Mistake("-n takes a number from 1")
    if args.trace:
        selection.check_id(args.trace)
    wanted: LogSearch = {
        "service": args.service,
        "severity": _SEVERITIES.get(args.level),
        "since_ns": selection.moment("--since", args.since),
        "until_ns": selection.moment("--until", args.until),
        "attributes": selection.attributes(args.attribute),
        "text": args.text,
        "is_outside_traces": args.outside,
    }
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        if "logs" not in reader.signals:
            return selection.nothing(f"{reader.place} holds no log lines")
        found, place = _read(reader, args, wanted), reader.place
    if not found:
        return selection.nothing(f"no log line of {place} fits")
    if args.json:
        selection.print_json(map(_object, found))
    else:
        several = len({line.service for line in found}) > 1
        tables.print_lines([_line(line, several=several, traces=not args.trace) for line in found])
    return 0


def _read(reader: TraceReader, args: argparse.Namespace, wanted: LogSearch) -> Sequence[LogLine]:
    if not args.trace:
        return reader.log_lines(args.limit, **wanted)
    lines = reader.logs(selection.named(reader, args.trace).trace_id)
    return [line for line in lines if matches_log(line, wanted)][-args.limit :]


def _line(line: LogLine, *, several: bool, traces: bool) -> tuple[str, str]:
    moment = datetime.fromtimestamp(line.time_ns / 1e9)  # noqa: DTZ006 (the reader's own time)
    parts = [f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}", line.severity_text or "EVENT"]
    if several:
        parts.append(line.service)
    if traces and line.trace_id:
        parts.append(line.trace_id[:_SHORT_ID])
    text = body_text(line) or line.event_name or ""
    if line.scope is not None and line.scope.name and not line.event_name:
        text = f"{line.scope.name}: {text}"
    kind = line.attributes.get(semconv.EXCEPTION_TYPE)
    if kind:
        text += f" ({kind}: {line.attributes.get(semconv.EXCEPTION_MESSAGE) or ''})"
    style = next(style for least, style in _STYLES if (line.severity or 0) >= least)
    return words.one_line("  ".join((*parts, text))), style


def _object(line: LogLine) -> dict[str, Any]:
    return {
        "time_ns": line.time_ns,
        "severity": line.severity,
        "severity_text": line.severity_text,
        "service": line.service,
        "logger": None if line.scope is None else line.scope.name,
        "event_name": line.event_name,
        "body": line.body,
        "trace_id": line.trace_id,
        "span_id": line.span_id,
        "attributes": line.attributes,
    }
