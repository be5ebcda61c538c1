"""A trail as it is at one moment: its files, opened, and the content of its head."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from obs_run.audit_trail.entry import HEAD_BYTES
from obs_run.files.shared_file import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from obs_run.audit_trail.place import Place


class Line(NamedTuple):
    """A line of a file: which one, where it begins, its bytes without the end, and whether it has an end."""

    number: int
    at: int
    data: bytes
    ended: bool


class OpenFile(NamedTuple):
    """A file of the trail: its number, None for the one that is written, and how long it was when it was opened."""

    number: int | None
    name: str
    file: BinaryIO
    size: int

    def lines(self) -> Iterator[Line]:
        """Yield the lines that were there when the file was opened."""
        at = number = 0
        while at < self.size:
            data = self.file.readline(self.size - at)
            if not data:
                return
            number += 1
            ended = data.endswith(b"\n")
            yield Line(number, at, data[:-1] if ended else data, ended)
            at += len(data)


class TrailSnapshot(NamedTuple):
    """What was there: the files, the oldest first, and the head, None if there is none."""

    files: list[OpenFile]
    head: bytes | None


@contextmanager
def opened(place: Place) -> Iterator[TrailSnapshot]:
    """Open the trail while nobody writes to it; what is written later is not seen. Raises ``OSError``."""
    lock = FileLock(place.active)
    with ExitStack() as stack:
        # A copy of a trail has no lock file, and none is made beside it; whoever may only read may not lock.
        with lock if os.access(lock.path, os.W_OK) else nullcontext():
            files = []
            for number in (*place.numbers(), None):
                path = place.active if number is None else place.closed(number)
                if number is None and not path.exists():
                    continue
                trail_file = stack.enter_context(path.open("rb"))
                files.append(OpenFile(number, path.name, trail_file, path.stat().st_size))
            head = None
            if place.head.exists():
                with place.head.open("rb") as file:
                    head = file.read(HEAD_BYTES + 1)
        yield TrailSnapshot(files, head)
