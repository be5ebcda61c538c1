"""The writer of the trail: one chain for all threads, processes and forks that share the file."""

from __future__ import annotations

import errno
import math
import os
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.audit_trail import recovery, retention
from obs_run.audit_trail.entry import EMPTY, HEAD_BYTES, OWN, RECORD, Head, Origin, canonical, head_bytes, line
from obs_run.base import guard
from obs_run.files.shared_file import FileLock, WarnUntilRecovered, open_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.audit_trail.entry import Seals
    from obs_run.audit_trail.place import Place
    from obs_run.audit_trail.seal import Seal

CONTINUED, DELETED = "obs.audit.continued", "obs.audit.deleted"
"""The actions of the trail's own records."""

_CHECK_SECONDS = 3600.0
_AGE_PARTS = 10
_ENVELOPE = 512


class Limits(NamedTuple):
    """Bytes of a file, seconds and bytes that are kept; 0 is without limit."""

    file_bytes: int
    keep: float = 0.0
    max_bytes: int = 0


class Receipt:
    """What was written: the entry's sequence number and hash.

    Both are None while a call that this one interrupted, in a signal handler, has yet to write the record.
    """

    __slots__ = ("hash", "sequence")

    def __init__(self, sequence: int | None = None, hash: str | None = None) -> None:  # noqa: A002 (the trail's word)
        self.sequence = sequence
        self.hash = hash

    def __repr__(self) -> str:
        """Return the receipt as it is exported."""
        return f"Receipt(sequence={self.sequence!r}, hash={self.hash!r})"


class Trail:
    """Appends records to the trail at ``place``; ``seals`` are those that entries of others may have."""

    def __init__(self, place: Place, seal: Seal, seals: Seals, origin: Origin, limits: Limits) -> None:
        self.place, self._seal, self._seals, self._origin, self._limits = place, seal, seals, origin, limits
        self._names = str(place.active), str(place.head)
        self._lock = FileLock(place.active)
        self._files = [-1, -1]
        self._identities: list[Any] = [None, None]
        self._head = EMPTY
        self._seen = b""
        self._size = 0
        self._begun: float | None = None
        self._check_at = 0.0
        self._later: deque[tuple[str, Receipt]] = deque()
        self._warnings: deque[str] = deque()
        self._said: set[str] = set()
        self._write_warning = WarnUntilRecovered(f"audit trail: {place.active} cannot be written, records are lost")

    def append(self, record: str) -> Receipt | None:
        """Append a record, given as canonical JSON; None, after one warning, when it could not be written."""
        receipt = Receipt()
        if self._lock.mine():
            self._later.append((record, receipt))
            return receipt
        written = self._write(record, receipt)
        while self._later:
            self._write_later()
        while self._warnings:
            guard.warn(self._warnings.popleft())
        return receipt if written else None

    def after_fork(self) -> None:
        """In a child: what waits is the parent's to write, and what another thread was in the midst of is unknown."""
        self._later.clear()
        self._warnings.clear()
        self._seen = b""

    def close(self) -> None:
        """Close the files."""
        for which in (0, 1):
            self._close(which)
        self._lock.forget()

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close the files, unless everything ends and modules may be gone already."""
        if not ending():
            self.close()

    def _write_later(self) -> None:
        try:
            record, receipt = self._later.popleft()
        except IndexError:  # another thread was faster
            return
        self._write(record, receipt)

    def _write(self, record: str, receipt: Receipt) -> bool:
        try:
            with self._lock:
                self._follow()
                now = time.time()
                if self._is_full(len(record), now):
                    self._close_file()
                if time.monotonic() >= self._check_at:
                    self._delete_old()
                self._put(record)
                receipt.sequence, receipt.hash = self._head.sequence, self._head.hash
        except OSError as error:
            self._write_warning.warn(error)
            return False
        self._write_warning.recovered()
        return True

    def _follow(self) -> None:
        """Read where the trail ends, whoever wrote to it; say in the trail what is not as it was left."""
        size, head_size = self._at(0), self._at(1)
        data = None if head_size is None else os.pread(self._files[1], HEAD_BYTES + 1, 0)
        if data == self._seen and size == self._size and data:
            return
        end = recovery.find(self.place, data, size, self._seals)
        if size is None or head_size is None:
            self._make(end)
            size = os.fstat(self._files[0]).st_size
        self._head, self._size, self._begun = end.head, size, None
        if end.key not in (None, self._seal.key_id):
            mine = "without a key" if self._seal.key_id is None else "with another key (OBS_AUDIT_KEY_FILE)"
            self._warn(f"{self.place.active} is kept with the key {end.key}, and this process writes {mine}")
        if end.notes:
            self._put(canonical({"action": CONTINUED, "details": end.notes}), OWN)

    def _at(self, which: int) -> int | None:
        """Have the file at its path open, the one that is written (0) or the head (1); return its size if it exists."""
        try:
            status = os.stat(self._names[which])  # noqa: PTH116 (each record comes by here)
        except FileNotFoundError:
            self._close(which)
            return None
        identity = status.st_dev, status.st_ino
        if identity != self._identities[which]:
            self._open(which)
            self._seen = b""
        return status.st_size

    def _make(self, end: recovery.End) -> None:
        """Make what is missing; the head first, so that there is never a trail that had none."""
        if self._files[1] < 0:
            self._open(1)
            if not end.notes:
                self._write_head(end.head)
        if self._files[0] < 0:
            self._open(0)

    def _open(self, which: int) -> None:
        self._close(which)
        self._files[which] = open_file((self.place.active, self.place.head)[which], 0 if which else os.O_APPEND)
        status = os.fstat(self._files[which])
        self._identities[which] = status.st_dev, status.st_ino

    def _close(self, which: int) -> None:
        descriptor, self._files[which], self._identities[which] = self._files[which], -1, None
        if descriptor >= 0:
            os.close(descriptor)

    def _put(self, record: str, kind: str = RECORD) -> None:
        """Write one entry and then the head; what could not be written whole leaves nothing behind."""
        active, size = self._files[0], self._size
        own, data = line(self._head, self._seal, self._origin, kind, record)
        if size and os.pread(active, 1, size - 1) != b"\n":
            data = b"\n" + data
        head = self._head
        try:
            write_whole(active, data)
            self._write_head(Head(head.sequence + 1, own, head.file, size + len(data)))
        except OSError:
            os.ftruncate(active, size)
            raise
        self._size = size + len(data)

    def _write_head(self, head: Head) -> None:
        data = head_bytes(head, self._seal)
        if os.pwrite(self._files[1], data, 0) != len(data):
            raise OSError(errno.ENOSPC, "only a part was written", self._names[1])
        self._head, self._seen = head, data

    def _is_full(self, length: int, now: float) -> bool:
        if not self._size:
            return False
        most, keep = self._most(), self._limits.keep
        if most and self._size + length + _ENVELOPE > most:
            return True
        if not keep:
            return False
        if self._begun is None:
            self._begun = retention.begun(self.place.active, now)
        return now - self._begun > keep / _AGE_PARTS

    def _most(self) -> int:
        """Return the bytes that a file may have, 0 for any number; two of them are less than all may have."""
        most, _, max_bytes = self._limits
        return min(most or max_bytes, max_bytes // 2) if max_bytes else most

    def _close_file(self) -> None:
        head = self._head
        try:
            self.place.active.rename(self.place.closed(head.file))
        except OSError as error:
            self._warn(f"{self.place.active} cannot be renamed and grows: {error.strerror}")
            return
        self._write_head(head._replace(file=head.file + 1, size=0))
        self._open(0)
        self._size, self._begun, self._check_at = 0, None, 0.0

    def _delete_old(self) -> None:
        self._check_at = time.monotonic() + _CHECK_SECONDS
        _, keep, max_bytes = self._limits
        room = max(self._size, self._most())
        try:
            due = retention.due(self.place, self._head, room, keep, max_bytes) if keep or max_bytes else None
        except OSError as error:
            self._warn(f"{error.filename} cannot be read, nothing is deleted: {error.strerror}")
            return
        if due is None:
            return
        # Said before it is done: a file that is missing without that would look stolen.
        self._put(canonical({"action": DELETED, "details": due.details()}), OWN)
        announced_in = self._head.sequence
        try:
            for number in due.numbers:
                self.place.closed(number).unlink()
        except OSError as error:
            self._warn(f"{error.filename} cannot be deleted: {error.strerror}")
            self._check_at = math.inf
        else:
            self._warn(f"{due.sentence()}, as record {announced_in} says")

    def _warn(self, text: str) -> None:
        """Have it said once the lock is free: a warning may come back as a record."""
        if text not in self._said:
            self._said.add(text)
            self._warnings.append(f"audit trail: {text}")
