"""A file of records that one process writes and another may read on: checked by checksums, claimed by ``flock``.

A record that was half written as the power failed, bytes that were changed, and files that are no segments cost what
is damaged, and never stop a reader. What was written outlives the process; it is not synchronised to the disk.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from obs_run.files.shared_file import write_whole
from obs_run.process import descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDING = ".segment"

_MAGIC = b"obs-run segment\n"
_WAITING, _TRIED, _DONE = b"oRec", b"oTry", b"oEnd"
"""The first bytes of a record say how far it is: they are changed in place, and no checksum covers them."""
_STATES = (_WAITING, _TRIED, _DONE)
_HEAD = struct.Struct("<IIIdI")
"""Length, items, flags, time, checksum of the body; the checksum of these follows."""
_CHECKSUM = struct.Struct("<I")
_HEAD_SIZE = len(_WAITING) + _HEAD.size + _CHECKSUM.size
_LARGEST_RECORD = 64 << 20
_LOOK_AHEAD = 1 << 16
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class Head(NamedTuple):
    """Where a record is, and what is known of it without its body."""

    place: int
    length: int
    items: int
    flags: int
    time: float
    checksum: int
    is_tried: bool
    """Whether somebody began to work on it, and did not say what came of it."""


class Segment:
    """One open segment, made by ``create`` or ``claim``; ``OSError`` where the disk says no.

    It is locked for other processes until it is closed, or this process ends.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._identity = descriptors.identity(descriptor)
        self.size = 0

    @classmethod
    def create(cls, path: Path) -> Segment:
        """Make an empty segment, for its owner only."""
        # Under another name until it is locked: nobody takes it for one whose writer is gone.
        hidden = path.with_name(f".{path.name}")
        descriptor = descriptors.move_up(os.open(hidden, _OPEN | os.O_CREAT | os.O_EXCL, 0o600))
        segment = cls(path, descriptor)
        try:
            os.fchmod(descriptor, 0o600)  # the agent's umask may keep it from its owner, too
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_whole(descriptor, _MAGIC)
            hidden.rename(path)
        except OSError:
            segment.close()
            hidden.unlink()
            raise
        segment.size = len(_MAGIC)
        return segment

    @classmethod
    def claim(cls, path: Path) -> Segment | None:
        """Open a segment whose writer is gone; None if another process has it, or it is no file of this user's."""
        try:
            descriptor = os.open(path, _OPEN | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        segment = cls(path, descriptors.move_up(descriptor))
        try:
            fcntl.flock(segment._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(segment._descriptor)
        except OSError as error:
            segment.close()
            if isinstance(error, BlockingIOError):
                return None
            raise
        # It may have been finished and deleted by another process between the opening and the lock.
        if segment.is_there() and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            segment.size = found.st_size
            return segment
        segment.close()
        return None

    @classmethod
    def look_at(cls, path: Path) -> Segment | None:
        """Open a segment to read in it what waits, whoever has it; None if there is no file."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        segment = cls(path, descriptor)
        segment.size = os.fstat(descriptor).st_size
        return segment

    def is_open(self) -> bool:
        """Whether it is open: the agent may have closed the descriptor, and the lock with it."""
        return self._identity is not None and descriptors.identity(self._descriptor) == self._identity

    def is_there(self) -> bool:
        """Whether the file is still in its folder: people may delete it."""
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def append(self, body: bytes, items: int, flags: int, time: float, *, is_tried: bool = False) -> Head:
        """Write one record behind the others; where that fails nothing of it stays."""
        self._check()
        head = Head(self.size, len(body), items, flags, time, crc32(body), is_tried)
        packed = _HEAD.pack(head.length, items, flags, time, head.checksum)
        state = _TRIED if is_tried else _WAITING
        data = b"".join((state, packed, _CHECKSUM.pack(crc32(packed)), body))
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self.size + written)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)
        return head

    def heads(self) -> Iterator[Head | None]:
        """Yield the records that are not done, in their order; None for a place where something is damaged."""
        place = len(_MAGIC)
        if os.pread(self._descriptor, place, 0) != _MAGIC:
            yield None
            place = self._next_after(-1)
        while place < self.size:
            state, head = self._head_at(place)
            if head is None:
                yield None
                place = self._next_after(place)
            else:
                if state != _DONE:
                    yield head
                place += _HEAD_SIZE + head.length

    def read(self, head: Head) -> bytes | None:
        """Return the body of a record; None if it is damaged."""
        self._check()
        body = os.pread(self._descriptor, head.length, head.place + _HEAD_SIZE)
        return body if len(body) == head.length and crc32(body) == head.checksum else None

    def note_tried(self, head: Head) -> None:
        """Note that a record is being worked on."""
        self._note(head, _TRIED)

    def note_waiting(self, head: Head) -> None:
        """Note that nothing came of the work on a record."""
        self._note(head, _WAITING)

    def note_done(self, head: Head) -> None:
        """Note that a record is done: nobody reads it again."""
        self._note(head, _DONE)

    def delete(self) -> None:
        """Delete the file, and close it."""
        try:
            if self.is_there():
                self.path.unlink()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file; other processes may claim it."""
        if self.is_open():
            os.close(self._descriptor)
        self._descriptor, self._identity = -1, None

    def _check(self) -> None:
        if not self.is_open():
            raise OSError(errno.EBADF, "closed by the program", str(self.path))

    def _note(self, head: Head, state: bytes) -> None:
        self._check()
        os.pwrite(self._descriptor, state, head.place)

    def _head_at(self, place: int) -> tuple[bytes, Head | None]:
        data = os.pread(self._descriptor, _HEAD_SIZE, place)
        state, packed, checksum = data[: len(_WAITING)], data[len(_WAITING) : -_CHECKSUM.size], data[-_CHECKSUM.size :]
        if len(data) < _HEAD_SIZE or state not in _STATES or checksum != _CHECKSUM.pack(crc32(packed)):
            return state, None
        length, items, flags, time, of_body = _HEAD.unpack(packed)
        if length > _LARGEST_RECORD:
            return state, None
        return state, Head(place, length, items, flags, time, of_body, state == _TRIED)

    def _next_after(self, place: int) -> int:
        """Return the next place that looks like a record behind something damaged, the end if there is none."""
        place += 1
        while place < self.size:
            data = os.pread(self._descriptor, _LOOK_AHEAD, place)
            found = [index for index in map(data.find, _STATES) if index >= 0]
            if found:
                return place + min(found)
            if len(data) < _LOOK_AHEAD:
                break
            place += _LOOK_AHEAD - len(_WAITING) + 1
        return self.size


def is_locked(path: Path) -> bool:
    """Whether a running process has the segment at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
