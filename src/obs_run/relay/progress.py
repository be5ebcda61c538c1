"""How far a relay has come, written down for the one after it: nothing is lost, and little exported twice."""

from __future__ import annotations

import marshal
import os
from typing import TYPE_CHECKING

from obs_run.base import guard
from obs_run.buffer import folder
from obs_run.relay.agent import Position

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(path: str, positions: Mapping[str, Position]) -> None:
    """Write down the positions by buffer, all or nothing."""
    place = os.path.join(path, folder.PROGRESS)
    temporary = f"{place}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        marshal.dump({buffer: tuple(position) for buffer, position in positions.items()}, file, 2)
    os.rename(temporary, place)


def read(path: str) -> dict[str, Position]:
    """Return what the relay before this one wrote down; nothing where there was none, or it cannot be read."""
    place = os.path.join(path, folder.PROGRESS)
    if not os.path.exists(place):
        return {}
    found: dict[str, Position] = guard.call("progress", _read, place, default={})
    return found


def _read(place: str) -> dict[str, Position]:
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return {buffer: Position(*fields) for buffer, fields in marshal.load(file).items()}  # noqa: S302 (our own)
