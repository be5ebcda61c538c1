"""Short calls into a C library that holds locks of its own, as OpenSSL does: a fork waits until they are over.

A child that is forked in their midst inherits such a lock, held by a thread that it does not have.
"""

from __future__ import annotations

from obs_run.process import fork, unpatched

# A machine that is busy takes its time over the certificates of the system.
_LONGEST = 10.0


class _NativeCalls:
    """Entered by a thread of ours around such a call, which may not wait for a peer."""

    def __init__(self) -> None:
        self._lock = unpatched.RLock()
        self._is_held = False

    def __enter__(self) -> None:
        """Keep forks off."""
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        """Let them happen."""
        self._lock.release()

    def before_fork(self) -> None:
        """Wait for the call of another thread, and keep the next one off."""
        self._is_held = self._lock.acquire(timeout=_LONGEST)

    def after_fork_in_parent(self) -> None:
        """Let calls begin again."""
        if self._is_held:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: a thread that the child does not have may have held the lock."""
        self._lock = unpatched.RLock()


native_calls = _NativeCalls()
"""Those of this process."""

fork.register(
    fork.QUEUE,
    "native calls",
    before=native_calls.before_fork,
    in_parent=native_calls.after_fork_in_parent,
    in_child=native_calls.after_fork_in_child,
)
