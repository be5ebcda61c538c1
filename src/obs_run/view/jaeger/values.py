"""Values of attributes as OpenTelemetry's Go library writes them as text."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def as_string(value: Any) -> str:
    """Return a value as ``Value.AsString`` does."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, float):
        return _float(value)
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.translate(_ESCAPES)


def _float(value: float) -> str:
    """Return a number as Go's JSON does: whole ones without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)  # noqa: PLR2004 (Go's bound)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value
