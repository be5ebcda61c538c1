"""How many messages of a socket, queue or connection have spans: so many a second, and the rest are counted."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run import settings
from obs_run.core import recorder
from obs_run.core.operations import ReceivedMessages, SentMessages

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import MessageOperation

__all__ = ["ConnectionRates", "Rate"]

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


class ConnectionRates:
    """The messages of a library's connections: what each sends, and what each receives by a subscription.

    ``describe(operation, connection, subscription)`` fills in what holds of them; the subscription is None for what is
    sent. A connection is kept by nobody here.
    """

    def __init__(self, describe: Callable[[MessageOperation, Any, Any], None]) -> None:
        self._describe = describe
        self._rates: WeakKeyDictionary[Any, dict[Any, Rate]] = WeakKeyDictionary()

    def has_room(self, connection: Any, subscription: Any = None) -> bool:
        """Whether one more message may have a span now."""
        rates = self._rates.get(connection)
        if rates is None:
            rates = self._rates[connection] = {}
        rate = rates.get(subscription)
        if rate is None:
            rate = rates[subscription] = Rate()
        return rate.has_room(partial(self._described, connection, subscription))

    def measure(self, connection: Any, subscription: Any) -> None:
        """Measure the messages of a subscription, which is left, that had no span."""
        rate = self._rates.get(connection, {}).pop(subscription, None)
        if rate is not None:
            rate.measure(partial(self._described, connection, subscription))

    def measure_all(self, connection: Any) -> None:
        """Measure those of a connection, which is closed."""
        for subscription, rate in self._rates.pop(connection, {}).items():
            rate.measure(partial(self._described, connection, subscription))

    def _described(self, connection: Any, subscription: Any) -> MessageOperation:
        operation = SentMessages() if subscription is None else ReceivedMessages()
        self._describe(operation, connection, subscription)
        return operation
