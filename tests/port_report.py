"""Run in a Python that uses a guarded port: tells the guard, if it is the guard's own process or below it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def tell(event: str, address: object, guard: int, report: str) -> None:
    """Write the use down for the guard of the process ``guard``; several sessions share an environment's Pythons."""
    if guard in _ancestors():
        who = "this test" if os.getpid() == guard else getattr(sys, "argv", None)
        with Path(report).open("a") as file:
            file.write(f"{event} {address} by {who}\n")


def _ancestors() -> set[int]:
    """Return the ids of this process and of those above it."""
    pid = os.getpid()
    found = set()
    while pid > 1:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found
