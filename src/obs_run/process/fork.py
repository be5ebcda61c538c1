"""What happens around a fork, in one order for the whole program, whoever was imported first.

Forks also wait until no other thread is importing (fork_imports.py).
"""

import os
import sys

from obs_run.base import guard

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from obs_run.process.fork_imports import ForkImports

    Hook = Callable[[], object]
    Hooks = tuple[int, str, Hook | None, Hook | None, Hook | None]

RUN, QUEUE, PROVIDERS, ENDPOINTS, FILES, USER_API = range(6)
"""The order in which hooks run after a fork; before it they run the other way round.

Imports come first of all and are not in the list. After them the run has its ids, the queue is empty, and the providers
count from zero before anything that stands on them begins anew.
"""


class _Forks:
    """The hooks, and what is known of the fork that is going on."""

    def __init__(self) -> None:
        self._hooks: list[Hooks] = []
        """Place in the order, name, and what runs before a fork, after it in the parent, and in the child."""
        self._is_installed = False
        self._watches_late = False
        self._imports: ForkImports | None = None
        self.forking_frame: FrameType | None = None
        """The agent's frame that forks, while the hooks in the parent run."""
        self.hold: Hook | None = None
        self.release: Hook | None = None

    def install(self) -> None:
        """Watch the forks of this process; ours is the last hook to run before one, being the first registered."""
        if self._is_installed or not hasattr(os, "register_at_fork"):
            return
        self._is_installed = True
        os.register_at_fork(before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child)

    def add(self, hooks: "Hooks") -> None:
        """Have ``hooks`` run at each fork; those of one place in the order run as they were added."""
        self._hooks.append(hooks)
        self._hooks.sort(key=lambda each: each[0])
        self.install()
        if hooks[0] > RUN and not self._watches_late:
            # Registered only now, when ``logging`` has been imported: before a fork this runs before that module takes
            # its lock, which a thread that is sent home may need.
            self._watches_late = True
            os.register_at_fork(
                before=self._before_late, after_in_parent=self._in_parent_late, after_in_child=self._in_child_late
            )

    def _run_before(self, *, is_late: bool) -> None:
        imports = self._imports = self._imports or guard.call("before a fork: imports", _load_imports)
        if imports is not None:
            imports.note_absent()
        for order, name, before, _, _ in reversed(self._hooks):
            if before is not None and (order > RUN) == is_late:
                guard.call(f"before a fork: {name}", before)

    def _before_late(self) -> None:
        self._run_before(is_late=True)

    def _before(self) -> None:
        self._run_before(is_late=False)
        if self._imports is not None:
            guard.call("before a fork: imports", self._imports.end)
            self._imports.take_locks()
        if self.hold is not None:
            guard.call("before a fork: signals", self.hold)

    def _release(self) -> None:
        if self.release is not None:
            guard.call("after a fork: signals", self.release)

    def _in_parent_late(self) -> None:
        self.forking_frame = sys._getframe().f_back  # noqa: SLF001 (the hook's caller is the one who forks)
        self._run_in_parent(is_late=True)
        self.forking_frame = None

    def _in_child_late(self) -> None:
        self._run_in_child(is_late=True)

    def _in_parent(self) -> None:
        self._release()
        if self._imports is not None:
            self._imports.release()
        self._run_in_parent(is_late=False)

    def _run_in_parent(self, *, is_late: bool) -> None:
        for order, name, _, in_parent, _ in self._hooks:
            if in_parent is not None and (order > RUN) == is_late:
                guard.call(f"after a fork: {name}", in_parent)

    def _in_child(self) -> None:
        if self._imports is not None:
            self._imports.forget()
        self._run_in_child(is_late=False)
        self._release()

    def _run_in_child(self, *, is_late: bool) -> None:
        for order, name, _, _, in_child in self._hooks:
            if in_child is not None and (order > RUN) == is_late:
                guard.call(f"in a child: {name}", in_child)


_forks = _Forks()


def install() -> None:
    """Watch the forks of this process before anybody else does."""
    _forks.install()


def hold_signals(hold: "Hook", release: "Hook") -> None:
    """Have ``hold`` called right before each fork, and ``release`` after it, in a child when it has begun anew."""
    _forks.hold, _forks.release = hold, release


def register(
    order: int,
    name: str,
    *,
    before: "Hook | None" = None,
    in_parent: "Hook | None" = None,
    in_child: "Hook | None" = None,
) -> None:
    """Have functions called around each fork, at a place in the order above; what one raises stops no other.

    Nothing may be imported in ``before`` that has fork hooks of its own, as ``logging`` and ``concurrent.futures``:
    the second half of such a hook would run without its first.
    """
    _forks.add((order, name, before, in_parent, in_child))


def would_warn_of_threads() -> bool:
    """Whether Python would print its warning of forks beside threads if a hook in the parent started one now."""
    from obs_run.process import fork_warning

    return fork_warning.would_be_shown(_forks.forking_frame)


def _load_imports() -> "ForkImports | None":
    try:
        from obs_run.process.fork_imports import ForkImports
    except ImportError:  # the agent has left nothing that can be loaded, by other threads neither
        return None
    return ForkImports()
