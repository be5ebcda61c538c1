"""The end of a thread that forked, which in the child is the end of its process: nothing else of Python tells of it.

The child of a fork in the main thread leaves by the interpreter's end. That of another thread has only this one, and is
gone with it, unless a thread of ours goes on.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from obs_run.base import guard
from obs_run.process import unpatched

if TYPE_CHECKING:
    from collections.abc import Callable

_of_thread = unpatched.local()


class _End:
    """Is freed with the thread that it is kept for."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback: Callable[[], object] | None = callback

    def forget(self) -> None:
        """Call nothing."""
        self._callback = None

    def __del__(self) -> None:
        # At the interpreter's end everything was done before.
        if self._callback is not None and not sys.is_finalizing() and not _others_go_on():
            guard.call("end of a thread", self._callback)


def watch_end(callback: Callable[[], object]) -> None:
    """Have ``callback`` called as the current thread ends, if it is the last one of the agent's."""
    # The one before is let go of in silence: this is its process no more.
    before = getattr(_of_thread, "end", None)
    if before is not None:
        before.forget()
    _of_thread.end = _End(callback)


def _others_go_on() -> bool:
    mine = unpatched.get_ident()
    return any(thread.ident != mine and thread.is_alive() for thread in threading.enumerate())
