"""How large a pattern of the user's becomes when its repetitions are written out, as the library ``regex`` does."""

from __future__ import annotations

import re

LARGEST = 100_000
"""Some megabytes."""

_REPEAT = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_SET = re.compile(r"\[\^?\]?")
_NAMED = re.compile(r"\\[pPNgx]\{[^}]*\}|\\.", re.DOTALL)


def size(pattern: str) -> int:
    """Return the number of elements of ``pattern``, each as often as it is repeated at most."""
    groups: list[list[int]] = [[]]
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        repeat = _REPEAT.match(pattern, at)
        if sign == "\\":
            found = _NAMED.match(pattern, at)
            at = found.end() if found else at + 1
            groups[-1].append(1)
        elif sign == "[":
            at = _end_of_set(pattern, at)
            groups[-1].append(1)
        elif repeat is not None and groups[-1]:
            groups[-1][-1] *= _times(repeat)
            at = repeat.end()
        else:
            _read(sign, groups)
            at += 1
    return sum(map(sum, groups))


def _read(sign: str, groups: list[list[int]]) -> None:
    if sign == "(":
        groups.append([])
    elif sign == ")" and len(groups) > 1:
        inner = groups.pop()
        groups[-1].append(1 + sum(inner))
    else:
        groups[-1].append(1)


def _times(repeat: re.Match[str]) -> int:
    low, _, high = repeat.groups()
    return max(1, int(low or 0), int(high or 0))


def _end_of_set(pattern: str, at: int) -> int:
    """Return where the set that begins at ``at`` is over; sets may hold sets."""
    # A bracket that closes right after the opening one stands for itself.
    begin = _SET.match(pattern, at)
    depth, at = 1, begin.end() if begin else at + 1
    while at < len(pattern) and depth:
        sign = pattern[at]
        depth += (sign == "[") - (sign == "]")
        at += 2 if sign == "\\" else 1
    return at
