"""How many examples and cases of one kind are tried: some after each change, all in ``make test``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHARE = 5


def examples(whole: int) -> int:
    """Return ``whole`` where ``OBS_TESTS_EXAMPLES=all``, else a share of it."""
    return whole if os.environ.get("OBS_TESTS_EXAMPLES") == "all" else whole // _SHARE


def every_third(names: Iterable[str]) -> list[Any]:
    """Return cases of one kind: every third is run after each change, and all before it goes in."""
    return [pytest.param(name, marks=() if number % 3 == 0 else pytest.mark.slow) for number, name in enumerate(names)]
