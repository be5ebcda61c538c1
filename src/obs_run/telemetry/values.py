"""Attribute values as JSON that always parses and gives the same value back.

JSON has no bytes, NaN or infinity: they are written as ``{"$bytes": base64}`` and ``{"$float": "nan"}``; a mapping of
the user's whose keys look like these is wrapped as ``{"$map": ...}``. Everything else is plain JSON, so that SQLite's
own JSON functions can be used on the file.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_DEEPEST = 64
_plain: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_ascii: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def encode(value: Any) -> str:
    """Return ``value`` (an AnyValue of OpenTelemetry) as JSON text that SQLite can hold."""
    try:
        text = _plain(value)
    except (TypeError, ValueError, RecursionError):
        value = _marked(value, 0)
        text = _plain(value)
    else:
        if '"$' in text:
            value = _marked(value, 0)
            text = _plain(value)
    return text if storable(text) else _ascii(value)


def decode(text: str | None) -> Any:
    """Return the value that :func:`encode` was given, with tuples as lists."""
    if not text:
        return None
    value = json.loads(text)
    return _restored(value) if '{"$' in text else value


def storable(text: str) -> bool:
    """Tell whether ``text`` can be UTF-8; lone surrogates cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean(value: Any) -> str:
    """Return ``value`` as a string that SQLite can hold."""
    text: str = value if isinstance(value, str) else str(value)
    return text if storable(text) else text.encode("utf-8", "backslashreplace").decode()


def _marked(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, float):
        return {"$float": str(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": b64encode(value).decode("ascii")}
    return _marked_items(value, depth)


def _marked_items(value: Any, depth: int) -> Any:
    if depth >= _DEEPEST:
        return "(nested too deep)"
    if isinstance(value, Mapping):
        marked = {str(key): _marked(item, depth + 1) for key, item in value.items()}
        return {"$map": marked} if any(key.startswith("$") for key in marked) else marked
    if isinstance(value, (Sequence, set, frozenset)):
        return [_marked(item, depth + 1) for item in value]
    return str(value)


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, item),) = value.items()
        if key == "$bytes":
            return b64decode(item)
        if key == "$float":
            return float(item)
        if key == "$map":
            value = item
    return {key: _restored(item) for key, item in value.items()}
