"""From the name of a place to its reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.telemetry.reader import ReadError

if TYPE_CHECKING:
    from obs_run.telemetry.reader import TraceReader

_ALLOWED = "allowed: a store's file, a file of OTLP JSON, - for stdin, the http(s) URL of a Jaeger"
_SQLITE = b"SQLite format 3\0"
_STORE_ENDINGS = (".db", ".sqlite", ".sqlite3")


def open_place(place: Path | str) -> TraceReader:
    """Return the reader of a Jaeger's URL, a file of OTLP JSON (``-`` is stdin), or a store's file.

    ``ReadError`` where it cannot be read.
    """
    name = str(place)
    if name.startswith(("http://", "https://")):
        from obs_run.readers.jaeger import JaegerReader

        return JaegerReader(name)
    if "://" in name:
        raise ReadError(f"{name!r} is no place to read from; {_ALLOWED}")
    if _is_store(name):
        from obs_run.store.location import absolute
        from obs_run.store.reader import Reader

        return Reader(absolute(name))
    from obs_run.readers import otlp_files

    return otlp_files.reader(name)


def is_otlp_file(name: str) -> bool:
    """Tell whether a place is a file of OTLP JSON."""
    return "://" not in name and not _is_store(name)


def _is_store(name: str) -> bool:
    """Tell by its first bytes whether a file is a store; by its name where there is none."""
    if name == "-":
        return False
    path = Path(name).expanduser()
    try:
        # A pipe is OTLP JSON, and what is read of it cannot be read again.
        if path.is_file():
            with path.open("rb") as file:
                beginning = file.read(len(_SQLITE))
            return beginning == _SQLITE or (not beginning and path.suffix in _STORE_ENDINGS)
    except OSError:
        return False
    return path.suffix in _STORE_ENDINGS
