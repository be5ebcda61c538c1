"""How durations, money, times and foreign text are written for people."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float | None) -> str:
    """Return ``seconds`` with the unit that suits: 0.4ms, 123ms, 1.23s, 2m03s, 1h02m."""
    if seconds is None:
        return "?"
    if seconds < 0.01:  # noqa: PLR2004 (below it tenths of a millisecond tell something)
        return f"{seconds * 1000:.1f}ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < _MINUTE:
        return f"{seconds:.2f}s"
    whole = round(seconds)
    if seconds < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"


def age(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that fits whole, as settings are written: 30d, 12h, 90m, 45s."""
    for unit, length in (("d", 86400), ("h", _HOUR), ("m", _MINUTE)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


def money(dollars: float) -> str:
    """Return ``dollars`` with two places from a dollar on, else with four or as many as it takes to see a figure."""
    if dollars == 0 or dollars >= 1:
        return f"${dollars:.2f}"
    places = 4
    while places < 10 and round(dollars, places) < 10 ** (1 - places):  # noqa: PLR2004 (below it is nothing)
        places += 1
    return f"${dollars:.{places}f}"


def usage(input_tokens: int | None, output_tokens: int | None, cost: float | None) -> str:
    """Return tokens and cost as ``in=812 out=40 cost=$0.0021``; what is unknown is left out."""
    words = []
    if input_tokens is not None:
        words.append(f"in={input_tokens}")
    if output_tokens is not None:
        words.append(f"out={output_tokens}")
    if cost is not None:
        words.append(f"cost={money(cost)}")
    return " ".join(words)


def clock(time_ns: int) -> str:
    """Return the local date and time with its offset from UTC."""
    return datetime.fromtimestamp(time_ns // 10**9).astimezone().isoformat(sep=" ")


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 span`` or ``2 spans``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def one_line(text: str) -> str:
    """Return foreign text on one line, without control characters that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text
    )


def a_size(number: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004 (the step between units)
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
