"""A yardstick for durations: what the machine makes of a piece of work that runs beside, all the while."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


class Took(NamedTuple):
    """How long the work took, and the slowest of the yardsticks that ran meanwhile."""

    seconds: float
    yardstick: float

    def assert_within(self, seconds: float, yardsticks: int) -> None:
        """Assert that it took no longer than it may wait, and than so many yardsticks beside that."""
        most = seconds + yardsticks * self.yardstick
        figures = f"{self.seconds:.2f} s, of {most:.2f} = {seconds} + {yardsticks} x {self.yardstick:.2f}"
        print(figures)
        assert self.seconds <= most, figures


def beside(work: Callable[[], object], yardstick: Callable[[], object]) -> Took:
    """Do ``work``, and ``yardstick`` again and again until it is done; both mean their time, not the machine's."""
    slowest = 0.0
    over = threading.Event()

    def measure() -> None:
        nonlocal slowest
        while True:
            slowest = max(slowest, _seconds(yardstick))
            if over.wait(slowest):
                return

    measuring = threading.Thread(target=measure)
    measuring.start()
    try:
        seconds = _seconds(work)
    finally:
        over.set()
        measuring.join()
    return Took(seconds, slowest)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.monotonic()
    work()
    return time.monotonic() - begin
