"""Values in the arguments and results of the agent's functions, read without running its code.

Only a property that an entry names is asked, where no attribute stands behind it that has its name with an underscore.
"""

from __future__ import annotations

from _thread import get_ident
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, passive_values
from obs_run.wrapping.entries import RESULT, SELF, ValuePath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from obs_run.core.outcomes import Call

_ENUMERATED = {"value": "_value_", "name": "_name_"}
_LONGEST_TEXT = 100


class Parameters:
    """What a function is called with, by the names of its parameters; that of a method's object is left out."""

    __slots__ = ("names", "takes_more")

    def __init__(self, names: Sequence[str], *, takes_more: bool) -> None:
        self.names = {name: place for place, name in enumerate(names)}
        self.takes_more = takes_more
        """Whether it takes named arguments of any name."""

    def has(self, path: ValuePath) -> bool:
        """Whether there may be such a value."""
        return path.root in (SELF, RESULT) or path.root in self.names or self.takes_more

    def all_of(self, call: Call) -> dict[str, Any]:
        """Return all that was given."""
        by_place = list(self.names)
        given = {
            by_place[place] if place < len(by_place) else str(place): value for place, value in enumerate(call.args)
        }
        return {**given, **call.kwargs}

    def value(self, path: ValuePath, call: Call) -> Any:
        """Return a value that is known when the call begins."""
        if path.root == SELF:
            return follow(call.instance, path.keys)
        place = self.names.get(path.root)
        given = call.kwargs.get(path.root) if place is None else call.argument(place, path.root)
        return follow(given, path.keys)


def follow(value: Any, keys: tuple[str, ...]) -> Any:
    """Return what stands at the end of a path of keys, places and attributes; None where it does not lead on."""
    for key in keys:
        if isinstance(value, dict):
            value = dict.get(value, key)
        elif isinstance(value, (list, tuple)) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = _attribute(value, key)
        if value is None:
            return None
    return value


def _attribute(value: Any, name: str) -> Any:
    """Return an attribute as far as it is a value that an object, or its class, holds."""
    try:
        own: Mapping[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    if name in own:
        return own[name]
    if _ENUMERATED.get(name) in own:
        return own[_ENUMERATED[name]]
    return _of_class(value, name, own)


def _of_class(value: Any, name: str, own: Mapping[str, Any]) -> Any:
    """Return what a class says of an attribute: where its value is, or its value."""
    if isinstance(value, tuple):
        fields = getattr(type(value), "_fields", ())
        return tuple.__getitem__(value, fields.index(name)) if name in fields else None
    held = next((vars(kind)[name] for kind in type(value).__mro__ if name in vars(kind)), None)
    if isinstance(held, MemberDescriptorType):
        return held.__get__(value, type(value))
    if isinstance(held, property):
        return own[f"_{name}"] if f"_{name}" in own else _ask(held, value)
    return held if isinstance(held, (str, int, float)) else None


def _ask(asked: property, value: Any) -> Any:
    """Return what a property gives."""
    thread = get_ident()
    _asking.add(thread)
    try:
        return guard.call("own code", asked.__get__, value)
    finally:
        _asking.discard(thread)


def is_asking() -> bool:
    """Whether this thread is asking a property, whose calls are not the agent's."""
    return bool(_asking) and get_ident() in _asking


_asking: set[int] = set()
"""The threads in which a property is asked."""


def shown(value: Any) -> Any:
    """Return a value as an attribute has it; an enumeration's member is shown by its value."""
    held = _attribute(value, "value") if any(kind.__name__ == "Enum" for kind in type(value).__mro__) else None
    return passive_values.attribute(value if held is None else held)


def in_name(value: Any) -> str:
    """Return a value as a span's name has it."""
    text = "" if value is None else str(shown(value))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
