"""What the names of a library's classes tell, of which users derive their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def by_class(value: Any, table: Mapping[str, str], default: str | None = None) -> str | None:
    """Return what a table says of a value's class, or else of the nearest one that it is derived from."""
    names = (kind.__name__ for kind in type(value).__mro__)
    return next((table[name] for name in names if name in table), default)
