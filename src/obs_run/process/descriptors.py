"""Descriptors of ours: out of the way of the agent's numbers, and known again after it closed all that it found.

Who becomes a daemon closes every descriptor, and gives the numbers to files of its own. So ours are looked at before
they are used or closed, and have numbers that few programs come to.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.process.unpatched import close, fstat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Identity = tuple[int, int]
"""Device and inode."""

_FLOOR = 200
_LEAST_LIMIT = 1024
_LISTS = ("/proc/self/fd", "/dev/fd")


def identity(descriptor: int) -> Identity | None:
    """Return what a descriptor leads to, None if it is closed."""
    try:
        found = fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def load() -> None:
    """Import what ``move_up`` imports at its first call."""
    with suppress(ImportError):
        import fcntl  # noqa: F401
        import resource  # noqa: F401


def move_up(descriptor: int) -> int:
    """Return a descriptor for the same with a high number, and close the one given; the same if there is no room."""
    if not _has_room():
        return descriptor
    import fcntl

    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FLOOR)
    except OSError as error:
        guard.pass_on_thrown_in(error)
        return descriptor
    close(descriptor)
    return moved


@contextmanager
def high_numbers() -> Iterator[None]:
    """Have what is opened meanwhile by other people's code, such as SQLite's, get high numbers."""
    taken: list[int] = []
    try:
        if _has_room():
            taken.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            while taken[-1] < _FLOOR:
                taken.append(os.dup(taken[0]))
        yield
    finally:
        for descriptor in taken:
            close(descriptor)


def opened(files: Iterable[str]) -> dict[int, Identity]:
    """Return the descriptors of this process that lead to these files."""
    wanted = set()
    for file in files:
        try:
            found = os.stat(file)
        except OSError:
            continue
        wanted.add((found.st_dev, found.st_ino))
    leading: dict[int, Identity] = {}
    for descriptor in _all():
        known = identity(descriptor)
        if known is not None and known in wanted:
            leading[descriptor] = known
    return leading


def keep_forever(thing: Any) -> None:
    """Have an object never freed, not at the interpreter's end either: it would close what is somebody else's."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _all() -> list[int]:
    for folder in _LISTS:
        try:
            return [int(name) for name in os.listdir(folder)]
        except OSError:  # noqa: PERF203 (the first is there nearly everywhere)
            continue
    return []


def _has_room() -> bool:
    try:
        import resource
    except ImportError:
        return False
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= _LEAST_LIMIT
