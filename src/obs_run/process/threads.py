"""Threads of ours in the eyes of the system."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

_GONE_PATIENCE = 0.05


def wait_until_gone(thread: threading.Thread) -> None:
    """Wait a moment for the system to forget a thread that ended: Python 3.12 warns of forks by the system's count."""
    place = f"/proc/self/task/{thread.native_id}"
    deadline = time.monotonic() + _GONE_PATIENCE
    while os.path.exists(place) and time.monotonic() < deadline:
        time.sleep(0)
