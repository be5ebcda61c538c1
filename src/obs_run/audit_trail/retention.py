"""Which whole files of the trail may be deleted, oldest first, where the user set a limit."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.audit_trail.place import lines_from_the_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obs_run.audit_trail.entry import Head
    from obs_run.audit_trail.place import Place


class Due(NamedTuple):
    """Files to delete: their numbers and names, the entries in them, and the setting that wants it."""

    numbers: list[int]
    names: list[str]
    first: int
    last: int
    last_hash: str
    why: str

    def details(self) -> dict[str, Any]:
        """Return what the trail says of the deletion."""
        return {
            "files": self.names,
            "first_sequence": self.first,
            "last_sequence": self.last,
            "last_hash": self.last_hash,
            "reason": self.why,
        }

    def sentence(self) -> str:
        """Return the deletion as a sentence for people."""
        return f"{self.why} deleted {', '.join(self.names)} with records {self.first} to {self.last}"


class _Full(NamedTuple):
    number: int
    first: int
    last: int
    last_hash: str
    ended: float
    size: int


def due(place: Place, head: Head, room: int, keep: float, max_bytes: int) -> Due | None:
    """Return what is to be deleted, None if nothing is; ``room`` is kept for the file that is written."""
    now = time.time()
    numbers = place.numbers()
    total = room + sum(place.closed(number).stat().st_size for number in numbers)
    going: list[_Full] = []
    why: dict[str, None] = {}
    for full in _read(place, numbers, head):
        old, over = bool(keep) and now - full.ended > keep, bool(max_bytes) and total > max_bytes
        if not (old or over):
            break
        why["OBS_AUDIT_KEEP" if old else "OBS_AUDIT_MAX_BYTES"] = None
        total -= full.size
        going.append(full)
    if not going:
        return None
    chosen = [full.number for full in going]
    names = [place.closed(number).name for number in chosen]
    return Due(chosen, names, going[0].first, going[-1].last, going[-1].last_hash, " and ".join(why))


def begun(path: Path, now: float) -> float:
    """Return when the first entry of a file was written, ``now`` where that cannot be told."""
    found = _first(path)
    return now if found is None else _seconds(found[0]["time"])


def _read(place: Place, numbers: list[int], head: Head) -> Iterator[_Full]:
    """Yield what the full files hold, up to one that was tampered with as far as a look tells: that one must stay."""
    paths = [*map(place.closed, numbers), place.active]
    firsts = [_first(path) for path in paths]
    for number, path, first, following in zip(numbers, paths, firsts, firsts[1:], strict=False):
        last = _fields(next(lines_from_the_end(path), b""))
        if first is None or last is None or not _is_ended(path):
            return
        after = following[0].get("previous") if following else head.hash if path is paths[-2] else None
        if after != last[1]:
            return
        ended = _seconds(last[0]["time"])
        yield _Full(number, first[0]["sequence"], last[0]["sequence"], last[1], ended, path.stat().st_size)


def _first(path: Path) -> tuple[dict[str, Any], str] | None:
    with path.open("rb") as file:
        return _fields(file.readline())


def _is_ended(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"


def _fields(line: bytes) -> tuple[dict[str, Any], str] | None:
    try:
        whole = json.loads(line)
        entry, own = whole["entry"], whole["hash"]
        _seconds(entry["time"])
        return (entry, own) if isinstance(entry["sequence"], int) and isinstance(own, str) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seconds(text: str) -> float:
    # Python 3.10 does not read the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
