"""Tags and fields that agents give to spans, as plain values and as OpenTelemetry's attributes; nothing raises."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.json_text import to_json
from obs_run.base.plain_values import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

INT64 = 2**63
SHORT = 1024
_RESERVED = 8  # attributes that are set at a span's end
_SCALARS = frozenset({str, int, float, bool})


def _most() -> int:
    for name in ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"):
        text = os.environ.get(name, "").strip()
        if text.isdecimal():
            return int(text)
    return 128


MOST = max(1, _most() - _RESERVED)
"""How many tags a span takes; the SDK would drop the oldest for each one more, and say so every time."""


def is_short(value: Any) -> bool:
    """Whether a value is its own attribute: a number, a bool, or a text that is short and ASCII."""
    kind = type(value)
    if kind is str:
        return len(value) <= SHORT and value.isascii()
    if kind is int:
        return bool(-INT64 <= value < INT64)
    if kind is float:
        # NaN and the infinities have no JSON form.
        return math.isfinite(value)
    return kind is bool


def plain(value: Any) -> Any:
    """Return any value as texts, numbers, bools, None, and dicts and lists of them."""
    return guard.call("tag", Snapshot().value, value, default=f"[{type(value).__name__}]")


def text(value: Any) -> str:
    """Return any value as a text."""
    shown: str = guard.call("tag", Snapshot().text, value, default=f"[{type(value).__name__}]")
    return shown


def name(key: Any) -> str:
    """Return any key as the name of an attribute."""
    return text(key) or "[empty]"


def mapping(tags: Any) -> Mapping[Any, Any]:
    """Return tags as a mapping; what is none is said once and left out."""
    if type(tags) is dict:
        return tags
    if tags is None:
        return {}
    try:
        return dict.copy(tags) if isinstance(tags, dict) else dict(tags)
    except Exception as error:  # noqa: BLE001 (whatever it is)
        guard.pass_on_thrown_in(error)
        guard.warn_once(f"tags of type {type(tags).__name__} are not allowed; allowed: a dict; left out")
        return {}


def listed(references: Any) -> list[Any]:
    """Return references as a list; what is none is its one element."""
    if references is None:
        return []
    return list(references) if isinstance(references, (list, tuple, set, frozenset)) else [references]


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event as plain values."""
    if all(is_short(value) for value in values.values()):
        return dict(values)
    plain_values: dict[str, Any] = guard.call("event", Snapshot().fields, values, default={})
    return plain_values


def exported(value: Any) -> Any:
    """Return a plain value as an attribute: lists of one type stay lists, other lists and dicts become JSON."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if value is None:
        return "None"
    if kind is list:
        kinds = {type(item) for item in value}
        if len(kinds) <= 1 and kinds <= _SCALARS:
            return value
    return to_json(value)


def all_exported(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as attributes."""
    return {name: value if type(value) in _SCALARS else exported(value) for name, value in values.items() if name}


def weight(value: Any) -> int:
    """Return roughly how many bytes an attribute holds."""
    if isinstance(value, str):
        return len(value)
    return 64 * len(value) if isinstance(value, list) else 0


def as_json(value: Any) -> str:
    """Return plain values as one line of JSON; agents may have put others among them."""
    try:
        return to_json(value)
    except (TypeError, ValueError, RecursionError):
        return to_json(plain(value))
