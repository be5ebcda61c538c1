"""What instrumentors read alike of the outcome of a call, whatever the library."""

from __future__ import annotations

from typing import Any


def read_nothing(_operation: Any, _returned: Any) -> None:
    """Leave it at what the call says, and at what those tell that are inside of it."""
