"""What the commands share: whether people look at the output, and the place that they read."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.cli import words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from obs_run.cli.tree import Line
    from obs_run.telemetry.reader import TraceReader


_FLUSH_SECONDS = 3.0
_LEAST_ROOM = 20


def is_terminal() -> bool:
    """Tell whether the output may have colours and branches."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def can_print(text: str) -> bool:
    """Tell whether the output's encoding has the characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width() -> int:
    """Return how many characters fit into a line of the terminal."""
    return shutil.get_terminal_size().columns


def shortened(text: str, room: int) -> str:
    """Return ``text`` in ``room`` characters, with an ellipsis where some are left out."""
    if len(text) <= room:
        return text
    ellipsis = "…" if can_print("…") else "..."
    return text[: max(0, room - len(ellipsis))] + ellipsis[:room]


def print_tree(lines: Iterable[Line], *, cut: bool) -> None:
    """Print lines of a tree; on a terminal with branches, and with ``cut`` each log line in one line of it."""
    if not is_terminal():
        for line in lines:
            print("  " * line.depth + line.text)
        return
    from rich.console import Console
    from rich.text import Text

    from obs_run.cli import tree

    console = Console(highlight=False)
    branches = tree.DRAWN if can_print("└│├─") else tree.TYPED
    for line in lines:
        guides, text = line.guides(branches), Text()
        for at, part in enumerate(line.parts):
            text.append("  " if at else "").append(part.text, part.style or None)
        room = max(_LEAST_ROOM, console.width - len(guides))
        if line.is_below:
            for piece in text.wrap(console, room):
                piece.rstrip()
                console.print(Text().append(guides, "dim").append_text(piece), soft_wrap=True)
            continue
        if line.is_log and cut and text.cell_len > room:
            text.truncate(room, overflow="ellipsis" if can_print("…") else "crop")
        console.print(Text().append(guides, "dim").append_text(text), soft_wrap=True)


def store_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--store`` and ``--from``, which say where telemetry is read."""
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        "--store", type=Path, metavar="FILE", help="the store to read (else OBS_STORE_FILE, or the user's)"
    )
    places.add_argument(
        "--from", dest="store", metavar="PLACE", help="or a file of OTLP JSON (.gz too, - for stdin), or a Jaeger's URL"
    )


def _take_in() -> None:
    """Have what agents wrote until now exported, where a relay does that for them."""
    from obs_run.buffer import folder, relay_client

    relay_client.flush(folder.chosen(), _FLUSH_SECONDS)


@contextmanager
def open_store(place: Path | str | None) -> Iterator[TraceReader | None]:
    """Open what is to be read, the user's store for None; None, after one line that says why, where it cannot be."""
    import sqlite3

    from obs_run.readers.places import open_place
    from obs_run.store.location import default_path
    from obs_run.telemetry.reader import ReadError

    if place is None:
        place = default_path()
        _take_in()
    try:
        # What is told by a path is a store, whatever it holds.
        reader = _open_file(place) if isinstance(place, Path) else open_place(place)
    except ReadError as error:
        print(f"obsctl: {words.one_line(str(error))}", file=sys.stderr)
        yield None
        return
    try:
        yield reader
        if reader.damaged:
            what = words.count(reader.damaged, "damaged value")
            print(f"obsctl: {what} of {words.one_line(reader.place)} left out", file=sys.stderr)
    except sqlite3.Error as error:
        print(f"obsctl: {reader.place} cannot be read: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except ReadError as error:
        print(f"obsctl: {words.one_line(str(error))}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        reader.close()


def _open_file(path: Path) -> TraceReader:
    from obs_run.store.reader import Reader

    return Reader(path)
