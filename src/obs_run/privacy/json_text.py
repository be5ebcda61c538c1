"""Reads JSON texts without losing how a number was written, and writes them again."""

from __future__ import annotations

import json
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self


class Literal(float):
    """A number that keeps the text it was written as, which another ``float`` may not have (``1.10``, ``1e400``)."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that ``text`` says."""
        literal = super().__new__(cls, text)
        literal.text = text
        return literal


class Parsed(NamedTuple):
    """What a JSON text says, and whether it says something twice, of which only the last is here."""

    value: Any
    repeats: bool


_ENDS = {"{": "}", "[": "]", '"': '"'}


def shaped(text: str) -> bool:
    """Whether ``text`` begins and ends as a JSON object, array or string does."""
    first, last = text[:1], text[-1:]
    if first.isspace() or last.isspace():
        text = text.strip()
        first, last = text[:1], text[-1:]
    return first in _ENDS and _ENDS[first] == last and len(text) > 1


def parsed(text: str) -> Parsed | None:
    """Return what the JSON ``text`` says, None where it is no JSON or deeper than Python can read."""
    repeats = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats
        result = dict(members)
        repeats = repeats or len(result) < len(members)
        return result

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_float=_number, parse_constant=Literal)
    except (ValueError, RecursionError):
        return None
    return Parsed(value, repeats)


def _number(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else Literal(text)


def written(value: Any, like: str) -> str:
    """Return ``value`` as JSON, with spaces and escapes as the text ``like`` has them."""
    quoted = encode_basestring_ascii if like.isascii() else encode_basestring
    comma, colon = (", ", ": ") if '": ' in like else (",", ":")
    return "".join(_pieces(value, quoted, comma, colon))


def _pieces(value: Any, quoted: Callable[[str], str], comma: str, colon: str) -> Iterator[str]:
    if isinstance(value, str):
        yield quoted(value)
    elif isinstance(value, Literal):
        yield value.text
    elif isinstance(value, dict):
        separator = "{"
        for key, item in value.items():
            yield f"{separator}{quoted(key)}{colon}"
            yield from _pieces(item, quoted, comma, colon)
            separator = comma
        yield "}" if value else "{}"
    elif isinstance(value, list):
        separator = "["
        for item in value:
            yield separator
            yield from _pieces(item, quoted, comma, colon)
            separator = comma
        yield "]" if value else "[]"
    else:
        yield json.dumps(value)
