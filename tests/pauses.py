"""How long something is put off, measured so that a busy machine does not matter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def assert_puts_off(work: Callable[[], object], seconds_until_due: Callable[[], float | None], seconds: float) -> None:
    """Assert that ``work`` puts the next try off by so many seconds, some of which may be over already."""
    begun = time.monotonic()
    work()
    left = seconds_until_due()
    passed = time.monotonic() - begun
    assert left is not None
    assert left <= seconds <= left + passed + 0.001, f"{left} s left, {passed} s after the begin"
