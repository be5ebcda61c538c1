"""``obsctl export``: writes traces as lines of OTLP JSON, which any Collector reads."""

from __future__ import annotations

import gzip
import json
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from obs_run.cli import moments, terminal, words
from obs_run.cli.mistake import Mistake
from obs_run.cli.progress import Progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.telemetry.otlp_records import Records
    from obs_run.telemetry.reader import Search, TraceReader

_PRIVATE = 0o600


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    chosen_arguments(parser)
    parser.add_argument("-o", dest="output", metavar="FILE", help="where to write; .gz is packed (else stdout)")


def chosen_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say what is meant: some traces, or all that there is."""
    parser.add_argument(
        "traces", nargs="*", metavar="TRACE", help="trace ids, or their beginnings (else all, and what is of no trace)"
    )
    parser.add_argument("--service", metavar="NAME", help="only traces that this service took part in")
    parser.add_argument("--errors", action="store_true", help="only traces with an error")
    parser.add_argument("--since", metavar="WHEN", help="only newer ones: 90s, 30m, 1h, 2d, or a date and time")
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Write what was asked for."""
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        records = chosen(reader, args)
        number = 0
        with _output(args.output) as file, Progress("records written") as progress:
            for batch in records:
                for line in _lines(batch):
                    file.write(line.encode() + b"\n")
                number += len(batch)
                progress.add(len(batch))
    if not number:
        print(f"obsctl: nothing of {words.one_line(reader.place)} fits", file=sys.stderr)
        return 1
    if args.output:
        print(f"{words.one_line(args.output)}: {words.count(number, 'record')}", file=sys.stderr)
    return 0


def chosen(reader: TraceReader, args: argparse.Namespace) -> Iterator[Records]:
    """Return what is meant, in batches."""
    from obs_run.readers import batches

    search = _search(args)
    if not args.traces:
        return batches.of_reader(reader, search)
    if search:
        raise Mistake("give trace ids, or --service, --errors, --since, not both")
    from obs_run.cli.show import named

    return batches.of_traces(reader, [named(reader, prefix).trace_id for prefix in args.traces])


def _search(args: argparse.Namespace) -> Search:
    search: Search = {}
    if args.service:
        search["service"] = args.service
    if args.errors:
        search["errors"] = True
    if args.since:
        search["since_ns"] = moments.parse("--since", args.since)
    return search


def _lines(batch: Records) -> Iterator[str]:
    from obs_run.telemetry.otlp_json import signal_json

    for signal, records in batch.by_signal():
        yield json.dumps(signal_json(signal, records), separators=(",", ":"))


@contextmanager
def _output(name: str | None) -> Iterator[IO[bytes]]:
    """Open where it is written; a file is there when all of it is, for its owner only: it has what agents said."""
    if name is None or name == "-":
        yield sys.stdout.buffer
        return
    path = Path(name).expanduser()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    except OSError as error:
        raise Mistake(f"-o {name}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as plain:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=plain, mode="wb") as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield plain
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
