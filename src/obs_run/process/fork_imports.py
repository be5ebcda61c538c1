"""Imports of other threads, which a fork waits for, and locks of what is loaded while a fork has begun.

The child would inherit an import's lock, held for ever. Plain Python has this fault too, but seldom: obs-run makes it
likely, because it loads its parts at their first use, which may be in any thread, and loads more in the child.
"""

from __future__ import annotations

import _frozen_importlib
import _imp
import _thread
import sys

from obs_run.process.unpatched import monotonic, sleep

_LONGEST = 1.0  # seconds that one fork may wait

# The standard library's modules take a lock before a fork and release it after. Loaded in between, by the set-up that a
# fork waits for, they release what nobody took, and Python prints that.
_LOCKS = {"concurrent.futures.thread": "_global_shutdown_lock", "logging": "_lock"}


class ForkImports:
    """What is known of imports around the fork that is going on; loaded with the first."""

    def __init__(self) -> None:
        self._holds_import_lock = False
        self._given_up: set[str] = set()
        self._absent: dict[str, bool] = {}
        """The modules with locks that were not loaded when the fork began; empty between forks."""

    def note_absent(self) -> None:
        """Note what is not loaded yet; the first call of a fork counts."""
        if not self._absent:
            self._absent.update({name: name not in sys.modules for name in _LOCKS})

    def take_locks(self) -> None:
        """Take the locks of what was loaded meanwhile, as its own hooks would have; nothing is loaded after this."""
        for name in [name for name, is_absent in self._absent.items() if is_absent]:
            lock = getattr(sys.modules.get(name), _LOCKS[name], None)
            if lock is not None:
                lock.acquire()
        self._absent.clear()

    def end(self) -> None:
        """Wait for the imports of other threads, then hold the lock without which none can begin."""
        if not _thread._count():  # noqa: SLF001 (what `threading` knows is not all)
            return
        deadline = monotonic() + _LONGEST
        while True:
            _imp.acquire_lock()
            names = _imported_elsewhere()
            self._given_up.intersection_update(names)
            if names <= self._given_up:
                self._holds_import_lock = True
                return
            _imp.release_lock()
            if monotonic() > deadline:
                # An import without end, such as of a module that serves: it shall delay only this one fork.
                self._given_up.update(names)
                return
            sleep(0.001)

    def release(self) -> None:
        """Let other threads import again."""
        if self._holds_import_lock:
            self._holds_import_lock = False
            _imp.release_lock()

    def forget(self) -> None:
        """Forget the imports that another thread was in the midst of: nobody will end them here."""
        self.release()
        for name in _imported_elsewhere():
            _frozen_importlib._module_locks.pop(name, None)  # type: ignore[attr-defined]  # noqa: SLF001 (no public way)
            spec = getattr(sys.modules.get(name), "__spec__", None)
            if getattr(spec, "_initializing", False):
                # Half a module; the child's own import begins it anew.
                del sys.modules[name]
        self._given_up.clear()


def is_imported_elsewhere(package: str) -> bool:
    """Whether another thread is in the midst of importing ``package`` or something in it.

    In a hook of a fork that must not be waited for: the thread may need a lock that is held for the fork, as the one of
    ``logging`` is.
    """
    return any(name == package or name.startswith(f"{package}.") for name in _imported_elsewhere())


def _imported_elsewhere() -> set[str]:
    """Return the modules whose locks other threads hold, wait for, or are about to take."""
    me = _thread.get_ident()
    names = set()
    for name, reference in tuple(getattr(_frozen_importlib, "_module_locks", {}).items()):
        lock = reference()
        if lock is not None and getattr(lock, "owner", me) != me:
            names.add(name)
    return names
