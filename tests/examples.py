"""How many examples and cases of one kind are tried: some after each change, all in ``make test``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHARE = 5


def examples(whole: int) -> int:
    """Return a share of ``whole``; all with ``OBS_TESTS_EXAMPLES=all``, ten times as many with ``many``."""
    asked = os.environ.get("OBS_TESTS_EXAMPLES")
    return {"all": whole, "many": whole * 10}.get(asked or "", whole // _SHARE)


def one_in(step: int, cases: Iterable[Any]) -> list[Any]:
    """Return cases of one kind: the first of each ``step`` is run after each change, and all before it goes in.

    A case is a value, or a tuple of several.
    """
    return [_with_mark(case, is_quick=number % step == 0) for number, case in enumerate(cases)]


def crossed(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """Return each of the first with each of the second: after each change as few pairs as have each of them once."""
    firsts, seconds = list(first), list(second)
    fewer = min(len(firsts), len(seconds))
    return [
        _with_mark((one, other), is_quick=number % fewer == place % fewer)
        for number, one in enumerate(firsts)
        for place, other in enumerate(seconds)
    ]


def _with_mark(case: Any, *, is_quick: bool) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=() if is_quick else pytest.mark.slow)
