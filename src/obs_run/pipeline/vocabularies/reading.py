"""How values of attributes are read: each function returns None for what is not of its kind."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obs_run.base.json_text import from_exact_json, from_json

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping

_MOST_TOKENS = 2**53
_FINISH_REASONS = {
    "tool_calls": "tool_call",
    "tool-calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "content-filter": "content_filter",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
}
_PORTS = {"http": 80, "https": 443}


def text(value: Any) -> str | None:
    """Return a text that says something."""
    return value if isinstance(value, str) and value else None


def count(value: Any) -> int | None:
    """Return a number of tokens or the like; some languages know no whole numbers."""
    number = whole(value)
    return number if number is not None and 0 <= number < _MOST_TOKENS else None


def whole(value: Any) -> int | None:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def number(value: Any) -> float | None:
    """Return a number as the conventions have those that need not be whole."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        exact = float(value)
    except OverflowError:
        return None
    return exact if isfinite(exact) else None


def seconds(value: Any) -> float | None:
    """Return milliseconds as seconds."""
    milliseconds = number(value)
    return None if milliseconds is None or milliseconds < 0 else milliseconds / 1000


def several(value: Any) -> int | None:
    """Return how many answers were asked for, where it is not the one that goes without saying."""
    wanted = count(value)
    return wanted if wanted != 1 else None


def true(value: Any) -> bool | None:
    """Return True, or nothing."""
    return True if value is True else None


def texts(value: Any) -> tuple[str, ...] | None:
    """Return a list of texts; one text alone is such a list."""
    if isinstance(value, str):
        parsed = from_json(value) if value.startswith("[") else None
        value = parsed if isinstance(parsed, list) else [value]
    if not isinstance(value, (list, tuple)) or not value:
        return None
    return tuple(value) if all(isinstance(one, str) and one for one in value) else None


def finish_reason(value: Any) -> str | None:
    """Return why a model stopped, in the conventions' words where they have one for it."""
    reason = text(value)
    return None if reason is None else _FINISH_REASONS.get(reason.lower(), reason)


def finish_reasons(value: Any) -> tuple[str, ...] | None:
    """Return the reasons of all choices, from a list, a JSON list, or a text with commas."""
    reasons = texts(value)
    if reasons is not None and isinstance(value, str) and len(reasons) == 1:
        reasons = texts([reason.strip() for reason in reasons[0].split(",")])
    return None if reasons is None else tuple([_FINISH_REASONS.get(reason.lower(), reason) for reason in reasons])


def structure(value: Any) -> Any:
    """Return what a JSON text of an object or list stands for; all else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        return from_exact_json(value)
    return value


def json_object(value: Any) -> dict[str, Any] | None:
    """Return the object that a JSON text stands for."""
    parsed = from_json(value) if isinstance(value, str) and value.startswith("{") else value
    return parsed if isinstance(parsed, dict) else None


def json_list(value: Any) -> list[Any] | None:
    """Return the list that a JSON text stands for; each of its items may be such a text, too."""
    parsed = from_json(value) if isinstance(value, str) and value.startswith("[") else value
    if not isinstance(parsed, (list, tuple)) or not parsed:
        return None
    return [structure(item) for item in parsed]


def address(value: Any) -> tuple[str, int] | None:
    """Return host and port of a URL."""
    url = text(value)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return None if not parts.hostname or port is None else (parts.hostname, port)


class Branch(dict[str, Any]):
    """A place in a tree of attributes: what stands behind it, by the next part of the name."""

    def items_in_order(self) -> Iterator[Any]:
        """Go through what is numbered here."""
        for key in sorted((key for key in self if key.isdecimal()), key=int):
            yield self[key]

    def branch(self, key: str) -> Branch:
        """Return what is below a key, empty where nothing is."""
        below = self.get(key)
        return below if isinstance(below, Branch) else Branch()


def tree(given: Mapping[str, Any], prefix: str, leaf: re.Pattern[str]) -> tuple[Branch, list[str]]:
    """Return the texts whose names go on as ``leaf`` has it behind ``prefix``, as a tree, and these names.

    Others make no part of it and stay, and so do all where one name is both a place and a value.
    """
    names = [
        name
        for name, value in given.items()
        if name.startswith(prefix) and isinstance(value, str) and leaf.fullmatch(name, len(prefix))
    ]
    root = Branch()
    for name in names:
        *path, last = name[len(prefix) :].split(".")
        place = root
        for step in path:
            below = place.setdefault(step, Branch())
            if not isinstance(below, Branch):
                return Branch(), []
            place = below
        if last in place:
            return Branch(), []
        place[last] = given[name]
    return root, names
