"""How far a relay has come, written down for the one after it: nothing is lost, and little exported twice."""

from __future__ import annotations

import marshal
import os
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.buffer import folder
from obs_run.relay.agent import Position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obs_run.relay.agent import Place


def write(path: str, positions: Mapping[str, Position]) -> None:
    """Write down the positions by buffer, all or nothing."""
    _write(os.path.join(path, folder.PROGRESS), {buffer: tuple(position) for buffer, position in positions.items()})


def write_given(path: str, places: Mapping[str, Place]) -> None:
    """Write down up to where, by buffer, destinations are about to have what was read."""
    _write(os.path.join(path, folder.GIVEN), dict(places))


def _write(place: str, content: dict[str, Any]) -> None:
    temporary = f"{place}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        marshal.dump(content, file, 2)
    os.rename(temporary, place)


def read(path: str) -> dict[str, Position]:
    """Return what the relay before this one wrote down; nothing where there was none, or it cannot be read."""
    found = _read(os.path.join(path, folder.PROGRESS))
    positions: dict[str, Position] = guard.call("progress", _positions, found, default={})
    return positions


def _positions(found: Mapping[str, Sequence[Any]]) -> dict[str, Position]:
    return {buffer: Position(*fields) for buffer, fields in found.items()}


def read_given(path: str) -> dict[str, Place]:
    """Return the places likewise: what is before them may have arrived."""
    return _read(os.path.join(path, folder.GIVEN))


def _read(place: str) -> dict[str, Any]:
    """Return what is written at ``place``, nothing where there is nothing that can be read."""
    if not os.path.exists(place):
        return {}
    loaded: dict[str, Any] = guard.call("progress", _load, place, default={})
    return loaded


def _load(place: str) -> Any:
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return marshal.load(file)  # noqa: S302 (our own)
