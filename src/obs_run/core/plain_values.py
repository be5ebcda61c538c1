"""Whatever an agent logs, as plain values that JSON and OTLP can say, taken at the call.

Nothing here raises, and nothing is kept of the agent's own objects, which may change after the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from obs_run.core import content, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    Plain = dict[str, Any]

_LONGEST_TEXT = 65536
_MOST_TEXT = 1024 * 1024  # characters of one record
_MOST_ITEMS = 4096  # of one record, whatever its depth
_DEEPEST = 16
_LONGEST_BYTES = 1024
_TRIES = 3
_INT64 = 2**63
_LEAVES = frozenset({bool, type(None)})
_TEXTS = (str, bytes, bytearray)
_SEQUENCES = (list, tuple, set, frozenset)

to_json: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=guard.shown
).encode
"""Return plain values as JSON text."""


class Snapshot:
    """What one record takes from the agent: there is an end to how much that may be."""

    __slots__ = ("_around", "_items", "_room")

    def __init__(self) -> None:
        self._items = _MOST_ITEMS
        self._room = _MOST_TEXT
        self._around: list[int] = []

    def fields(self, given: Any) -> Plain:
        """Return a mapping as a dict of plain values by texts; what is no mapping is its one value, ``value``."""
        if given is None:
            return {}
        taken = self.value(given)
        return taken if type(taken) is dict else {"value": taken}

    def texts(self, given: Any) -> list[str]:
        """Return a list of texts, such as tags; one text is a list of one."""
        if not given and type(given) in (list, tuple, type(None)):
            return []
        taken = self.value(given)
        items = taken if type(taken) is list else [taken]
        return [item if type(item) is str else to_json(item) for item in items]

    def text(self, value: Any) -> str:
        """Return any value as a text of bounded length that UTF-8 can say."""
        text = value if type(value) is str else _text_of(value)
        most = min(_LONGEST_TEXT, self._room)
        if len(text) > most:
            text = f"{text[:most]}[{len(text) - most} characters cut]"
        self._room = max(0, self._room - len(text))
        return text if text.isascii() else content.encodable(text)

    def value(self, value: Any) -> Any:
        """Return any value as plain ones: texts, numbers, bools, None, and dicts and lists of them."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind in _LEAVES:
            return value
        if kind is int:
            return value if -_INT64 <= value < _INT64 else _large(value)
        if kind is float:
            return value if isfinite(value) else str(value)
        return self._other(value, kind)

    def _other(self, value: Any, kind: type) -> Any:
        # By the type, because an object may lie about its class; by the base's own methods, because subclasses may
        # have broken ones.
        if issubclass(kind, int):
            return self.value(int.__int__(value))
        if issubclass(kind, float):
            return self.value(float.__float__(value))
        if issubclass(kind, _SEQUENCES):
            return self._inside(value, self._sequence)
        if not issubclass(kind, _TEXTS) and issubclass(kind, Mapping):
            return self._inside(value, self._mapping)
        return self.text(value)

    def _inside(self, value: Any, take: Callable[[Any], Any]) -> Any:
        if len(self._around) >= _DEEPEST:
            return "[nested too deep]"
        if id(value) in self._around:
            return "[contains itself]"
        self._around.append(id(value))
        try:
            return take(value)
        finally:
            self._around.pop()

    def _mapping(self, value: Any) -> Any:
        copied = _copied(value, dict.copy if issubclass(type(value), dict) else dict)
        if copied is None:
            return self.text(value)
        taken: Plain = {}
        for key, item in copied.items():
            if not self._items:
                taken["[more]"] = f"[{len(copied) - len(taken)} items left out]"
                break
            self._items -= 1
            taken[self.text(key)] = self.value(item)
        return taken

    def _sequence(self, value: Any) -> Any:
        copied = _copied(value, tuple)
        if copied is None:
            return self.text(value)
        taken: list[Any] = []
        for item in copied:
            if not self._items:
                taken.append(f"[{len(copied) - len(taken)} items left out]")
                break
            self._items -= 1
            taken.append(self.value(item))
        return taken


def _copied(value: Any, copy: Callable[[Any], Any]) -> Any:
    """Return a copy that no other thread changes, None where there is none to be had."""
    for _ in range(_TRIES):
        try:
            return copy(value)
        except RuntimeError:  # noqa: PERF203 (changed amid the copy)
            continue
        except Exception:  # noqa: BLE001 (the agent's own object)
            return None
    return None


def _text_of(value: Any) -> str:
    kind = type(value)
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return f"[{len(value)} bytes]" if len(value) > _LONGEST_BYTES else str(bytes(value))
    if issubclass(kind, BaseException):
        return described(value)
    return str.__str__(guard.shown(value))


def _large(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write so many digits
        return f"[integer of {value.bit_length()} bits]"


def described(error: BaseException) -> str:
    """Return an exception as the last line of its traceback tells it."""
    said = guard.shown(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
