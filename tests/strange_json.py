"""JSON that is well formed and strange: wide and deep, with odd numbers, half characters and names that come twice."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

# A mark in each text tells the texts apart from what merely looks like them.
_numbers = iter(range(10**9))
MARKED = st.text(st.characters(), max_size=20).map(lambda text: f"<{next(_numbers)}>{text}")
ODD_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([2**63, 10**30, 1e300])
JSON = st.recursive(
    st.none() | st.booleans() | ODD_NUMBERS | MARKED,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(MARKED, inner, max_size=5),
    max_leaves=20,
)


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    return value


OBJECTS = st.builds(
    lambda fields, levels: {"fields": _deep(fields, levels)}, JSON, st.sampled_from([0, 1, 5, 14, 15, 16, 30, 90])
)
DIGITS = st.sampled_from(["12500000000000000000", "0.12345678901234567890123", "-0", "1E400", '"\\ud83d"'])
ARGUMENTS = st.one_of(
    OBJECTS.map(json.dumps),
    MARKED,
    st.builds(lambda mark, digits: f'{{"{json.dumps(mark)[1:-1]}":{digits},"a":1,"a":2}}', MARKED, DIGITS),
    st.builds(lambda mark, count: "[" * count + mark, MARKED, st.integers(1, 3000)),
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Return what can be another in a value: the lists and dicts in it, each with a place there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, item in inner:
        yield value, place
        yield from _places(item)


def _changed(body: Any, changes: list[tuple[int, Any]]) -> Any:
    body = copy.deepcopy(body)
    for number, value in changes:
        places = list(_places(body))
        if places:
            holder, place = places[number % len(places)]
            holder[place] = copy.deepcopy(value)
    return body


def changed(body: Any) -> st.SearchStrategy[Any]:
    """Return bodies like one, with something else in one place or several."""
    value: st.SearchStrategy[Any] = JSON | st.sampled_from(
        [None, [], {}, "", 0, -1, 2**63, [[]], [None], {"type": None}]
    )
    changes = st.lists(st.tuples(st.integers(0, 10**6), value), min_size=1, max_size=3)
    return st.builds(_changed, st.just(body), changes)
