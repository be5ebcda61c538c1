"""Columns of the store as what they are meant to be: a file that was damaged or changed says less, and stops nobody."""

from __future__ import annotations

import math
from typing import Any

from obs_run.telemetry.values import clean, decode

_LATEST = 253_402_300_799 * 10**9  # the last second of the year 9999, which Python's dates end with


class Checked:
    """Reads values, and counts those that are of no use."""

    def __init__(self) -> None:
        self.damaged = 0

    def text(self, value: Any) -> str:
        """Return a text that has to be there."""
        return self.text_or_none(value) or ""

    def text_or_none(self, value: Any) -> str | None:
        """Return a text."""
        if value is None or isinstance(value, str):
            return value
        self.damaged += 1
        return clean(value)

    def whole(self, value: Any) -> int:
        """Return a whole number that has to be there."""
        return self.whole_or_none(value) or 0

    def whole_or_none(self, value: Any) -> int | None:
        """Return a whole number."""
        if value is None or isinstance(value, int):
            return value
        self.damaged += 1
        return None

    def time(self, value: Any) -> int | None:
        """Return nanoseconds since 1970 that a date can be made of."""
        found = self.whole_or_none(value)
        if found is None or 0 <= found <= _LATEST:
            return found
        self.damaged += 1
        return None

    def number(self, value: Any) -> float | None:
        """Return a number."""
        if value is None or (isinstance(value, (int, float)) and math.isfinite(value)):
            return value
        self.damaged += 1
        return None

    def value(self, text: Any) -> Any:
        """Return what JSON says; None for what is none."""
        try:
            return decode(text)
        except (TypeError, ValueError, RecursionError):
            self.damaged += 1
            return None

    def attributes(self, text: Any) -> dict[str, Any]:
        """Return attributes."""
        return self._mapping(self.value(text))

    def items(self, text: Any, length: int) -> list[tuple[Any, ...]]:
        """Return events or links: lists of ``length`` values of which the last are attributes."""
        found = self.value(text)
        if found is None:
            return []
        if not isinstance(found, list):
            self.damaged += 1
            return []
        fitting = [item for item in found if isinstance(item, list) and len(item) == length]
        self.damaged += len(found) - len(fitting)
        return [(*item[:-1], self._mapping(item[-1])) for item in fitting]

    def one_of(self, names: tuple[str, ...], value: Any) -> str:
        """Return the name that a number stands for, the first for one that stands for none."""
        found = self.whole(value)
        if 0 <= found < len(names):
            return names[found]
        self.damaged += 1
        return names[0]

    def _mapping(self, found: Any) -> dict[str, Any]:
        if found is None or isinstance(found, dict):
            return found or {}
        self.damaged += 1
        return {}
