"""Which warnings Python has shown once; it forgets them all when anybody sets a filter."""

from __future__ import annotations

import warnings

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def keep() -> Callable[[], None]:
    """Have filters that a module sets as it is imported not make Python forget, until the result is called."""
    original = warnings.simplefilter

    def add(action: Any, category: type[Warning] = Warning, lineno: int = 0, append: bool = False) -> None:  # noqa: FBT001, FBT002 (its signature)
        item = (action, None, category, None, lineno)
        if item not in warnings.filters:
            warnings.filters.insert(len(warnings.filters) if append else 0, item)  # type: ignore[attr-defined]

    def end() -> None:
        if warnings.simplefilter is add:
            warnings.simplefilter = original

    warnings.simplefilter = add  # type: ignore[assignment]
    return end
