"""Values by which log lines belong together: which are ids, and when two are one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = re.compile(
    r"(?:^|_)(?:id|ids|uuid|key|no|num|number|idx|index|ref|code|ticket|job|task|run|req|request|session|conversation|order|worker|agent|trace)$|id$",
    re.IGNORECASE,
)
_SHORTEST_CUT = 4


def is_id(name: str) -> bool:
    """Whether a value of this name tells one piece of work from others."""
    return _ID.search(name) is not None


def share_id(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether both have an id of one name and value."""
    mine, theirs = _ids(one), _ids(other)
    return any(mine[name] == theirs[name] for name in mine.keys() & theirs.keys())


def _is_same_id(one: str, other: str) -> bool:
    """Whether two ids are one, which may have been cut short."""
    if one == other:
        return True
    short, long = sorted((one.strip("#<>()[]{}"), other.strip("#<>()[]{}")), key=len)
    return len(short) >= _SHORTEST_CUT and long.startswith(short)


def _ids(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if is_id(name)}


def ids_differ(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether an id that both have is not the same."""
    mine, theirs = _ids(one), _ids(other)
    common = mine.keys() & theirs.keys()
    if common:
        return not all(_is_same_id(mine[name], theirs[name]) for name in common)
    return False


def shown_key(values: Mapping[str, str]) -> str | None:
    """Return the ids among values for people, None where there is none."""
    return ", ".join(f"{name}={value}" for name, value in _ids(values).items()) or None
