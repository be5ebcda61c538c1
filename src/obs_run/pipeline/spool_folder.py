"""The folder of the spool: one folder in it for each OTLP endpoint, with its segments and what they are for."""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from obs_run.files.segment import ENDING, is_locked
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESCRIPTION = "destination.json"

_FORGOTTEN_SECONDS = 3600.0
"""Age of a file that was never finished being made."""


class OtlpEndpoint(NamedTuple):
    """What requests are for: what of it may be written to a disk, and what tells it from others."""

    signal: str
    protocol: str
    address: str
    """As it may be shown."""
    key: str
    """What tells it from others, accounts at the same address included; only a hash of it is written."""

    def folder(self) -> str:
        """Return the name of its folder."""
        from hashlib import sha256

        digest = sha256(f"{self.signal}\n{self.protocol}\n{self.key}".encode()).hexdigest()
        return f"{self.signal}-{digest[:16]}"


def files(folder: Path) -> list[tuple[Path, int]]:
    """Return all segments below the spool's folder with their sizes, the oldest first."""
    found: list[tuple[Path, int]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += files_of(folder / entry.name)
    return sorted(found, key=lambda each: each[0].name)


def files_of(folder: Path) -> list[tuple[Path, int]]:
    """Return the segments of one destination, the oldest first; what was never finished being made is deleted."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(ENDING):
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if not entry.name.startswith("."):
                    found.append((folder / entry.name, status.st_size))
                elif time.time() - status.st_mtime > _FORGOTTEN_SECONDS and not is_locked(folder / entry.name):
                    (folder / entry.name).unlink()
    return sorted(found)


def described(folder: Path) -> OtlpEndpoint:
    """Return what a destination's folder says that it is for."""
    try:
        descriptor = os.open(folder / DESCRIPTION, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            read = json.loads(os.read(descriptor, 1 << 16))
        finally:
            os.close(descriptor)
        return OtlpEndpoint(str(read["signal"]), str(read["protocol"]), str(read["endpoint"]), "")
    except (OSError, ValueError, KeyError, TypeError):
        return OtlpEndpoint(folder.name.partition("-")[0], "?", folder.name, "")


def close_to_others(folder: Path) -> None:
    """Take a folder of this user's away from all others; ``OSError`` for a link, and for somebody else's."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(errno.ENOTDIR, "not a folder", str(folder))
    if found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "belongs to another user", str(folder))
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def describe(folder: Path, endpoint: OtlpEndpoint) -> None:
    """Write into a folder what it is for."""
    text = {"signal": endpoint.signal, "protocol": endpoint.protocol, "endpoint": endpoint.address}
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder / DESCRIPTION, flags, 0o600)
    try:
        os.write(descriptor, json.dumps(text).encode())
    finally:
        os.close(descriptor)


def endpoints(folder: Path) -> Iterator[tuple[OtlpEndpoint, Path]]:
    """Yield each endpoint that has a folder in the spool, and that folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir(follow_symlinks=False):
                yield described(folder / entry.name), folder / entry.name
