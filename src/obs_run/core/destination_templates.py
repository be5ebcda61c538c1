"""Names of queues, subjects, channels and keys without their varying parts, of which there are few."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["template_of"]

_VARYING = re.compile(r"\d+|[0-9A-Fa-f]{8,}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?=.*\d)[\w-]{16,}")
"""What an id looks like, among the words of a name."""
_MOST_NAMES = 1024


@lru_cache(_MOST_NAMES)
def template_of(name: str, separators: str = ".") -> str:
    """Return a name with ``*`` in the place of words that are ids; ``separators`` stand between words."""
    words = re.split(f"([{re.escape(separators)}])", name)
    return "".join("*" if _VARYING.fullmatch(word) else word for word in words)
