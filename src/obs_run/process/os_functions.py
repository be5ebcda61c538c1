"""Functions of ``os`` with something of ours before them, which stay what they are to everybody who looks."""

from __future__ import annotations

import os
import sys

from obs_run.base import stand_in

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Called = Callable[[], Callable[..., Any]]


def replace(name: str, make: Callable[[Any], Called]) -> None:
    """Have what ``make(original)`` gives say what a call of ``os.name`` calls; nothing happens where there is none."""
    original = getattr(os, name, None)
    if original is None:
        return
    replacement = stand_in.StandIn(original, make(original))
    setattr(os, name, replacement)
    # Pickled, it is a name in the module that it is from, and must be found there.
    home = sys.modules.get(original.__module__)
    if getattr(home, name, None) is original:
        setattr(home, name, replacement)
