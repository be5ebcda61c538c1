"""``obsctl import``: takes what files of OTLP JSON, other stores or a Jaeger hold into the local store."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.cli import words
from obs_run.cli.progress import Progress

if TYPE_CHECKING:
    import argparse

    from obs_run.store.importer import Imported, Importer
    from obs_run.telemetry.otlp_records import Records


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "places", nargs="+", metavar="FILE", help="OTLP JSON (.gz too, - for stdin), another store, or a Jaeger's URL"
    )
    parser.add_argument("--store", type=Path, metavar="FILE", help="the store to write (else the user's)")


def run(args: argparse.Namespace) -> int:
    """Take in one place after another; 1 if one could not be read."""
    from obs_run.store.importer import Importer
    from obs_run.store.location import absolute, default_path
    from obs_run.telemetry.reader import ReadError

    path = absolute(args.store) if args.store else default_path()
    failed = False
    try:
        with Importer(path, settings.get("OBS_STORE_MAX_BYTES")) as importer:
            for place in args.places:
                failed |= not _import(importer, place)
    except (ReadError, sqlite3.Error, OSError) as error:
        print(f"obsctl: {path} cannot be written: {words.one_line(str(error))}", file=sys.stderr)
        return 1
    return 1 if failed else 0


class _Total:
    """What was taken in of one place."""

    def __init__(self) -> None:
        self.spans = self.logs = self.points = self.known = self.damaged = 0
        self.oldest = time.time_ns()

    def add(self, records: Records, done: Imported) -> None:
        self.spans, self.logs, self.points = self.spans + done.spans, self.logs + done.logs, self.points + done.points
        self.known += done.known
        self.damaged += records.damaged
        self.oldest = min([self.oldest, *(span.end_ns or span.start_ns for span in records.spans)])

    def text(self) -> str:
        parts = [
            words.count(self.spans, "span"),
            words.count(self.logs, "log line"),
            words.count(self.points, "metric point"),
        ]
        text = f"imported {', '.join(parts)}"
        if self.known:
            text += f"; {self.known} {'was' if self.known == 1 else 'were'} there already"
        return text + (f"; {words.count(self.damaged, 'damaged record')} left out" if self.damaged else "")


def _import(importer: Importer, place: str) -> bool:
    from obs_run.readers import batches
    from obs_run.telemetry.reader import ReadError

    total = _Total()
    problem = None
    try:
        with Progress("records imported") as progress:
            for records in batches.of_place(place):
                total.add(records, importer.add(records))
                progress.add(len(records))
    except ReadError as error:
        problem = error
    if problem is None or total.spans or total.logs or total.points:
        print(f"{words.one_line(place)}: {total.text()}")
    if problem is not None:
        print(f"obsctl: {words.one_line(str(problem))}", file=sys.stderr)
        return False
    keep = settings.get("OBS_STORE_KEEP")
    if keep and total.spans and total.oldest < time.time_ns() - keep * 10**9:
        until = f"traces older than {words.age(keep)} (OBS_STORE_KEEP) leave this store when an agent next writes to it"
        print(f"obsctl: {until}; a file of its own is kept: --store FILE", file=sys.stderr)
    return True
