"""How many messages of a socket or queue have spans: so many a second, and the rest are counted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.core import recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import MessageOperation

__all__ = ["Rate"]

_MOST_COUNTED = 1000


class Rate:
    """The messages of one socket or queue, in one direction."""

    __slots__ = ("_begun", "_recorded", "_unrecorded")

    def __init__(self) -> None:
        self._begun = 0.0
        self._recorded = 0
        self._unrecorded = 0

    def has_room(self, describe: Callable[[], MessageOperation]) -> bool:
        """Whether one more message may have a span now; else it is counted, as one of those ``describe`` tells of."""
        now = time.monotonic()
        if now - self._begun >= 1:
            self._begun, self._recorded = now, 0
            self.measure(describe)
        if self._recorded < settings.get("OBS_MESSAGE_SPANS"):
            self._recorded += 1
            return True
        self._unrecorded += 1
        if self._unrecorded >= _MOST_COUNTED:
            self.measure(describe)
        return False

    def measure(self, describe: Callable[[], MessageOperation]) -> None:
        """Measure what was counted."""
        count, self._unrecorded = self._unrecorded, 0
        if count:
            operation = describe()
            operation.batch_size = count
            recorder.measure(operation, 0)
