"""New files in a folder, told of by the system as they come; where it does not tell, one looks now and then."""

from __future__ import annotations

import ctypes
import os
import select
from contextlib import suppress

from obs_run.process.unpatched import sleep

_MOVED_TO = 0x80
_CREATE = 0x100
_PIECE = 65536


class Arrivals:
    """Waits for files that get their names in ``path``."""

    def __init__(self, path: str) -> None:
        self._descriptor = _watch(path)

    def wait(self, seconds: float) -> None:
        """Wait for a new file, at most for ``seconds``."""
        if self._descriptor is None:
            sleep(seconds)
            return
        readable, _, _ = select.select([self._descriptor], [], [], seconds)
        if readable:
            with suppress(OSError):
                os.read(self._descriptor, _PIECE)


def _watch(path: str) -> int | None:
    """Return the descriptor of an inotify instance; None where there can be none."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        descriptor: int = library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, AttributeError):
        return None
    if descriptor < 0:
        return None
    if library.inotify_add_watch(descriptor, os.fsencode(path), _MOVED_TO | _CREATE) < 0:
        os.close(descriptor)
        return None
    return descriptor
