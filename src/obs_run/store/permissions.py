"""The store is its owner's alone: files 0600 in folders 0700, and what is more open is closed or said."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from obs_run.base import guard

if TYPE_CHECKING:
    from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_PARTS = ("", "-wal", "-shm")


def prepare(path: Path) -> None:
    """Make the folder (and those above it) and an empty file where there are none, for their owner only."""
    _make_folder(path.parent)
    # SQLite gives -wal and -shm the mode of the file. Only a new file is opened here: closing a second descriptor of
    # a database that this process has open would drop SQLite's own locks on it. The target of a link that leads
    # nowhere would be made by SQLite, open to all.
    with suppress(FileExistsError):
        descriptor = os.open(os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE)
        try:
            if os.name == "posix":
                # The agent's umask may keep it from its owner, too.
                os.fchmod(descriptor, FILE_MODE)
        finally:
            os.close(descriptor)


def close_to_others(path: Path) -> None:
    """Take a store that is open to everybody away from all but its owner; group rights alone are somebody's choice."""
    if os.name != "posix":
        return
    for part in (path.with_name(path.name + ending) for ending in _PARTS):
        guard.call("store.permissions", _close, path, part)
    said = openness(path)
    if said:
        guard.warn_once(said)


def openness(path: Path) -> str | None:
    """Return who else may read, change or replace the store, as a sentence; None if nobody may."""
    if os.name != "posix":
        return None
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & stat.S_IRWXO:
            return f"the local store {path} is open to every user of this machine (mode {mode:04o}); chmod 600 it"
    with suppress(OSError):
        mode = stat.S_IMODE(path.parent.stat().st_mode)
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return (
                f"every user of this machine may replace the local store {path} (mode {mode:04o} of its folder); "
                "name a file in a folder of its own by OBS_STORE_FILE"
            )
    return None


def _make_folder(folder: Path) -> None:
    # mkdir's parents=True gives only the last one the mode.
    if not folder.exists():
        _make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=FOLDER_MODE)
            folder.chmod(FOLDER_MODE)


def _close(path: Path, part: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):
        # What a link leads to, and what belongs to somebody else, is not ours to close.
        found = part.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if mode & stat.S_IRWXO and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            part.chmod(FILE_MODE)
            guard.warn_once(
                f"the local store {path} was open to every user of this machine (mode {mode:04o}); it is 0600 now",
                about=f"the local store {path} was open",
            )
