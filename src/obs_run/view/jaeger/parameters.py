"""Parameters of Jaeger's API: times, durations and numbers as Go's standard library reads and writes them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PIECE = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_TRUTH = {**dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
          **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False)}  # fmt: skip
_ID_DIGITS = 32


class ParameterError(ValueError):
    """A parameter is missing or malformed: the request's fault."""


def named(query: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Return the first of ``names`` that has a value, and the value; the last and nothing where none has."""
    name = next((name for name in names if query.get(name)), names[-1])
    return name, query.get(name, "")


def whole(name: str, text: str) -> int:
    """Return a decimal number."""
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise ParameterError(f'malformed parameter {name}: parsing "{text}": invalid syntax')
    return int(text)


def boolean(name: str, text: str) -> bool:
    """Return a truth value; an empty one is false."""
    if not text:
        return False
    if text not in _TRUTH:
        raise ParameterError(f'malformed parameter {name}: strconv.ParseBool: parsing "{text}": invalid syntax')
    return _TRUTH[text]


def time_ns(name: str, text: str) -> int:
    """Return the nanoseconds since 1970 of a time in RFC 3339."""
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)  # noqa: TRY301 (one message for both)
        moment = datetime.fromisoformat(found[1] + (found[3] if found[3] != "Z" else "+00:00"))
    except ValueError:
        raise ParameterError(f'malformed parameter {name}: parsing time "{text}"') from None
    seconds = int((moment - datetime.fromtimestamp(0, timezone.utc)).total_seconds())
    return seconds * 10**9 + int((found[2] or "0")[:9].ljust(9, "0"))


def duration_ns(name: str, text: str) -> int:
    """Return the nanoseconds of a duration as Go writes it: 1h2m, 1.5s, 100ms."""
    if not text or text.lstrip("+-") == "0":
        return 0
    signed = text.lstrip("+-")
    pieces = list(_PIECE.finditer(signed))
    if "".join(piece[0] for piece in pieces) != signed or len(text) - len(signed) > 1:
        raise ParameterError(f'malformed parameter {name}: time: invalid duration "{text}"')
    total = sum(round(float(piece[1]) * _UNITS[piece[2]]) for piece in pieces)
    return -total if text[0] == "-" else total


def go_duration(nanoseconds: int) -> str:
    """Return a duration as Go prints it."""
    sign, rest = "-" if nanoseconds < 0 else "", abs(nanoseconds)
    if rest == 0:
        return "0s"
    for unit, length in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if rest < length * 1000:
            return f"{sign}{_decimal(rest, length)}{unit}"
    minutes, rest = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{sign}{text}{_decimal(rest, 10**9)}s"


def trace_id(text: str) -> str:
    """Return a trace id with all its digits; Jaeger takes shorter ones."""
    if not re.fullmatch(rf"[0-9a-fA-F]{{1,{_ID_DIGITS}}}", text):
        raise ParameterError(f'malformed parameter trace_id: strconv.ParseUint: parsing "{text}": invalid syntax')
    return text.lower().rjust(_ID_DIGITS, "0")


def _decimal(value: int, unit: int) -> str:
    before, after = divmod(value, unit)
    digits = f"{after:0{len(str(unit)) - 1}d}".rstrip("0") if after else ""
    return f"{before}.{digits}" if digits else str(before)
