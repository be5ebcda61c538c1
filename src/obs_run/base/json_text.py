"""Values from and as JSON text; the encoder is made once, where ``json.dumps`` makes one for each text."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_EXACT_DIGITS = 15
"""A float has as many, wherever its point is."""


def _make_encode() -> Callable[[Any, int], Iterable[str]]:
    # As ``json.JSONEncoder`` makes it.
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=guard.shown).encode
        return lambda value, _: (encode(value),)
    escape = json.encoder.encode_basestring
    sort_keys = skip_keys = False
    encoder: Callable[[Any, int], Iterable[str]] = make(
        None,
        guard.shown,
        escape,
        None,
        ":",
        ",",
        sort_keys,
        skip_keys,
        True,  # noqa: FBT003 (C takes no names)
    )
    return encoder


_encode = _make_encode()


def to_json(value: Any) -> str:
    """Return ``value`` as JSON text; what JSON cannot say is written as its ``str``."""
    return "".join(_encode(value, 0))


def from_json(body: Any) -> Any:
    """Return what the text or bytes of a JSON body stand for, None where they are no JSON; other values as they are."""
    if isinstance(body, (bytes, bytearray)):
        body = body.decode(json.detect_encoding(body), "replace")
    if not isinstance(body, str):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def from_exact_json(text: str) -> Any:
    """Return what a JSON text stands for, or the text itself where that would not say the same: none of it is lost.

    Numbers may have more digits than Python's floats, and objects a name twice.
    """
    try:
        return json.loads(text, parse_float=_exact_float, object_pairs_hook=_exact_dict)
    except (ValueError, RecursionError):
        return text


def _exact_float(digits: str) -> float:
    number = float(digits)
    if repr(number) == digits or (len(digits) <= _EXACT_DIGITS and isfinite(number)):
        return number
    raise ValueError(digits)


def _exact_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields
