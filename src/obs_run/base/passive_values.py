"""Values that an agent logs elsewhere and we read beside it: none of its code runs for that, and little of ours.

The text of an object is the agent's own code: a lazy query would run, a large one would take its time. So an object is
told by its class, unless its class is one of Python's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.plain_values import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCALARS = frozenset([str, int, float, bool, type(None)])
_FEW = 32
_INT64 = 2**63
# Module and name of the classes whose text is no code of the agent's, and short.
_KNOWN = {
    "builtins": frozenset(["complex", "range", "ellipsis", "NotImplementedType", "builtin_function_or_method", "function"]),
    "datetime": frozenset(["date", "datetime", "time", "timedelta", "timezone"]),
    "decimal": frozenset(["Decimal"]),
    "fractions": frozenset(["Fraction"]),
    "ipaddress": frozenset(["IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"]),
    "pathlib": frozenset(["PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"]),
    "pathlib._local": frozenset(["PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"]),
    "uuid": frozenset(["UUID"]),
}
_NUMPY = ("int", "uint", "float", "complex", "bool", "datetime64", "timedelta64")


class PassiveSnapshot(Snapshot):
    """What one record takes from the agent without calling it."""

    __slots__ = ()

    def _is_mapping(self, kind: type) -> bool:
        return issubclass(kind, dict)

    def _text_of(self, value: Any) -> str:
        if _is_text(value):
            return Snapshot._text_of(self, value)
        if has_known_text(value):
            return guard.shown(value)
        return _told_by_class(value)


class ToldByClass:
    """Stands for an object in a message that nobody has formatted."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def attribute(value: Any) -> Any:
    """Return a value as an attribute: text, number or bool."""
    kind = type(value)
    if kind is str or kind is float or kind is bool:
        return value
    if kind is int and -_INT64 <= value < _INT64:
        return value
    if _is_simple(value):
        return guard.shown(value)
    plain = PassiveSnapshot().value(value)
    return plain if type(plain) in _SCALARS else guard.shown(plain)


def message(template: Any, arguments: Any) -> str:
    """Return a message of the logging module as ``LogRecord.getMessage`` does, objects told by their classes."""
    text = template if type(template) is str else str(attribute(template))
    if not arguments:
        return text
    try:
        return text % _passive(arguments)
    except Exception:  # noqa: BLE001 (the agent's own mistake, or a format that the class has no text for)
        return text


def is_passive(values: Sequence[Any]) -> bool:
    """Whether no code of the agent runs when these are made a text, and little time passes."""
    return all(type(value) in _SCALARS or _is_simple(value) or has_known_text(value) for value in values)


def has_known_text(value: Any) -> bool:
    """Whether the text of ``value`` is Python's own."""
    kind = type(value)
    if kind in _SCALARS or issubclass(kind, BaseException):
        return True
    if kind.__name__ in _KNOWN.get(kind.__module__, ()):
        return True
    if kind.__module__ == "numpy" and kind.__name__.startswith(_NUMPY):
        return True
    return kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__


def _is_text(value: Any) -> bool:
    """Whether Python's own methods make the text, past those of a class that derives."""
    return issubclass(type(value), (str, bytes, bytearray, memoryview))


def _is_simple(value: Any) -> bool:
    """Whether it is a short list or the like of nothing but numbers and texts."""
    kind = type(value)
    if kind is dict:
        return len(value) <= _FEW and _SCALARS.issuperset(map(type, value)) and _SCALARS.issuperset(map(type, value.values()))
    if kind in (list, tuple, set, frozenset):
        return len(value) <= _FEW and _SCALARS.issuperset(map(type, value))
    return False


def _passive(arguments: Any) -> Any:
    if type(arguments) is tuple:
        return tuple(map(_passive_argument, arguments))
    if type(arguments) is dict:
        return {name: _passive_argument(value) for name, value in arguments.items()}
    return _passive_argument(arguments)


def _passive_argument(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS or _is_simple(value) or has_known_text(value):
        return value
    # Of classes that derive from numbers, formats want the number.
    if issubclass(kind, int):
        return int.__int__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    return ToldByClass(str(attribute(value)))


def _told_by_class(value: Any) -> str:
    kind = type(value)
    if issubclass(kind, type):
        return type.__repr__(value)
    member = _enum_member(value)
    if member is not None:
        return f"{kind.__name__}.{member}"
    return f"<{kind.__module__}.{kind.__qualname__} object>"


def _enum_member(value: Any) -> str | None:
    if not any(base.__module__ == "enum" and base.__name__ == "Enum" for base in type(value).__mro__):
        return None
    name = vars(value).get("_name_")
    return name if type(name) is str else None
