"""Whether Python would warn of a fork beside threads if a hook started one after it.

From 3.12 until a fix in 3.14.1 the threads are counted after the hooks ran in the parent.
"""

from __future__ import annotations

import sys

from obs_run.process import own_imports

TYPE_CHECKING = False  # the module typing costs more than all that happens at a process's start
if TYPE_CHECKING:
    from types import FrameType

_COUNTED_LATE = (3, 12) <= sys.version_info < (3, 14, 1)


def would_be_shown(forking: FrameType | None) -> bool:
    """Whether a thread that a hook starts after the fork in this frame would make Python print its warning."""
    if not _COUNTED_LATE:
        return False
    warnings = own_imports.load("warnings")
    name = forking.f_globals.get("__name__", "") if forking is not None else ""
    action: str
    for action, message, category, module, _ in warnings.filters:
        matches = module is None or (module == name if isinstance(module, str) else module.match(name))
        if matches and message is None and issubclass(DeprecationWarning, category):
            return action != "ignore"
    return True
