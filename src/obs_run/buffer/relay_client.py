"""What others ask of a relay: how it is, and that it exports now."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from obs_run.buffer import configuration, folder, segment
from obs_run.process.unpatched import monotonic, sleep

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_NOW = "read-now"
"""A file by which somebody asks for all that was written until now; gone when that has been given to destinations."""
STATUS = "status"
_PAUSE = 0.02


def configurations(path: str) -> Iterator[str]:
    """Yield the folders in ``path`` that agents write into."""
    with suppress(OSError):
        for name in sorted(os.listdir(path)):
            place = os.path.join(path, name)
            if os.path.lexists(os.path.join(place, folder.CONFIGURATION)):
                yield place


def reader_of(path: str) -> int | None:
    """Return the number of the process that holds the lock of a folder; None where nobody reads there."""
    try:
        with open(os.path.join(path, folder.LOCK), "rb") as file:
            pid = int(file.read() or b"0")
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid
    except (OSError, ValueError):
        return None
    return None


def flush(path: str, seconds: float) -> bool:
    """Have what was written until now exported; False where that took too long, or nobody reads there."""
    # What has been read may still be gathered, and metrics wait for their time.
    places = [place for place in configurations(path) if _has_segments(place) or reader_of(place) is not None]
    for place in places:
        with suppress(OSError):
            os.close(os.open(os.path.join(place, READ_NOW), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    until = monotonic() + seconds
    while monotonic() < until:
        places = [place for place in places if os.path.lexists(os.path.join(place, READ_NOW))]
        if not places:
            return True
        sleep(_PAUSE)
    return False


def _has_segments(place: str) -> bool:
    with suppress(OSError):
        return any(map(segment.parse_name, os.listdir(place)))
    return False


def status(place: str) -> dict[str, Any]:
    """Return what the relay of a folder last said of itself, and what it exports with; empty where it said nothing."""
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError, KeyError):
        found["variables"] = configuration.read(place)["variables"]
    with suppress(OSError, ValueError), open(os.path.join(place, STATUS), encoding="utf-8") as file:
        found.update(json.load(file))
    return found
