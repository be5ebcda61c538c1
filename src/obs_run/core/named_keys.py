"""Keys, lists and queues that the user names in a setting, by patterns, because nothing else tells what they are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from obs_run import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["pattern_of"]


def pattern_of(names: Iterable[str], setting: str) -> str | None:
    """Return the first of the patterns of a setting that one of the names fits, None where there is none."""
    patterns = settings.get(setting)
    if not patterns:
        return None
    return next((pattern for name in names for pattern in patterns if fnmatchcase(name, pattern)), None)
