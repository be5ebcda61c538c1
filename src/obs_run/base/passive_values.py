"""Values that an agent logs elsewhere and we read beside it: none of its code runs for that, and little of ours.

The text of an object is the agent's own code: a lazy query would run, a large one would take its time. So an object is
told by its class, unless its class is one of Python's.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_SCALARS = frozenset([str, int, float, bool, type(None)])
_FEW = 32
_MOST_ITEMS = 4096  # of one value, whatever their depth
_DEEPEST = 16
_LONGEST = 65536
_INT64 = 2**63
_INFINITY = float("inf")  # the module math is a shared library, which costs something
_CONVERSIONS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
)
_BRACKETS: tuple[tuple[Any, str, str], ...] = (
    (list, "[", "]"),
    (tuple, "(", ")"),
    (set, "{", "}"),
    (frozenset, "{", "}"),
)
_STRUCTURES = (dict, list, tuple, set, frozenset)
_TEXTS: tuple[Any, ...] = (str, bytes, bytearray)
_PATHS = frozenset(["PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"])
# Module and name of the classes whose text is no code of the agent's, and short.
_KNOWN = {
    "builtins": frozenset(["builtin_function_or_method", "complex", "ellipsis", "function", "range"]),
    "datetime": frozenset(["date", "datetime", "time", "timedelta", "timezone"]),
    "decimal": frozenset(["Decimal"]),
    "fractions": frozenset(["Fraction"]),
    "ipaddress": frozenset(["IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"]),
    "pathlib": _PATHS,
    "pathlib._local": _PATHS,
    "uuid": frozenset(["UUID"]),
}
_NUMPY = ("bool", "complex", "datetime64", "float", "int", "timedelta64", "uint")


class _Verbatim:
    """Stands for an object in a message that nobody has formatted."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


class _Room:
    """How many items a value may still show."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items = _MOST_ITEMS


def attribute(value: Any) -> Any:
    """Return a value as an attribute: text, number or bool."""
    kind = type(value)
    if kind is str or kind is float or kind is bool:
        return value
    if kind is int and -_INT64 <= value < _INT64:
        return value
    plain = _as_base(value, kind)
    if type(plain) is not kind:
        return attribute(plain)
    if kind is int or has_known_text(value):
        return guard.shown(value)
    text: str = guard.call("log record", _as_text, value, default=told_by_class(value))
    return text


def is_structure(value: Any) -> bool:
    """Whether it is a dict, list or the like, whose text as an attribute is JSON."""
    return issubclass(type(value), _STRUCTURES)


def message(template: Any, arguments: Any) -> str:
    """Return a message of the logging module as ``LogRecord.getMessage`` does, objects told by their classes."""
    text = template if type(template) is str else str(attribute(template))
    if not arguments:
        return text
    try:
        formatted: str = text % _passive_arguments(arguments)
    except Exception as error:  # noqa: BLE001 (the agent's own mistake, or a format that a text does not fit)
        guard.pass_on_thrown_in(error)
        return text
    return formatted


def is_passive(values: Sequence[Any]) -> bool:
    """Whether no code of the agent runs when these are made a text, and little time passes."""
    return _SCALARS.issuperset(map(type, values)) or all(_is_passive(value) for value in values)


def has_known_text(value: Any) -> bool:
    """Whether the text of ``value`` is Python's own; an exception's is taken for that."""
    kind = type(value)
    if kind in _SCALARS or issubclass(kind, BaseException):
        return True
    if kind.__name__ in _KNOWN.get(kind.__module__, ()):
        return True
    if kind.__module__ == "numpy" and kind.__name__.startswith(_NUMPY):
        return True
    methods: tuple[Any, Any] = kind.__str__, kind.__repr__
    return methods == (object.__str__, object.__repr__)


def told_by_class(value: Any) -> str:
    """Return what can be said of an object without asking it."""
    kind = type(value)
    if issubclass(kind, type):
        return type.__repr__(value)
    if any(base.__module__ == "enum" and base.__name__ == "Enum" for base in kind.__mro__):
        name = vars(value).get("_name_")
        if type(name) is str:
            return f"{kind.__name__}.{name}"
    return f"<{kind.__module__}.{kind.__qualname__} object>"


def _is_passive(value: Any) -> bool:
    return type(value) in _SCALARS or _is_simple(value) or has_known_text(value)


def _is_simple(value: Any) -> bool:
    """Whether it is a short list or the like of nothing but numbers and texts."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return len(value) <= _FEW and _SCALARS.issuperset(map(type, value))
    if kind is not dict or len(value) > _FEW:
        return False
    return _SCALARS.issuperset(map(type, value)) and _SCALARS.issuperset(map(type, value.values()))


def _as_base(value: Any, kind: type) -> Any:
    """Return a number or text of a class that derives from Python's as one of Python's."""
    if kind in _SCALARS:
        return value
    for base, convert in _CONVERSIONS:
        if issubclass(kind, base):
            return convert(value)
    return value


def _passive_arguments(arguments: Any) -> Any:
    if type(arguments) is tuple:
        return tuple(map(_passive_argument, arguments))
    if type(arguments) is dict:
        return {name: _passive_argument(value) for name, value in arguments.items()}
    return _passive_argument(arguments)


def _passive_argument(value: Any) -> Any:
    value = _as_base(value, type(value))
    if _is_passive(value):
        return value
    return _Verbatim(guard.call("log record", _shown, value, _Room(), 0, default=told_by_class(value)))


def _as_text(value: Any) -> str:
    plain = _plain(value, _Room(), ())
    if type(plain) is str:
        return plain
    # Most agents log texts and numbers alone, which need no JSON.
    from obs_run.base.json_text import to_json

    return to_json(plain)


def _plain(value: Any, room: _Room, inside: tuple[int, ...]) -> Any:
    """Return what JSON can say of a value; ``inside`` are the ids of what it is in."""
    kind = type(value)
    if not issubclass(kind, _STRUCTURES):
        return _plain_leaf(value, room)
    if id(value) in inside:
        return "[contains itself]"
    if len(inside) == _DEEPEST:
        return "..."
    return _plain_structure(value, room, (*inside, id(value)))


def _plain_structure(value: Any, room: _Room, inside: tuple[int, ...]) -> Any:
    kind = type(value)
    if issubclass(kind, dict):
        items = _taken(dict.items(value), room)
        fields = {_plain_name(name, room): _plain(item, room, inside) for name, item in items}
        if dict.__len__(value) > len(items):
            fields["..."] = f"{dict.__len__(value) - len(items)} items left out"
        return fields
    base = next(base for base, _, _ in _BRACKETS if issubclass(kind, base))
    elements = _taken(base.__iter__(value), room)
    plain = [_plain(element, room, inside) for element in elements]
    if base.__len__(value) > len(elements):
        plain.append(f"[{base.__len__(value) - len(elements)} items left out]")
    return plain


def _plain_name(name: Any, room: _Room) -> str:
    plain = _as_base(name, type(name))
    return plain if type(plain) is str else _shown(plain, room, 0)


def _plain_leaf(value: Any, room: _Room) -> Any:
    plain = _as_base(value, type(value))
    if type(plain) is float and not abs(plain) < _INFINITY:  # infinite, or no number
        return str(plain)
    if type(plain) in _SCALARS:
        return plain
    return guard.shown(value) if has_known_text(value) else _shown(value, room, 0)


def _shown(value: Any, room: _Room, depth: int) -> str:
    """Return the text of a value in a list or the like, which is one itself mostly."""
    kind = type(value)
    for base in _TEXTS:
        if issubclass(kind, base):
            return repr(base.__getitem__(value, slice(_LONGEST)))
    if kind in _SCALARS or has_known_text(value):
        return guard.shown(value) if issubclass(kind, BaseException) else repr(value)
    if depth == _DEEPEST:
        return "..."
    if issubclass(kind, dict):
        return _shown_dict(value, room, depth + 1)
    for base, opening, closing in _BRACKETS:
        if issubclass(kind, base):
            items = _taken(base.__iter__(value), room)
            texts = [_shown(item, room, depth + 1) for item in items]
            return opening + _joined(texts, base.__len__(value)) + closing
    return told_by_class(value)


def _shown_dict(value: Any, room: _Room, depth: int) -> str:
    items = _taken(dict.items(value), room)
    pairs = [f"{_shown(name, room, depth)}: {_shown(item, room, depth)}" for name, item in items]
    return "{" + _joined(pairs, dict.__len__(value)) + "}"


def _taken(items: Iterable[Any], room: _Room) -> list[Any]:
    # At once, where no other thread can come between.
    taken = list(islice(items, room.items))
    room.items -= len(taken)
    return taken


def _joined(texts: list[str], length: int) -> str:
    left_out = [f"[{length - len(texts)} items left out]"] if length > len(texts) else []
    return ", ".join(texts + left_out)
