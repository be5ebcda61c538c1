"""The relay's side of a buffer: its records in their order, as far as they are whole.

A file is read and not mapped: who shortens it makes a short read, where a mapping would be the end of the reader.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from zlib import crc32

from obs_run.buffer import segment

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_PIECE = 256 * 1024


class DamagedError(OSError):
    """A file that is no segment of ours, or one whose records lie about their length."""


class SegmentReader:
    """Reads one segment from ``offset`` on; ``OSError`` where it cannot be opened."""

    def __init__(self, path: str, offset: int = segment.HEAD_SIZE) -> None:
        self.path = path
        self.offset = offset
        """Where the next record begins."""
        self._descriptor = os.open(path, _OPEN)
        try:
            self.head = self._read_head()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _read_head(self) -> segment.Head:
        found = os.fstat(self._descriptor)
        head = None
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            head = segment.read_head(os.pread(self._descriptor, segment.HEAD_SIZE, 0))
        if head is None:
            raise DamagedError("not a segment of a buffer")
        return head

    def records(self, most_bytes: int) -> Iterator[tuple[int, bytes]]:
        """Yield where records begin and what they hold, until one is not there (yet) or ``most_bytes`` were read."""
        end = self.offset + most_bytes
        while self.offset < end:
            piece = os.pread(self._descriptor, _PIECE, self.offset)
            used = 0
            for place, payload in _whole_records(piece):
                begin, used = self.offset, place
                self.offset += segment.RECORD_HEAD.size + len(payload)
                yield begin, payload
            if used:
                continue
            whole = self._large_record(piece)
            if whole is None:
                return
            begin = self.offset
            self.offset += segment.RECORD_HEAD.size + len(whole)
            yield begin, whole

    def _large_record(self, piece: bytes) -> bytes | None:
        """Return the record at the offset where it is larger than a piece; None where it is not there (yet)."""
        if len(piece) < _PIECE:
            return None
        length, checksum = segment.RECORD_HEAD.unpack_from(piece)
        if not 0 < length <= self.head.size:
            return None
        payload = os.pread(self._descriptor, length, self.offset + segment.RECORD_HEAD.size)
        return payload if len(payload) == length and crc32(payload) == checksum else None

    def is_sealed(self) -> bool:
        """Whether nobody writes into this segment any more."""
        state = os.pread(self._descriptor, 4, segment.STATE_OFFSET)
        return state[:1] == bytes([segment.SEALED])

    def close(self) -> None:
        """Let go of the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _whole_records(piece: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records that are whole in a piece, with where each ends."""
    place = 0
    while place + segment.RECORD_HEAD.size <= len(piece):
        length, checksum = segment.RECORD_HEAD.unpack_from(piece, place)
        begin = place + segment.RECORD_HEAD.size
        payload = piece[begin : begin + length]
        if not length or len(payload) < length or crc32(payload) != checksum:
            return
        place = begin + length
        yield place, payload
