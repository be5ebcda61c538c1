"""Reading what libraries return, whether it is JSON as dicts or objects with attributes."""

from __future__ import annotations

from typing import Any

_NOTHING: dict[str, Any] = {}
# Classes with a __getattr__, as pydantic's models have, answer getattr() three times more slowly.
_inside = object.__getattribute__


def field(value: Any, *path: str) -> Any:
    """Return what stands at ``path`` in dicts or objects, None where anything on the way is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def error_name(error: BaseException) -> str:
    """Return an exception's name as ``error.type`` wants it: with its module, unless it is built in."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def fields(value: Any) -> Any:
    """Return an object as the dict of its fields where it has one, and anything else as it is.

    Models of pydantic take microseconds to answer for each field that they do not have.
    """
    if isinstance(value, dict) or not hasattr(value, "__dict__"):
        return value
    further = getattr(value, "__pydantic_extra__", None)
    return {**value.__dict__, **further} if further else value.__dict__


_models: set[type] = set()
"""Pydantic's classes seen so far: their instances can be asked directly, without a search for what they lack."""
_MOST_MODELS = 1024


def mapping(value: Any) -> dict[str, Any]:
    """Return an object as the dict of its fields, empty where it has none."""
    if type(value) in _models:
        try:
            further = value.__pydantic_extra__
        except AttributeError:
            return _mapping(value)
        return {**value.__dict__, **further} if further else value.__dict__
    return _mapping(value)


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value is None:
        return _NOTHING
    try:
        found: dict[str, Any] = _inside(value, "__dict__")
    except AttributeError:
        return _NOTHING
    try:
        further = _inside(value, "__pydantic_extra__")
    except AttributeError:
        # Azure's models are mappings that keep their fields elsewhere.
        return {key: value[key] for key in value} if hasattr(type(value), "keys") else found
    if len(_models) < _MOST_MODELS:
        _models.add(type(value))
    return {**found, **further} if further else found


def whole(value: Any) -> int | None:
    """Return a count as an int, None if it is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count(value: Any) -> int | None:
    """Return a count as an int where a library writes it as a float, None if it is not a whole one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return whole(value)


def number(value: Any) -> float | None:
    """Return a figure as a float, None if it is not one."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Return a text that is not empty, None otherwise."""
    return value if isinstance(value, str) and value else None


def items(value: Any) -> list[Any]:
    """Return the elements of a list or tuple, none where it is something else."""
    return list(value) if isinstance(value, (list, tuple)) else []


def first(*values: Any) -> Any:
    """Return the first value that is known."""
    for value in values:
        if value is not None:
            return value
    return None
