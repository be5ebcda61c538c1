"""Where the trail is: the file that is written, those before it, and the head."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run import settings
from obs_run.store import location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 65536


class Place(NamedTuple):
    """The names of a trail's files, from the one that is written, such as ``audit.jsonl``."""

    active: Path

    @property
    def head(self) -> Path:
        """The file that says where the trail ends."""
        return self.active.with_name(f"{self.active.name}.head")

    def closed(self, number: int) -> Path:
        """Return the name of a file that is full; the first is number 1."""
        return self.active.with_name(f"{self.active.name}.{number:06d}")

    def numbers(self) -> list[int]:
        """Return the numbers of the full files that are there."""
        pattern = re.compile(re.escape(self.active.name) + r"\.(\d{6,})")
        found = (pattern.fullmatch(entry.name) for entry in self.active.parent.iterdir())
        return sorted(int(match[1]) for match in found if match)


def default() -> Place:
    """Return what OBS_AUDIT_FILE names, else ``obs-run/audit/audit.jsonl`` in the user's data folder."""
    named = settings.get("OBS_AUDIT_FILE")
    return Place(location.absolute(named) if named else location.data_folder() / "audit" / "audit.jsonl")


def lines_from_the_end(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last first, without their ends; what has no end is not a line."""
    with path.open("rb") as file:
        at = file.seek(0, 2)
        rest = b""
        whole = False
        while at:
            step = min(_BLOCK, at)
            at = file.seek(at - step)
            first, *lines = (file.read(step) + rest).split(b"\n")
            yield from reversed(lines[: None if whole else -1])
            whole = whole or bool(lines)
            rest = first
        if whole:
            yield rest
