"""Exclusive use of a file among threads, processes and forks, and files that whole lines are appended to that way.

The lock is ``flock`` on a hidden file beside (``.<name>.lock``), which outlives every renaming of the file itself.
A process that was stopped while it held the lock must not stop the others: the wait for it has an end.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from obs_run.base import guard
from obs_run.process import descriptors, fork
from obs_run.process.unpatched import RLock, getpid, time

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_PATIENCE, _LITTLE_PATIENCE = 10.0, 0.01
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.00005, 0.002
_TRIES = 100
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_NOTHING = (-1, -1)

Identity = tuple[int, int]
"""Device and inode."""


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it, each for its owner only; what exists stays as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def open_file(path: Path, flags: int = 0) -> int:
    """Open the regular file at ``path`` for reading and writing, made for its owner only; return its descriptor.

    A symbolic link is followed only in folders that nobody but their owner may write to.
    """
    _refuse_other_kinds(path)
    make_folder(path.parent)
    if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        flags |= os.O_NOFOLLOW
    descriptor = descriptors.move_up(os.open(path, _OPEN | flags, 0o600))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _wrong_kind(path)
    return descriptor


def _refuse_other_kinds(path: Path) -> None:
    """Raise for a device, a pipe or a folder: to open one may do something, and nothing is put beside it."""
    try:
        found = os.stat(path)  # noqa: PTH116 (pathlib takes twice as long)
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise _wrong_kind(path)


def _wrong_kind(path: Path) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", str(path))


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; an ``OSError`` may leave a part of it."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


class FileLock:
    """Keeps everyone else away from the file at ``path`` for the length of a ``with`` block.

    Entering raises ``OSError`` where the lock cannot be had: ``TimeoutError`` after ten seconds, and at once after
    such a wait until it was to be had again. Whoever may be called by a signal handler asks ``mine`` first.
    """

    def __init__(self, path: Path) -> None:
        self._locked = path
        self.path = path.with_name(f".{path.name}.lock")
        self._name = str(self.path)
        self.descriptor = -1
        self._identity: Identity = _NOTHING
        self._pid = 0
        self._patience = _PATIENCE
        self._threads = RLock()
        _locks.add(self)

    def mine(self) -> bool:
        """Whether the caller interrupted this thread, or was called by it, inside of the block."""
        return self._threads._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 (what Condition uses)

    def __enter__(self) -> None:
        """Take the lock."""
        threads = self._threads
        if not threads.acquire(timeout=self._patience):
            raise self._busy("thread")
        try:
            self._take()
        except BaseException:
            threads.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the lock."""
        if self.descriptor >= 0 and self._pid == getpid():
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        # After a fork inside of the block the child has a new lock, which it does not hold.
        if self.mine():
            self._threads.release()

    def _take(self) -> None:
        for _ in range(_TRIES):
            if self._pid != getpid():
                # An inherited descriptor shares the lock with the parent's.
                self.forget()
            if self.descriptor >= 0 and descriptors.identity(self.descriptor) != self._identity:
                # The agent closed it, and may have taken the number for a file of its own.
                self.forget()
            if self.descriptor < 0:
                self._open()
            self._wait()
            try:
                found = os.stat(self._name)  # noqa: PTH116 (each line comes by here)
            except FileNotFoundError:
                found = None
            if found is not None and (found.st_dev, found.st_ino) == self._identity:
                return
            # Deleted meanwhile: others lock another file.
            self.forget()
        raise OSError(errno.ESTALE, "the lock file is deleted again and again", self._name)

    def _open(self) -> None:
        _refuse_other_kinds(self._locked)
        make_folder(self.path.parent)
        self.descriptor = descriptors.move_up(os.open(self._name, _OPEN | os.O_NOFOLLOW, 0o600))
        self._pid = getpid()
        status = os.fstat(self.descriptor)
        self._identity = status.st_dev, status.st_ino

    def _wait(self) -> None:
        pause, deadline = _SHORTEST_PAUSE, 0.0
        while True:
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # noqa: PERF203 (asked again is the exception)
                now = time.monotonic()
                deadline = deadline or now + self._patience
                if now > deadline:
                    raise self._busy("process") from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._patience = _PATIENCE
                return

    def _busy(self, what: str) -> TimeoutError:
        self._patience = _LITTLE_PATIENCE
        return TimeoutError(errno.ETIMEDOUT, f"another {what} keeps it locked", self._name)

    def forget(self) -> None:
        """Close the lock file; the next use opens it again."""
        descriptor, self.descriptor = self.descriptor, -1
        known, self._identity = self._identity, _NOTHING
        if descriptor >= 0 and descriptors.identity(descriptor) == known:
            os.close(descriptor)

    def after_fork(self) -> None:
        """In a child: let go of the parent's lock, which this process would hold on to when the parent is killed."""
        self._threads = RLock()
        self.forget()

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close the lock file, unless everything ends and modules may be gone already."""
        if not ending():
            self.forget()


class WarnUntilRecovered:
    """Warns once that a path refuses, and again only after it has worked meanwhile."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._has_warned = False

    def warn(self, error: OSError) -> None:
        """Write the warning line."""
        if not self._has_warned:
            self._has_warned = True
            guard.warn(f"{self._what}: {error.strerror or error}")

    def recovered(self) -> None:
        """Note that it works."""
        self._has_warned = False


class SharedFile:
    """A file that lines are appended to, exclusively, from any thread, process and fork.

    Nothing is buffered: what ``write`` has accepted outlives the process. It is not synchronised to the disk.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = _absolute(path)
        self._name = str(self.path)
        self._descriptor = -1
        self._identity: Identity = _NOTHING
        self._end = -1
        self._lock = FileLock(self.path)
        self._later: deque[bytes] = deque()
        self._write_warning = WarnUntilRecovered(f"{self.path} cannot be written, lines are lost")
        _files.add(self)

    def write(self, line: bytes) -> bool:
        """Append ``line``, whole and with its newline; False, after one warning, when it could not be written.

        A call that comes amid another one of the same thread (a signal handler, a finalizer) answers True, and its
        line is written by that other one.
        """
        if self._lock.mine():
            self._later.append(line)
            return True
        written = self._write(line)
        while self._later:
            self._write_later()
        return written

    def close(self) -> None:
        """Close what is open; the next line opens it again."""
        self._close()
        self._lock.forget()

    def after_fork(self) -> None:
        """In a child: what waits is the parent's to write."""
        self._later.clear()

    def _write_later(self) -> None:
        try:
            line = self._later.popleft()
        except IndexError:  # another thread was faster
            return
        self._write(line)

    def _write(self, line: bytes) -> bool:
        try:
            with self._lock:
                self._append(line)
        except OSError as error:
            # Outside of the lock: the warning may come back as a line of this very file.
            self._write_warning.warn(error)
            return False
        self._write_warning.recovered()
        return True

    def _append(self, line: bytes) -> None:
        size = self._ready(len(line))
        if size not in (self._end, 0) and os.pread(self._descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # after the half line of a writer that was killed
        try:
            write_whole(self._descriptor, line)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise
        self._end = size + len(line)

    def _ready(self, length: int) -> int:  # noqa: ARG002 (for those who rotate)
        """Have the file at the path open, and return its size; ``length`` bytes are about to be written."""
        try:
            found = os.stat(self._name)  # noqa: PTH116 (each line comes by here)
        except FileNotFoundError:
            found = None
        is_same = found is not None and (found.st_dev, found.st_ino) == self._identity
        if found is None or not is_same or descriptors.identity(self._descriptor) != self._identity:
            found = self._open()
        return found.st_size

    def _open(self) -> os.stat_result:
        self._close()
        self._descriptor = open_file(self.path, os.O_APPEND)
        found = os.fstat(self._descriptor)
        self._identity = found.st_dev, found.st_ino
        return found

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        known = self._identity
        self._identity, self._end = _NOTHING, -1
        if descriptor >= 0 and descriptors.identity(descriptor) == known:
            os.close(descriptor)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close the file, as the lock does."""
        if hasattr(self, "_descriptor") and not ending():
            self._close()


def _absolute(path: Path | str) -> Path:
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100 (pathlib's resolve() follows links)
    except OSError:  # the working directory is gone
        return Path(path)


_locks: WeakSet[FileLock] = WeakSet()
_files: WeakSet[SharedFile] = WeakSet()


def _after_fork_in_child() -> None:
    for lock in tuple(_locks):
        guard.call("lock file after a fork", lock.after_fork)
    for file in tuple(_files):
        guard.call("shared file after a fork", file.after_fork)


fork.register(fork.FILES, "shared files", in_child=_after_fork_in_child)
