"""What the commands share: whether people look at the output, and the store that they read."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from obs_run.store.reader import Reader


_FLUSH_SECONDS = 3.0


def is_terminal() -> bool:
    """Tell whether the output may have colours and branches."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def store_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--store``."""
    parser.add_argument(
        "--store", type=Path, metavar="FILE", help="the store to read (else OBS_STORE_FILE, or the user's)"
    )


def _take_in() -> None:
    """Have what agents wrote until now exported, where a relay does that for them."""
    from obs_run.buffer import folder, relay_client

    relay_client.flush(folder.chosen(), _FLUSH_SECONDS)


@contextmanager
def open_store(path: Path | None) -> Iterator[Reader | None]:
    """Open the store at ``path``, or the default one; None, after one line that says why, when it cannot be read."""
    import sqlite3

    from obs_run.store.location import default_path
    from obs_run.store.reader import Reader
    from obs_run.store.schema import StoreError

    if path is None:
        path = default_path()
        _take_in()
    try:
        reader = Reader(path)
    except StoreError as error:
        print(f"obsctl: {error}", file=sys.stderr)
        yield None
        return
    try:
        yield reader
    except sqlite3.Error as error:
        print(f"obsctl: the local store at {path} cannot be read: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        reader.close()
