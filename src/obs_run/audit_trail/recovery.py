"""Where the next entry goes, when the head and the file that is written do not agree, or another process wrote."""

from __future__ import annotations

import errno
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.audit_trail.entry import EMPTY, LINE_BEGIN, Head, read_head, read_line
from obs_run.audit_trail.place import lines_from_the_end

if TYPE_CHECKING:
    from pathlib import Path

    from obs_run.audit_trail.entry import Sealed, Seals
    from obs_run.audit_trail.place import Place


_HEAD_BEGIN = b'{"entry":'
_TAIL = 1 << 20
_ELSEWHERE = "; set OBS_AUDIT_FILE to a file of its own"


class ForeignFileError(OSError):
    """A file of the user's stands where the trail would be written; it stays as it is."""


class End(NamedTuple):
    """The head to go on from, what the trail must say of what was found there, and the id of the key before."""

    head: Head
    notes: dict[str, Any]
    key: str | None = None


def find(place: Place, head_data: bytes | None, size: int | None, seals: Seals) -> End:
    """Return where the trail goes on; ``size`` is that of the file that is written, None if there is none.

    The head has the say: what was cut off after it was written stays missing, instead of being written over.
    """
    read = read_head(head_data, seals) if head_data is not None else None
    if read is None or read[1].genuine is False:
        return _without_head(place, size, seals, head_data)
    return _with_head(place, read[0], size, seals)._replace(key=read[1].fields.get("key"))


def _with_head(place: Place, head: Head, size: int | None, seals: Seals) -> End:
    closed = place.closed(head.file)
    if not size and head.size and closed.exists():
        # A process was killed between closing the file and beginning the next.
        return End(head._replace(file=head.file + 1, size=0), {})
    if size is None or size < head.size:
        notes: dict[str, Any] = {"cut": {"expected_bytes": head.size, "found_bytes": size or 0}} if head.size else {}
        return End(head, {**notes, **_torn(place.active, 0 if size is None else size)})
    if size > head.size:
        return _after_head(place.active, head, seals)
    return End(head, {})


def _after_head(path: Path, head: Head, seals: Seals) -> End:
    """Go on after entries that were written before their writer was killed, which had not written the head yet."""
    with path.open("rb") as file:
        file.seek(head.size)
        added = file.read()
    for line in added.split(b"\n"):
        found = read_line(line, seals)
        if not follows(found, head):
            break
        assert found is not None
        # Only the end of the last line may be missing; the next entry brings it.
        length = min(len(line) + 1, len(added))
        head = Head(head.sequence + 1, found.hash, head.file, head.size + length)
        added = added[length:]
    # Whole lines that are no entries nobody left who was killed: verifying finds them.
    return End(head, {} if not added or added.endswith(b"\n") else {"torn": _described(added)})


def follows(found: Sealed | None, head: Head) -> bool:
    """Whether an entry is the one after ``head``, as far as can be told."""
    return (
        found is not None
        and found.genuine is not False
        and (found.fields["sequence"], found.fields["previous"]) == (head.sequence + 1, head.hash)
    )


def _without_head(place: Place, size: int | None, seals: Seals, head_data: bytes | None) -> End:
    """Go on from the last entry that is there; that the head was not there must be known for ever."""
    _check_ownership(place, size, head_data)
    why, fresh = "missing" if head_data is None else "unreadable", not head_data
    numbers = place.numbers()
    file = numbers[-1] + 1 if numbers else 1
    candidates = [place.active] if size else []
    for path in (*candidates, *map(place.closed, reversed(numbers))):
        for line in lines_from_the_end(path):
            found = read_line(line, seals)
            if found is not None and found.genuine is not False:
                head = Head(found.fields["sequence"], found.hash, file, size or 0)
                return End(head, {"head": why, **_torn(place.active, size or 0)})
    if not size and not numbers and fresh:
        return End(EMPTY, {})
    return End(Head(0, EMPTY.hash, file, size or 0), {"head": why, **_torn(place.active, size or 0)})


def _check_ownership(place: Place, size: int | None, head_data: bytes | None) -> None:
    """Raise where a file of the user's stands in one of the places: nothing in it was ever written by a trail."""
    if size and not _is_of_trail(place.active, size):
        raise ForeignFileError(errno.EEXIST, f"it is no audit trail{_ELSEWHERE}", str(place.active))
    if head_data and not size and not place.numbers() and not head_data.startswith(_HEAD_BEGIN):
        raise ForeignFileError(errno.EEXIST, f"{place.head.name} is of something else{_ELSEWHERE}", str(place.head))


def _is_of_trail(path: Path, size: int) -> bool:
    """Whether a trail is at the beginning of a file or at its end; the file may be of any size, and anything."""
    with path.open("rb") as file:
        begin = file.read(len(LINE_BEGIN))
        # What is shorter may be the beginning of a first entry that was never written whole.
        if begin == LINE_BEGIN or (size < len(LINE_BEGIN) and LINE_BEGIN.startswith(begin)):
            return True
        file.seek(max(0, size - _TAIL))
        return LINE_BEGIN in file.read(_TAIL)


def _torn(path: Path, size: int) -> dict[str, Any]:
    """Describe half a line at the end of the file, if it has one."""
    if not size:
        return {}
    with path.open("rb") as file:
        data = file.read()
    half = data[data.rfind(b"\n") + 1 :]
    return {"torn": _described(half)} if half else {}


def _described(half: bytes) -> dict[str, Any]:
    return {"bytes": len(half), "sha256": hashlib.sha256(half).hexdigest()}
