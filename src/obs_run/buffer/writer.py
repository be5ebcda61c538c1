"""The agent's side of a buffer: a record is one copy into memory, which neither a lock nor a crash can hold up.

``mmap.write`` looks for room, copies and advances in one call of C, so threads, signal handlers and ``kill -9`` find
records whole. Only where a segment is full is there a lock.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from mmap import mmap
from struct import pack
from typing import TYPE_CHECKING, Any
from zlib import crc32

from obs_run.base import guard
from obs_run.buffer import segment
from obs_run.process import descriptors
from obs_run.process.unpatched import RLock, get_ident, getpid, monotonic, urandom

if TYPE_CHECKING:
    from collections.abc import Callable

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LEAST_FREE = 0.1
"""The share of the memory folder that is left to others."""
_START_TIME_FIELD = 19
"""Of ``/proc/<pid>/stat``, counted from behind the name."""


_RESERVE = 8
"""The part of the buffer that is left to what must not be lost: one of so many."""
_LOOK_SECONDS = 0.05
"""How often a full buffer is looked at for room."""


class NoRoomError(OSError):
    """There may be no further segment."""


class Writer:
    """Writes the records of this process into a buffer in ``folder`` that holds at most ``most_bytes``.

    ``opening`` returns the record that a buffer begins with, ``describe_lost`` the one that says how many were lost.
    """

    def __init__(
        self, folder: str, most_bytes: int, opening: Callable[[], bytes], describe_lost: Callable[[int], bytes]
    ) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._opening = opening
        self._describe_lost = describe_lost
        self._begin()

    def _begin(self) -> None:
        self._pid = getpid()
        self._buffer = f"{self._pid}-{urandom(8).hex()}"
        self._number = 0
        self._mapping: _Mapping | None = None
        self._write: Callable[[bytes], object] = _is_full
        self._sealed: deque[tuple[str, int]] = deque()
        """The segments that the relay had not read to their end when they were last looked at, with their sizes."""
        self._room_lock = RLock()
        self._deferred: deque[bytes] = deque()
        self._inside = 0
        """The thread that is at work on the next segment."""
        self.is_used = False
        self.lost = 0
        """How many records found no room, and have not been told of."""
        self._is_full = False
        self._look_at = 0.0

    def has_room(self) -> bool:
        """Whether what begins now may be written; where it may not, it is to be left out as a whole."""
        return not self._is_full or self._look_for_room()

    def _look_for_room(self) -> bool:
        now = monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK_SECONDS
        with self._room_lock:
            try:
                self._check_room(segment.SIZE, is_vital=False)
            except OSError as error:
                guard.pass_on_thrown_in(error)
                return False
            self._is_full = False
        return True

    def count_lost(self, number: int = 1) -> None:
        """Count what was left out because there was no room."""
        self.lost += number

    def put(self, payload: bytes, *, is_vital: bool = True) -> None:
        """Write one record; what is not vital leaves a part of the buffer to what is."""
        if getpid() != self._pid:
            # A fork that Python knows nothing of: both would write at one place.
            self.after_fork()
        data = pack("<II", len(payload), crc32(payload)) + payload  # not by a call: each costs the agent time
        try:
            self._write(data)
        except ValueError as error:
            # Signal handlers of the agent may raise this here, too.
            guard.pass_on_thrown_in(error)
            self._put_in_next(data, is_vital=is_vital)

    def _put_in_next(self, data: bytes, *, is_vital: bool) -> None:
        if self._inside == get_ident():
            # A handler that interrupted this very function: whoever was interrupted writes it.
            self._deferred.append(data)
            return
        with self._room_lock:
            try:
                self._inside = get_ident()
                self._write_or_rotate(data, is_vital=is_vital)
                while self._deferred:
                    self._write_or_rotate(self._deferred.popleft(), is_vital=True)
            finally:
                self._inside = 0

    def _write_or_rotate(self, data: bytes, *, is_vital: bool) -> None:
        try:
            self._write(data)
        except ValueError as full:
            guard.pass_on_thrown_in(full)
            try:
                self._rotate(data, is_vital=is_vital)
            except OSError as error:
                guard.pass_on_thrown_in(error)
                self._is_full = True
                self.lost += 1
                self._say(error)

    def tell_lost(self) -> None:
        """Write how many were lost, where there is room for that."""
        with self._room_lock:
            lost, self.lost = self.lost, 0
            if lost:
                self.put(self._describe_lost(lost))

    def _say(self, error: OSError) -> None:
        if not isinstance(error, NoRoomError):
            guard.warn_once(f"obs-run: telemetry finds no room in memory and is dropped: {error.strerror or error}")

    def _rotate(self, data: bytes, *, is_vital: bool) -> None:
        """Go on in a new segment, of which ``data`` has a place before other threads can fill it."""
        opening = _framed(self._opening()) if self._number == 0 else b""
        lost = self.lost
        if lost:
            opening += _framed(self._describe_lost(lost))
        size = max(segment.SIZE, segment.HEAD_SIZE + len(opening) + len(data))
        self._check_room(size, is_vital=is_vital)
        path = os.path.join(self._folder, segment.name_of(self._buffer, self._number))
        mapping = _Mapping(path, size)
        head = segment.HEAD.pack(segment.MAGIC, self._pid, self._number, size, segment.OPEN, _started())
        mapping.memory.write(head.ljust(segment.HEAD_SIZE, b"\0") + opening + data)
        os.rename(mapping.temporary_path, path)
        before, self._mapping = self._mapping, mapping
        self._write = mapping.memory.write
        self._number += 1
        self.lost -= lost
        self.is_used = True
        if before is not None:
            self._seal(before)

    def _seal(self, mapping: _Mapping) -> None:
        # Who has fetched its ``write`` just before finds it full, and comes by the next one.
        mapping.memory.seek(0, os.SEEK_END)
        mapping.memory[segment.STATE_OFFSET : segment.STATE_OFFSET + 1] = bytes([segment.SEALED])
        self._sealed.append((mapping.path, mapping.size))
        mapping.release()

    def _check_room(self, size: int, *, is_vital: bool) -> None:
        """Raise ``NoRoomError`` where a segment of this size would be one too many."""
        most_bytes = self._most_bytes if is_vital else self._most_bytes - self._most_bytes // _RESERVE
        while self._sealed and not _is_there(self._sealed[0][0]):
            self._sealed.popleft()
        current = 0 if self._mapping is None else self._mapping.size
        if size > segment.LARGEST or sum(each for _, each in self._sealed) + current + size > most_bytes:
            raise NoRoomError("full")
        found = os.statvfs(self._folder)
        if found.f_bavail * found.f_frsize - size < found.f_blocks * found.f_frsize * _LEAST_FREE:
            raise NoRoomError("no memory")

    def after_fork(self) -> None:
        """In a child: begin a buffer of its own; what is in this one is the parent's."""
        mapping = self._mapping
        self._begin()
        if mapping is not None:
            mapping.release()


def _framed(payload: bytes) -> bytes:
    return pack("<II", len(payload), crc32(payload)) + payload


def _is_full(_: bytes) -> object:
    """Stand for the ``write`` of a segment that is not there yet."""
    raise ValueError


class _Mapping:
    """A segment's file, allocated and mapped; it takes its name when it can be read."""

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.temporary_path = f"{path}{segment.NEW}"
        self.size = size
        if _is_there(self.temporary_path):
            # Left by an exception that a signal handler raised here.
            os.unlink(self.temporary_path)
        descriptor = os.open(self.temporary_path, _CREATE, 0o600)
        # Freed by the next line, and taken by the hidden copy that a mapping keeps of its descriptor.
        self._likely_number = descriptor
        descriptor = descriptors.move_up(descriptor)
        try:
            os.posix_fallocate(descriptor, 0, size)
            self.memory = _map(descriptor, size)
            self._identity = _identity(descriptor)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Let go of the memory, unless its hidden descriptor may be the agent's by now, who closed all there was."""
        if not _HAS_NO_COPY and _identity(self._likely_number) != self._identity:
            _kept.append(self.memory)


_kept: list[Any] = []
"""Mappings whose end would close a descriptor that may be somebody else's."""
_HAS_NO_COPY = sys.version_info >= (3, 13)


def _map(descriptor: int, size: int) -> mmap:
    try:
        mapped = mmap(descriptor, size, trackfd=False)  # type: ignore[call-arg]
    except TypeError:  # before Python 3.13
        return mmap(descriptor, size)
    return mapped


# The standard library's own look would take what a signal handler raises for "it is not there".
def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _identity(descriptor: int) -> tuple[int, int] | None:
    """Return what a descriptor leads to, None if it is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError as error:
        guard.pass_on_thrown_in(error)
        return None
    return found.st_dev, found.st_ino


def _started() -> int:
    """Return when this process began, which tells it from a later one of the same number."""
    try:
        with open("/proc/self/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[_START_TIME_FIELD])
    except (OSError, ValueError, IndexError) as error:
        guard.pass_on_thrown_in(error)
        return 0
