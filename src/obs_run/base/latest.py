"""What was noted last of many things, by their keys; the oldest notes make room for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

ValueT = TypeVar("ValueT")


class Latest(Generic[ValueT]):
    """So many values at the most; any thread may ask and note."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, ValueT] = {}

    def get(self, key: Hashable) -> ValueT | None:
        """Return the value of a key, None where there is none, or none any more."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: ValueT) -> ValueT | None:
        """Note the value of a key, the latest one now; return the one before."""
        before = self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            self._forget_oldest()
        return before

    def _forget_oldest(self) -> None:
        try:
            self._values.pop(next(iter(self._values)), None)
        except (StopIteration, RuntimeError):  # another thread was faster
            return
