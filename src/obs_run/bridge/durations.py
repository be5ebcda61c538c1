"""Durations that log lines tell: "in 3.2s", "took 120 ms", "(12ms)", "1h 2min", "0:01:05.5"."""

from __future__ import annotations

import re

UNITS = {
    "ns": 1e-9, "nanosecond": 1e-9,
    "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "usec": 1e-6, "microsecond": 1e-6,
    "ms": 1e-3, "msec": 1e-3, "milli": 1e-3, "millis": 1e-3, "millisecond": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "sekunden": 1.0, "sekunde": 1.0, "seconde": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minuten": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "stunde": 3600.0, "stunden": 3600.0,
    "d": 86400.0, "day": 86400.0,
}  # fmt: skip
"""The seconds of each unit, in lower case and without the s of a plural."""
LONGEST = 7 * 86400.0
"""What is longer was not measured by this process."""

_NUMBER = r"\d{1,12}(?:[.,]\d{1,12})?(?:e-?\d{1,2})?"
_UNIT = r"[a-zµμ]{1,12}"
_PART = re.compile(rf"\s{{0,2}}({_NUMBER})\s?({_UNIT})\.?,?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,3}) days?, )?(\d{1,3}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?")
_BARE = re.compile(_NUMBER, re.IGNORECASE)
_TOLD = re.compile(
    rf"(?:\b(?:in|took|taken|after|within|for|duration|elapsed|latency|runtime|time|spent|dauer)\b[ :=~(]{{0,3}}"
    rf"(?:of |was |is )?|[(\[])"
    rf"~?(?P<amount>{_NUMBER}\s?{_UNIT}(?:\s{_NUMBER}\s?{_UNIT}){{0,3}}|\d{{1,3}}:\d\d:\d\d(?:\.\d{{1,9}})?)(?![\w/])",
    re.IGNORECASE,
)
_KEYED = re.compile(
    rf"\b(?:dur|duration|took|latency)_(?P<unit>us|ms|s|secs?|seconds)[=:]\s?(?P<amount>{_NUMBER})(?![\w/])",
    re.IGNORECASE,
)
"""A duration as the value of a key that has its unit: "dur_ms=12.5"."""
_NOT_MEASURED = re.compile(
    r"\b(?:time[sd]?[ -]?out|retry\w*|wait\w*|sleep\w*|paus\w*|running|uptime|eta|interval|every|idle|up to|avg|"
    r"average|mean|median|max|min|limit|budget|exceed\w*|"
    r"deadline|next|remaining|left|expir\w*|ttl|delay\w*|backoff|back off|cooldown|so far|"
    r"still|will|again|within|p9\d|ago|recording|schedul\w*|keep-?alive|older than)\b",
    re.IGNORECASE,
)
_CLAUSE_ENDS = (". ", ";", ", ", "|", " - ")


def parse(text: str, unit: str | None = None) -> float | None:
    """Return the seconds that "1m 3.2s" means, with ``unit`` that of a bare number; None for what is no duration."""
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return _within_bounds(_clock_seconds(*clock.groups()))
    if _BARE.fullmatch(text):
        return None if unit is None else _within_bounds(_number(text) * UNITS[unit])
    seconds, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        size = None if part is None else unit_seconds(part.group(2))
        if part is None or size is None:
            return None
        seconds += _number(part.group(1)) * size
        at = part.end()
    return _within_bounds(seconds) if text else None


def find(text: str) -> float | None:
    """Return the seconds of a duration that a line tells was measured; limits, intervals and the like are none."""
    for match in _TOLD.finditer(text):
        begin = max(text.rfind(end, 0, match.start()) for end in _CLAUSE_ENDS) + 1
        if _NOT_MEASURED.search(text[begin : match.end()]):
            continue
        # "retrying in 2s", and "2s ago"
        if _NOT_MEASURED.match(text[match.end() : match.end() + 12].lstrip()):
            continue
        seconds = parse(match.group("amount"))
        if seconds is not None:
            return seconds
    keyed = _KEYED.search(text)
    size = None if keyed is None else unit_seconds(keyed.group("unit"))
    return None if keyed is None or size is None else _within_bounds(_number(keyed.group("amount")) * size)


def unit_seconds(unit: str) -> float | None:
    """Return how many seconds a unit has; None for a word that is no unit."""
    unit = unit.lower()
    return UNITS.get(unit) or (UNITS.get(unit.removesuffix("s")) if unit[1:] != "s" else None)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _clock_seconds(days: str | None, first: str, second: str, third: str | None) -> float:
    if third is None:
        return int(first) * 60.0 + int(second)
    return int(days or 0) * 86400.0 + int(first) * 3600.0 + int(second) * 60.0 + float(third)


def _within_bounds(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= LONGEST else None
