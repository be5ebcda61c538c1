"""Whatever an agent logs, as plain values that JSON and OTLP can say, taken at the call.

Nothing here raises, and nothing is kept of the agent's own objects, which may change after the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.encodable import encodable
from obs_run.base.json_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Plain = dict[str, Any]

_LONGEST_TEXT = 65536
_SHORT = 256
_FEW = 32
_MOST_TEXT = 1024 * 1024  # characters of one record
_MOST_ITEMS = 4096  # of one record, whatever its depth
_DEEPEST = 16
_LONGEST_BYTES = 1024
_TRIES = 3
_INT64 = 2**63
_LEAVES = frozenset({bool, type(None)})
_SEQUENCES = (list, tuple, set, frozenset)
_INDEXED = (list, tuple)
_PLAIN = (*_SEQUENCES, str, bytes, bytearray, int, float)


class Snapshot:
    """What one record takes from the agent: there is an end to how much that may be."""

    __slots__ = ("_items", "_room")

    def __init__(self) -> None:
        self._items = _MOST_ITEMS
        self._room = _MOST_TEXT

    def fields(self, given: Any) -> Plain:
        """Return a mapping as a dict of plain values by texts; what is no mapping is its one value, ``value``."""
        if given is None:
            return {}
        taken = _as_it_is(given) if type(given) is dict else None
        if taken is None:
            taken = self.value(given)
        return taken if type(taken) is dict else {"value": taken}

    def texts(self, given: Any) -> list[str]:
        """Return a list of texts, such as tags; one text is a list of one."""
        if given is None:
            return []
        if type(given) is list and len(given) <= _FEW:
            copied = given.copy()
            if all(type(text) is str and len(text) <= _SHORT and text.isascii() for text in copied):
                return copied
        taken = self.value(given)
        items = taken if type(taken) is list else [taken]
        return [item if type(item) is str else to_json(item) for item in items]

    def text(self, value: Any) -> str:
        """Return any value as a text of bounded length that UTF-8 can say."""
        text = value if type(value) is str else self._text_of(value)
        if len(text) <= _SHORT:
            # So short that the bound on items bounds them.
            return text if text.isascii() else encodable(text)
        most = min(_LONGEST_TEXT, self._room)
        if len(text) > most:
            text = f"{text[:most]}[{len(text) - most} characters cut]"
        self._room = max(0, self._room - len(text))
        return text if text.isascii() else encodable(text)

    def value(self, value: Any, around: tuple[int, ...] = ()) -> Any:
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
        return self._other(value, kind, around)

    def _other(self, value: Any, kind: type, around: tuple[int, ...]) -> Any:
        # By the type, because an object may lie about its class; by the base's own methods, because subclasses may
        # have broken ones.
        if kind is dict or self._is_mapping(kind):
            return self._inside(value, self._mapping, around)
        if issubclass(kind, _SEQUENCES):
            return self._inside(value, self._sequence, around)
        if issubclass(kind, int):
            return self.value(int.__int__(value))
        if issubclass(kind, float):
            return self.value(float.__float__(value))
        return self.text(value)

    def _is_mapping(self, kind: type) -> bool:
        return not issubclass(kind, _PLAIN) and issubclass(kind, Mapping)

    def _text_of(self, value: Any) -> str:
        return _text_of(value)

    def _inside(self, value: Any, take: Callable[[Any, tuple[int, ...]], Any], around: tuple[int, ...]) -> Any:
        if len(around) >= _DEEPEST:
            return "[nested too deep]"
        if id(value) in around:
            return "[contains itself]"
        return take(value, (*around, id(value)))

    def _mapping(self, value: Any, around: tuple[int, ...]) -> Any:
        copied = _copied(value, _dict_copy if issubclass(type(value), dict) else _mapping_copy)
        if copied is None:
            return self.text(value)
        length, copied = copied
        room = self._items
        self._items = max(0, room - length)
        taken: Plain = {}
        for key, item in copied.items():
            if not room:
                break
            room -= 1
            name = key if type(key) is str and len(key) <= _SHORT and key.isascii() else self.text(key)
            taken[name] = item if type(item) in _LEAVES else self.value(item, around)
        if length > len(taken):
            taken["[more]"] = f"[{length - len(taken)} items left out]"
        return taken

    def _sequence(self, value: Any, around: tuple[int, ...]) -> Any:
        copied = _copied(value, _beginning)
        if copied is None:
            return self.text(value)
        length, items = copied
        room = self._items
        self._items = max(0, room - length)
        taken: list[Any] = [self.value(item, around) for item in items[:room]]
        if length > len(taken):
            taken.append(f"[{length - len(taken)} items left out]")
        return taken


def _as_it_is(given: Plain) -> Plain | None:
    """Return a copy of what is plain already, as most of what is logged is: short texts, numbers and bools by names."""
    if len(given) > _FEW:
        return None
    copied = given.copy()
    for key, item in copied.items():
        if type(key) is not str or len(key) > _SHORT or not key.isascii():
            return None
        kind = type(item)
        if kind is str:
            if len(item) > _SHORT or not item.isascii():
                return None
        elif kind is int:
            if not -_INT64 <= item < _INT64:
                return None
        elif not (kind is float and isfinite(item)) and kind not in _LEAVES:
            return None
    return copied


def _dict_copy(value: Any) -> tuple[int, Plain]:
    length = dict.__len__(value)
    # At once, where no other thread can come between.
    return length, dict.copy(value) if length <= _MOST_ITEMS else dict(islice(dict.items(value), _MOST_ITEMS))


def _mapping_copy(value: Any) -> tuple[int, Plain]:
    copied = dict(value)
    return len(copied), copied


def _beginning(value: Any) -> tuple[int, Sequence[Any]]:
    for kind in _INDEXED:
        if issubclass(type(value), kind):
            return kind.__len__(value), kind.__getitem__(value, slice(_MOST_ITEMS))
    of_set: Any = set if issubclass(type(value), set) else frozenset
    return of_set.__len__(value), tuple(islice(of_set.__iter__(value), _MOST_ITEMS))


def _copied(value: Any, copy: Callable[[Any], Any]) -> Any:
    """Return a copy that no other thread changes, None where there is none to be had."""
    for _ in range(_TRIES):
        try:
            return copy(value)
        except RuntimeError:  # noqa: PERF203 (changed amid the copy)
            continue
        except Exception as error:  # noqa: BLE001 (the agent's own object)
            guard.pass_on_thrown_in(error)
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
