"""How another process ends: seen by its pidfd, whoever its parent is."""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import signal
import struct
from pathlib import Path
from typing import NamedTuple

_GET_INFO = struct.Struct("<QQ11Ii")
"""``struct pidfd_info`` of Linux 6.15: mask, cgroup, ids, and the exit status as ``wait`` returns it."""
_GET_INFO_REQUEST = 0xC0000000 | (_GET_INFO.size << 16) | (0xFF << 8) | 11
"""``PIDFD_GET_INFO``: ``_IOWR(0xFF, 11, struct pidfd_info)``."""
_HAS_EXIT_STATUS = 1 << 3
_STARTED_FIELD, _STATUS_FIELD = 19, 49
"""Of ``/proc/<pid>/stat``, counted from behind the name."""
NOTED = ".end"
"""What the name of a note ends with."""
_STOPPING = frozenset((signal.SIGTERM, signal.SIGHUP, signal.SIGINT))


class End(NamedTuple):
    """How a process ended; both are None where nothing tells."""

    exit_code: int | None = None
    signal: int | None = None

    def describe(self) -> str:
        """Return the end in a word: a signal's name, "exit", or "unknown"."""
        if self.signal is not None:
            return _name_of(self.signal)
        return "unknown" if self.exit_code is None else "exit"

    def is_known(self) -> bool:
        """Whether anything tells how the process ended."""
        return self.exit_code is not None or self.signal is not None

    def is_failure(self) -> bool:
        """Whether the process failed: to be stopped is how a service ends that does well."""
        if self.signal is not None:
            return self.signal not in _STOPPING
        return bool(self.exit_code)


class WatchedProcess:
    """A process that is alive or has just ended; ``started`` tells it from a later one of the same number."""

    def __init__(self, pid: int, started: int) -> None:
        self._pid = pid
        self._descriptor = -1
        self.started = started
        self.end: End | None = None
        try:
            self._descriptor = os.pidfd_open(pid)
        except OSError:
            self.end = End()
            return
        fields = _stat_fields(pid)
        if fields is not None:
            self.started = int(fields[_STARTED_FIELD])
        if started and (fields is None or self.started != started):
            self._close(End())

    def look(self) -> End | None:
        """Return how the process ended, None while it lives."""
        if self.end is None and self._is_over():
            end = self._end()
            if end is not None:
                self._close(end)
        return self.end

    def _is_over(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def _end(self) -> End | None:
        status = self._status_by_descriptor()
        if status is None:
            # Not yet waited for by its parent, or a system that does not tell.
            status = self._status_of_zombie()
        if status is None:
            return End()
        if os.WIFSIGNALED(status):
            return End(signal=os.WTERMSIG(status))
        return End(exit_code=os.WEXITSTATUS(status))

    def _status_by_descriptor(self) -> int | None:
        asked = bytearray(_GET_INFO.size)
        struct.pack_into("<Q", asked, 0, _HAS_EXIT_STATUS)
        try:
            fcntl.ioctl(self._descriptor, _GET_INFO_REQUEST, asked)
        except OSError:
            return None
        mask, *_, status = _GET_INFO.unpack(asked)
        return int(status) if mask & _HAS_EXIT_STATUS else None

    def _status_of_zombie(self) -> int | None:
        fields = _stat_fields(self._pid)
        if fields is None or fields[0] not in (b"Z", b"X") or len(fields) <= _STATUS_FIELD:
            return None
        return int(fields[_STATUS_FIELD])

    def _close(self, end: End) -> None:
        self.end = end
        self.close()

    def close(self) -> None:
        """Let go of the process."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def write_note(folder: str, pid: int, started: int, end: End) -> None:
    """Leave a note of how a process ended for whoever comes to know it only now."""
    path = _note(folder, pid, started)
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        marshal.dump(tuple(end), file, 2)
    os.rename(temporary, path)


def pid_of_note(name: str) -> str:
    """Return the number of the process that a note is about."""
    return name.partition("-")[0]


def _note(folder: str, pid: int, started: int) -> str:
    return os.path.join(folder, f"{pid}-{started}{NOTED}")


def take_note(folder: str, pid: int, started: int) -> End | None:
    """Return what the note says, once; None where there is none."""
    path = _note(folder, pid, started)
    try:
        with open(path, "rb") as file:
            end = End(*marshal.load(file))  # noqa: S302 (of a folder of this user's alone)
        os.unlink(path)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return end


def _stat_fields(pid: int) -> list[bytes] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
