"""Where buffers are: a folder of the user's in memory, and in it one for each configuration of the export path."""

from __future__ import annotations

import os
from contextlib import suppress

from obs_run.process import relay

MEMORY = "/dev/shm"  # noqa: S108 (memory, and the folder in it is nobody else's)
LOCK = "lock"
"""Held by the relay that reads this folder; its pid is in it."""
CONFIGURATION = "configuration"
"""What the relay exports with."""
PROGRESS = "progress"
"""How far the relay has come, for the next one."""
GIVEN = "given"
"""How far it had read when it gave destinations something last."""
_MEMORY_SYSTEMS = ("tmpfs", "ramfs")


class NotOursError(OSError):
    """The folder is another user's, or open to others."""


def chosen() -> str:
    """Return the folder of this user's buffers."""
    named = os.environ.get(relay.VARIABLE, "").strip()
    if named:
        return os.path.abspath(named)
    return os.path.join(MEMORY, f"obs-run-{os.geteuid()}")


def make(folder: str) -> None:
    """Make a folder that nobody else can enter; ``NotOursError`` where one is there that somebody else can."""
    if not os.path.lexists(folder):
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
    if not relay.is_private(folder):
        raise NotOursError(f"{folder} is not a folder of this user's alone")


def is_memory(path: str) -> bool:
    """Whether a folder is, or would be, in memory and not on a disk."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            kinds = {words[1]: words[2] for line in mounts if len(words := line.split()) > 2}  # noqa: PLR2004
    except OSError:
        return False
    while path not in kinds:
        path = os.path.dirname(path)
    return kinds[path] in _MEMORY_SYSTEMS
