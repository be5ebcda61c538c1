"""Plain values as JSON text, by an encoder that is made once: ``json.dumps`` makes one for each text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


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
