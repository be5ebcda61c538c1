"""In how many ways a regular expression may try to match a text: the module ``re`` has no end but that of trying all.

An upper bound from the parsed expression. What repeats something that itself may match in several ways has no bound.
"""

from __future__ import annotations

import math
import re
import sys
from importlib import import_module
from typing import Any

LONGEST_TEXT = 512
"""Addresses and names of models are shorter; what is longer is matched as far as that."""
MOST = 64 * LONGEST_TEXT**2
"""Two repetitions without an end and some choices: a fraction of a second."""
_LONGEST = 2_000

_parser: Any = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def check(pattern: str) -> None:
    """Raise ``re.error`` where a pattern is none, or may take for ever."""
    re.compile(pattern)
    if len(pattern) > _LONGEST:
        raise re.error(f"a pattern has more than {_LONGEST} characters")
    if _of_sequence(_parser.parse(pattern)) > MOST:
        raise re.error(f"the pattern {pattern!r} may take too long: it repeats what may match in several ways")


def _of_sequence(items: Any) -> float:
    return math.prod(_of_item(str(name), value) for name, value in items)


def _of_item(name: str, value: Any) -> float:
    if name.endswith("_REPEAT") and not name.startswith("POSSESSIVE"):
        least, most, body = value
        return _of_repeat(int(least), int(most), _of_sequence(body))
    if name == "BRANCH":
        return sum(map(_of_sequence, value[1]))
    return math.prod(map(_of_sequence, _inside(value)))


def _of_repeat(least: int, most: int, ways: float) -> float:
    times = min(most, LONGEST_TEXT)
    if ways > 1 and times > 1:
        return math.inf if times * math.log(ways) > math.log(MOST) else ways**times * (times - least + 1)
    return max(1, times - least + 1) * ways if most > 1 else 1 + ways


def _inside(value: Any) -> list[Any]:
    """Return the expressions that a group, a look-around or a condition holds."""
    if isinstance(value, _parser.SubPattern):
        return [value]
    if isinstance(value, tuple):
        return [each for each in value if isinstance(each, _parser.SubPattern)]
    return []
