"""The format of a buffer: segments, a file each, of records with their length and checksum.

A buffer is named ``<pid>-<random>`` and its segments ``<buffer>.<number>``, from 0 without a gap. A segment is
allocated before it is used, so that a full folder is an error and never a SIGBUS, and takes its name when it can be
read. No length is kept of what is written: only the last record can be torn, and its checksum tells.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

MAGIC = b"OBSRUN01"
"""Of the layout of segments and records; changes with either."""
HEAD = Struct("<8sIIIIQ")
"""Magic, pid, number, size, state, and when the process began in ticks since the machine's start."""
HEAD_SIZE = 64
STATE_OFFSET = 20
OPEN, SEALED = 0, 1
RECORD_HEAD = Struct("<II")
"""Length and CRC-32 of the bytes that follow."""
NEW = ".new"
"""What the name of a file ends with that is to be a segment."""
SIZE = 256 * 1024
LARGEST = 64 << 20


class Head(NamedTuple):
    """What the beginning of a segment says."""

    pid: int
    number: int
    size: int
    state: int
    started: int


def name_of(buffer: str, number: int) -> str:
    """Return the file name of a segment."""
    return f"{buffer}.{number}"


def parse_name(name: str) -> tuple[str, int] | None:
    """Return buffer and number of a segment's file name, None of any other name."""
    buffer, _, number = name.rpartition(".")
    pid, _, unique = buffer.partition("-")
    if not (pid.isdecimal() and unique.isalnum() and number.isdecimal() and name.isascii()):
        return None
    return buffer, int(number)


def parse_temporary_name(name: str) -> int | None:
    """Return the pid in the name of a segment that is not there yet, None of any other name."""
    if not name.endswith(NEW) or parse_name(name.removesuffix(NEW)) is None:
        return None
    return int(name.partition("-")[0])


def read_head(data: bytes) -> Head | None:
    """Return what the first bytes of a file say; None where it is no segment of ours."""
    if len(data) < HEAD_SIZE:
        return None
    magic, *rest = HEAD.unpack_from(data)
    head = Head(*rest)
    is_valid = magic == MAGIC and HEAD_SIZE <= head.size <= LARGEST + SIZE and head.state in (OPEN, SEALED)
    return head if is_valid else None
