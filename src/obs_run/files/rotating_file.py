"""A file of lines that is put aside when it is large or old enough, shared by threads, processes and forks."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from obs_run.files.shared_file import SharedFile, WarnUntilRecovered

if TYPE_CHECKING:
    from pathlib import Path

_CHECK_SECONDS = 3600.0
_MARK_BYTES = 100
_MARK = re.compile(rb"(\d+:\d+) (\d+\.\d+)\n")


class RotatingFile(SharedFile):
    """Lines in the file at ``path``; older ones in ``<name>.1``, ``<name>.2`` and so on, the newest first.

    The file is put aside before a line that would make it larger than ``max_bytes``, and when it was begun ``max_age``
    seconds ago, which is noted in its lock file and so survives restarts. Of what was put aside the newest ``files``
    are kept, and of these what was written to within ``keep`` seconds. 0 means without limit, for each of them.
    All processes that write to one file should use the same limits.
    """

    def __init__(
        self, path: Path | str, max_bytes: int = 0, max_age: float = 0.0, files: int = 0, keep: float = 0.0
    ) -> None:
        super().__init__(path)
        self.max_bytes, self.max_age, self.files, self.keep = max_bytes, max_age, files, keep
        self._begun = 0.0
        self._check_at = 0.0
        self._rotation_warning = WarnUntilRecovered(
            f"{self.path} cannot be put aside and grows, or old ones cannot be deleted"
        )

    def _ready(self, length: int) -> int:
        size = super()._ready(length)
        now = time.time()
        if size and (
            (self.max_bytes and size + length > self.max_bytes) or (self.max_age and now - self._begun >= self.max_age)
        ):
            size = self._begin_anew(size, now)
        if not 0 <= self._check_at - now <= _CHECK_SECONDS:
            self._delete_old(now)
        return size

    def _open(self) -> os.stat_result:
        found = super()._open()
        mark = os.pread(self._lock.descriptor, _MARK_BYTES, 0)
        whose = b"%d:%d" % self._identity
        noted = _MARK.fullmatch(mark)
        if found.st_size and noted and noted[1] == whose:
            self._begun = float(noted[2])
        else:
            # A file that was there before: it was begun at the latest when it was last written to.
            self._begun = min(time.time(), found.st_mtime if found.st_size else float("inf"))
            os.ftruncate(self._lock.descriptor, 0)
            os.pwrite(self._lock.descriptor, b"%s %.6f\n" % (whose, self._begun), 0)
        return found

    def _begin_anew(self, size: int, now: float) -> int:
        """Put the file aside and return the size of the next; where that fails the lines go on in this one."""
        try:
            self._put_aside()
        except OSError as error:
            self._rotation_warning.warn(error)
            return size
        self._rotation_warning.recovered()
        self._delete_old(now)
        return self._open().st_size

    def _put_aside(self) -> None:
        """Rename the file to ``.1`` and those before it to the next number, as far as there is no gap."""
        free = 1
        while self._backup(free).exists():
            if free == self.files:
                self._backup(free).unlink()
                break
            free += 1
        for number in range(free, 1, -1):
            self._backup(number - 1).rename(self._backup(number))
        self.path.rename(self._backup(1))

    def _delete_old(self, now: float) -> None:
        self._check_at = now + _CHECK_SECONDS
        beginning = self.path.name + "."
        try:
            for entry in os.scandir(self.path.parent) if self.files or self.keep else ():
                number = entry.name[len(beginning) :] if entry.name.startswith(beginning) else ""
                if number.isdecimal() and number.isascii() and self._may_go(int(number), entry, now):
                    os.unlink(entry.path)  # noqa: PTH108 (as scandir gives it)
        except OSError as error:
            self._rotation_warning.warn(error)

    def _may_go(self, number: int, entry: os.DirEntry[str], now: float) -> bool:
        if self.files and number > self.files:
            return True
        return bool(self.keep) and now - entry.stat().st_mtime > self.keep

    def _backup(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
