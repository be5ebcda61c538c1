"""The sender's trace within a stream's entry, where no client that looks its fields up by name sees it.

An entry is a list of names and values, and one name may come several times. A mapping keeps the last value of a name,
and who searches the list finds the first. So the trace stands between two of the same value, the shortest there is; or,
where all are long, in blanks within one that is JSON.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core import message_carriers

from . import clients

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obs_run.core.outcomes import Call

_MARK = "obs-run:"
_HEADERS = ("traceparent", "tracestate", "baggage")
_LONGEST_HEADER = max(map(len, _HEADERS))
_LONGEST_REPEATED = 256
_FIRST_PLACE = 3
"""Where the first value is that stands behind another one of the same name."""


class Entry(NamedTuple):
    """What was read of one entry."""

    id: str | None
    sender: dict[str, str]
    size: int


note_to: ContextVar[list[Entry] | None] = ContextVar("obs-run-redis-entries", default=None)
"""Where what is read by the command in progress is noted."""


class CarryingFields(dict[Any, Any]):
    """The fields of an entry that is to be added, of which all is sent that is in ``sent``."""

    def __init__(self, fields: dict[Any, Any], sent: list[tuple[Any, Any]]) -> None:
        super().__init__(fields)
        # All that redis-py asks for; a method of ours would run in the midst of its code.
        self.items = sent.copy  # type: ignore[assignment]


def carrying(fields: dict[Any, Any], headers: dict[str, str], host: str | None) -> dict[Any, Any] | None:
    """Return the fields of an entry with its sender; None where it has no place for that."""
    pairs = list(fields.items())
    shortest = min(pairs, key=lambda pair: size_of(pair[1]))
    if size_of(shortest[1]) <= _LONGEST_REPEATED:
        at = pairs.index(shortest)
        carrier = (shortest[0], f"{_MARK}{json.dumps(headers)}".encode())
        return CarryingFields(fields, [*pairs[:at], shortest, carrier, *pairs[at:]])
    for at, (name, value) in enumerate(pairs):
        text = message_carriers.carried_in_json(value, host)
        if text is not None:
            return CarryingFields(fields, [*pairs[:at], (name, text), *pairs[at + 1 :]])
    return None


def note_entries(call: Call) -> None:
    """Note the entries of a stream as they are parsed, of which the agent gets what was sent."""
    noted = note_to.get()
    for entry in call.argument(0, "response") or ():
        fields = entry[1]
        if not isinstance(fields, list):
            continue
        sender = _take_out(fields)
        if noted is not None:
            size = sum(len(each) for each in fields if isinstance(each, (str, bytes)))
            noted.append(Entry(clients.name_of(entry[0]), sender or _told_by_others(fields), size))


def _take_out(fields: list[Any]) -> dict[str, str] | None:
    """Take the sender out of the fields of an entry, and return its headers."""
    for at in range(1, len(fields), 2):
        value = fields[at]
        if at >= _FIRST_PLACE and _is_mark(value) and fields[at - 1] == fields[at - 3]:
            del fields[at - 1 : at + 3]
            headers = json.loads((clients.name_of(value) or "").removeprefix(_MARK))
            return headers if isinstance(headers, dict) else None
        text, sender = message_carriers.read_json(value)
        if sender is not None:
            fields[at] = text
            return sender.headers()
    return None


def _is_mark(value: Any) -> bool:
    return value.startswith(_MARK if isinstance(value, str) else _MARK.encode())  # type: ignore[no-any-return]


def _told_by_others(fields: list[Any]) -> dict[str, str]:
    """Return the trace that a sender has put into fields of its own."""
    return headers_in(zip(fields[::2], fields[1::2], strict=False))


def headers_in(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Return those of an entry's fields that tell of a trace."""
    found = {}
    for key, value in pairs:
        if not isinstance(key, (str, bytes)) or len(key) > _LONGEST_HEADER:
            continue
        name, text = (clients.name_of(key) or "").lower(), clients.name_of(value)
        if name in _HEADERS and text is not None:
            found[name] = text
    return found


def size_of(value: Any) -> int:
    """Return how many bytes of Redis's a value takes."""
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    return len(value) if isinstance(value, (bytes, bytearray, memoryview)) else len(str(value))
