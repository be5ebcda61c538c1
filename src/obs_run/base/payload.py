"""Reading what libraries return, whether it is JSON as dicts or objects with attributes.

``get`` follows a path and ``get_text``, ``get_int``, ``get_float`` and ``get_list`` check what is there; the ``as_``
functions check a value that the caller already has. What is missing or of another type is None (a list: empty), so
that a provider's novelty costs an attribute and not the operation.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "as_count",
    "as_dict",
    "as_dict_or_self",
    "as_float",
    "as_int",
    "as_list",
    "as_text",
    "coalesce",
    "error_name",
    "get",
    "get_float",
    "get_if_readable",
    "get_int",
    "get_list",
    "get_text",
]

_LEAST_INT, _MOST_INT = -(2**63), 2**63 - 1
_EMPTY: dict[str, Any] = {}
# Classes with a __getattr__, as pydantic's models have, answer getattr() three times more slowly.
_get_attribute = object.__getattribute__


def get(value: Any, *path: str) -> Any:
    """Return what stands at ``path`` in dicts or objects, None where anything on the way is missing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def get_if_readable(value: Any, name: str) -> Any:
    """Return what an attribute holds, None where it is missing, or is a property of the agent's that fails."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 (the agent's code, which nobody but us has asked)
        return None


# These repeat what the as_ functions say: a call within would be a third of their cost, and a response has dozens.


def get_text(value: Any, *path: str) -> str | None:
    """Return the text at ``path`` that is not empty, None otherwise."""
    text = get(value, *path)
    if type(text) is str:
        return text or None
    return as_text(text)


def get_int(value: Any, *path: str) -> int | None:
    """Return the int at ``path``, None if there is none."""
    return as_int(get(value, *path))


def get_float(value: Any, *path: str) -> float | None:
    """Return the number at ``path`` as a float, None if there is none."""
    return as_float(get(value, *path))


def get_list(value: Any, *path: str) -> list[Any]:
    """Return the elements of the list or tuple at ``path``, an empty list if there is none."""
    elements = get(value, *path)
    return list(elements) if isinstance(elements, (list, tuple)) else []


def error_name(error: BaseException) -> str:
    """Return an exception's name as ``error.type`` wants it: with its module, unless it is built in."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def as_dict_or_self(value: Any) -> Any:
    """Return an object as the dict of its fields where it has one, and anything else as it is.

    Models of pydantic take microseconds to answer for each field that they do not have.
    """
    if isinstance(value, dict) or not hasattr(value, "__dict__"):
        return value
    extra = getattr(value, "__pydantic_extra__", None)
    return {**value.__dict__, **extra} if extra else value.__dict__


_pydantic_models: set[type] = set()
"""Pydantic's classes seen so far: their instances can be asked directly, without a search for what they lack."""
_MAX_PYDANTIC_MODELS = 1024


def as_dict(value: Any) -> dict[str, Any]:
    """Return an object as the dict of its fields, empty where it has none."""
    if type(value) in _pydantic_models:
        try:
            extra = value.__pydantic_extra__
        except AttributeError:
            return _as_dict(value)
        return {**value.__dict__, **extra} if extra else value.__dict__
    return _as_dict(value)


def _as_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value is None:
        return _EMPTY
    try:
        fields: dict[str, Any] = _get_attribute(value, "__dict__")
    except AttributeError:
        return _EMPTY
    try:
        extra = _get_attribute(value, "__pydantic_extra__")
    except AttributeError:
        # Azure's models are mappings that keep their fields elsewhere.
        return {key: value[key] for key in value} if hasattr(type(value), "keys") else fields
    # Classes may be made without end, such as one for each answer's schema.
    if len(_pydantic_models) < _MAX_PYDANTIC_MODELS:
        _pydantic_models.add(type(value))
    return {**fields, **extra} if extra else fields


def as_int(value: Any) -> int | None:
    """Return a value that is an int as a plain one, None otherwise; a bool is none, nor is what OTLP cannot say."""
    if type(value) is not int:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        value = int.__int__(value)
    return value if _LEAST_INT <= value <= _MOST_INT else None


def as_count(value: Any) -> int | None:
    """Return a count as an int where a library writes it as a float, None if it is not a whole one."""
    if isinstance(value, float) and value.is_integer():
        return as_int(int(value))
    return as_int(value)


def as_float(value: Any) -> float | None:
    """Return a number as a float, None if it is none; a bool is none."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def as_text(value: Any) -> str | None:
    """Return a text that is not empty, as a plain one, None otherwise."""
    if type(value) is str:
        return value or None
    # A member of an enumeration of texts would be shown by its own name.
    return (str.__str__(value) or None) if isinstance(value, str) else None


def as_list(value: Any) -> list[Any]:
    """Return the elements of a list or tuple, an empty list for anything else."""
    return list(value) if isinstance(value, (list, tuple)) else []


def coalesce(*values: Any) -> Any:
    """Return the first value that is not None."""
    for value in values:
        if value is not None:
            return value
    return None
