"""One measurement at a time in each thread.

A signal handler or a finaliser of the agent may measure while the same thread is in the midst of a measurement, with
a lock of ours or the SDK's held; it would wait for itself for ever. Its measurement is made right after the other.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable


class _Measuring(threading.local):
    def __init__(self) -> None:
        self.now = False
        self.later: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()


_measuring = _Measuring()


def measured(take: Callable[..., None], *arguments: Any) -> None:
    """Call ``take(*arguments)`` now, or after the measurement that this thread is in; what it raises is said once."""
    measuring = _measuring
    if measuring.now:
        measuring.later.append((take, arguments))
        return
    measuring.now = True
    try:
        take(*arguments)
    except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
        guard.failed("metric", error)
    finally:
        measuring.now = False
    while measuring.later:
        take, arguments = measuring.later.popleft()
        measured(take, *arguments)
