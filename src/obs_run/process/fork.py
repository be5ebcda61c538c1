"""Forks wait until no other thread is importing: the child would inherit that import's lock, held for ever.

Plain Python has this fault too, but seldom: obs-run makes it likely, because it loads its parts at their first use,
which may be in any thread, and loads more in the child.
"""

from __future__ import annotations

import _frozen_importlib
import _imp
import _thread
import os
import sys
from time import monotonic, sleep

from obs_run.process import fork_locks, run

_LONGEST = 1.0  # seconds that one fork may wait
_given_up: set[str] = set()
_held = False


def install() -> None:
    """Watch the forks of this process; our hook is the last to run, being the first that is registered."""
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
    os.register_at_fork(
        before=run.before_fork, after_in_parent=run.after_fork_in_parent, after_in_child=run.after_fork_in_child
    )


def _before() -> None:
    fork_locks.begin()
    _end_imports()
    fork_locks.complete()


def _end_imports() -> None:
    """Wait for the imports of other threads, then hold the lock without which none can begin."""
    global _held
    if not _thread._count():  # noqa: SLF001 (what `threading` knows is not all)
        return
    deadline = monotonic() + _LONGEST
    while True:
        _imp.acquire_lock()
        names = _imported_elsewhere()
        _given_up.intersection_update(names)
        if names <= _given_up:
            _held = True
            return
        _imp.release_lock()
        if monotonic() > deadline:
            # An import without end, such as of a module that serves: it shall delay only this one fork.
            _given_up.update(names)
            return
        sleep(0.001)


def _after() -> None:
    global _held
    if _held:
        _held = False
        _imp.release_lock()


def _after_in_child() -> None:
    """Forget the imports that another thread was in the midst of: nobody will end them here."""
    _after()
    for name in _imported_elsewhere():
        _frozen_importlib._module_locks.pop(name, None)  # type: ignore[attr-defined]  # noqa: SLF001 (no public way)
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if getattr(spec, "_initializing", False):
            # Half a module; the child's own import begins it anew.
            del sys.modules[name]
    _given_up.clear()


def _imported_elsewhere() -> set[str]:
    """Return the modules whose locks other threads hold, wait for, or are about to take."""
    me = _thread.get_ident()
    names = set()
    for name, reference in tuple(getattr(_frozen_importlib, "_module_locks", {}).items()):
        lock = reference()
        if lock is not None and getattr(lock, "owner", me) != me:
            names.add(name)
    return names
