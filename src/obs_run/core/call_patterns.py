"""Calls of tools that come again: identical ones, and the same sequence of calls going round.

Of a call only a number is kept, made of the tool's name and the arguments, from which neither can be told.
"""

from __future__ import annotations

from typing import Any

_MOST_CALLS = 1024
"""So many different calls are remembered; the oldest of more are forgotten."""
_LONGEST = 8
"""So many calls may be in a sequence that is found to go round."""
_ROUNDS = 3
"""So often a sequence has come in a row when it is a loop: twice may well be on purpose."""
_MOST_ITEMS = 10_000
_SIMPLE = frozenset({str, bytes, int, float, bool, type(None)})


class CallPatterns:
    """What comes again among the tool calls of one run."""

    __slots__ = ("_history", "_is_matching", "_matches", "_seen", "loop", "loops", "repeated")

    def __init__(self) -> None:
        self.repeated = 0
        """Calls that were identical to an earlier one."""
        self.loops = 0
        self.loop: list[str] = []
        """The tools of the newest loop, in their order."""
        self._seen: dict[int, None] = {}
        self._history: list[tuple[int | None, str]] = []
        self._matches = [0] * (_LONGEST + 1)
        """For each length of sequence, how many of the newest calls equal those so many before them."""
        self._is_matching = False

    def add(self, name: str, identity: int | None) -> None:
        """Add a call; one whose arguments are not known equals no other."""
        if identity is None or identity not in self._seen:
            self._note_new(name, identity)
            return
        self.repeated += 1
        self._follow_sequences(identity)
        self._append(name, identity)
        length = self._new_loop()
        if length:
            self.loops += 1
            self.loop = [name for _, name in self._history[-length:]]

    def _note_new(self, name: str, identity: int | None) -> None:
        """Note a call that equals none before, and so ends every sequence."""
        if self._is_matching:
            self._is_matching = False
            self._matches = [0] * (_LONGEST + 1)
        self._append(name, identity)
        if identity is None:
            return
        self._seen[identity] = None
        if len(self._seen) > _MOST_CALLS:
            del self._seen[next(iter(self._seen))]

    def _append(self, name: str, identity: int | None) -> None:
        self._history.append((identity, name))
        if len(self._history) > _LONGEST:
            del self._history[0]

    def _follow_sequences(self, identity: int) -> None:
        self._is_matching = True
        history = self._history
        for length in range(1, _LONGEST + 1):
            is_same = len(history) >= length and history[-length][0] == identity
            self._matches[length] = self._matches[length] + 1 if is_same else 0

    def _new_loop(self) -> int:
        """Return the length of the sequence that is a loop since the newest call; 0 where there is no new one."""
        for length in range(1, _LONGEST + 1):
            needed = (_ROUNDS - 1) * length
            if self._matches[length] >= needed:
                # Longer sequences are this one several times over.
                return length if self._matches[length] == needed else 0
        return 0


def identity(name: str, arguments: Any) -> int | None:
    """Return a number that calls with the same name and arguments share; None where that cannot be told."""
    found = _Identity().of(arguments)
    return None if found is None else hash((name, found))


class _Identity:
    """Makes a number of plain values without copying them."""

    def __init__(self) -> None:
        self._left = _MOST_ITEMS

    def of(self, value: Any, depth: int = 16) -> int | None:
        """Return the number; None for what is not plain, or too much."""
        self._left -= 1
        kind = type(value)
        if kind in _SIMPLE:
            return hash((kind, value))
        if not depth or self._left < 0:
            return None
        if isinstance(value, dict):
            # In whatever order they come; nothing of the agent's is run.
            items = list(dict.items(value))
            if all(type(key) is str for key, _ in items):
                return self._of_all("dict", [each for item in sorted(items, key=_key) for each in item], depth - 1)
        elif kind is list or kind is tuple:
            return self._of_all("list", list(value), depth - 1)
        return None

    def _of_all(self, kind: str, values: list[Any], depth: int) -> int | None:
        parts = []
        for each in values:
            part = self.of(each, depth)
            if part is None:
                return None
            parts.append(part)
        return hash((kind, *parts))


def _key(item: tuple[str, Any]) -> str:
    return item[0]
