"""Locks of modules that another thread loads while a fork has begun: their hooks would run for its second half only.

The standard library's modules take a lock before a fork and release it after. Loaded in between, by the set-up that a
fork waits for, they release what nobody took, and Python prints that.
"""

from __future__ import annotations

import sys

_LOCKS = {"concurrent.futures.thread": "_global_shutdown_lock", "logging": "_lock"}
_absent: list[str] | None = None


def begin() -> None:
    """Note what is not loaded yet; the first call of a fork counts."""
    global _absent
    if _absent is None:
        _absent = [name for name in _LOCKS if name not in sys.modules]


def complete() -> None:
    """Take the locks of what was loaded meanwhile, as its own hooks would have; nothing is loaded after this."""
    global _absent
    for name in _absent or ():
        lock = getattr(sys.modules.get(name), _LOCKS[name], None)
        if lock is not None:
            lock.acquire()
    _absent = None
