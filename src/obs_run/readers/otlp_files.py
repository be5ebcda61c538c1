"""Files of OTLP JSON: one object, or one a line as a Collector writes them; plain or gzip, ``-`` for stdin."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from obs_run.telemetry.held_reader import HeldReader
from obs_run.telemetry.otlp_records import Records
from obs_run.telemetry.reader import ReadError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

STDIN = "-"
_GZIP = b"\x1f\x8b"


class LineError(ReadError):
    """One line of a file is no OTLP JSON; those after it may be."""


def reader(name: str) -> HeldReader:
    """Return a reader of the file of that name; ``ReadError`` if nothing of it can be read."""
    found = Records()
    first: LineError | None = None
    with opened(name) as file:
        for data in objects(file, name):
            problem = add(found, data, name)
            first = first or problem
    if first is not None and not len(found):
        raise first
    return HeldReader(found, place(name))


def place(name: str) -> str:
    """Return what a file is called in sentences."""
    return "stdin" if name == STDIN else name


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open the file of that name for reading, unpacked where it is gzip; ``ReadError`` for what cannot be read."""
    try:
        file = cast("io.BufferedReader", sys.stdin.buffer) if name == STDIN else Path(name).expanduser().open("rb")
        try:
            is_packed = file.peek(2)[:2] == _GZIP
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
        finally:
            if name != STDIN:
                file.close()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ReadError(f"{place(name)} cannot be read: {reason}") from None


def objects(file: IO[bytes], name: str) -> Iterator[dict[str, Any] | LineError]:
    """Yield the objects of a file, or of one line what is wrong with it."""
    for number, text in _texts(file):
        yield _parsed(text, f"{place(name)}, line {number}")


def _parsed(text: bytes, where: str) -> dict[str, Any] | LineError:
    try:
        return cast("dict[str, Any]", json.loads(text))
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        return LineError(f"{where}: not JSON ({reason})")


def _texts(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the text of each object, and on which line it begins: one line, or as far as it is printed over several."""
    begun, text = 0, b""
    for number, line in enumerate(file, 1):
        if text and not line.startswith((b"{", b"[")):
            text += line
            if line.startswith((b"}", b"]")):
                yield begun, text
                text = b""
        elif line.strip():
            if text:
                yield begun, text
            begun, text = number, line
            if line.rstrip().endswith((b"}", b"]")):
                yield begun, text
                text = b""
    if text:
        yield begun, text


def add(found: Records, data: dict[str, Any] | LineError, name: str) -> LineError | None:
    """Add an object to what was found before; return what is wrong with it, which counts as one damaged record."""
    problem = data if isinstance(data, LineError) else None
    if not isinstance(data, LineError):
        try:
            found.add(data)
        except ValueError as error:
            problem = LineError(f"{place(name)}: {error}")
    found.damaged += problem is not None
    return problem
