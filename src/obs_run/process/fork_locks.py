"""Locks of modules that another thread loads while a fork has begun: their hooks would run for its second half only.

The standard library's modules take a lock before a fork and release it after. Loaded in between, by the set-up that a
fork waits for, they release what nobody took, and Python prints that.
"""

from __future__ import annotations

import sys

_LOCKS = {"concurrent.futures.thread": "_global_shutdown_lock", "logging": "_lock"}
_absent: dict[str, bool] = {}
"""The modules that were not loaded when the fork began; empty between forks."""


def begin() -> None:
    """Note what is not loaded yet; the first call of a fork counts."""
    if not _absent:
        _absent.update({name: name not in sys.modules for name in _LOCKS})


def complete() -> None:
    """Take the locks of what was loaded meanwhile, as its own hooks would have; nothing is loaded after this."""
    for name in [name for name, is_absent in _absent.items() if is_absent]:
        lock = getattr(sys.modules.get(name), _LOCKS[name], None)
        if lock is not None:
            lock.acquire()
    _absent.clear()
