"""What ``obsctl doctor`` finds."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One line: ok, - (off, or nothing to do), ! (look at it) or FAIL, what it is about, and what was found."""

    mark: str
    about: str
    text: str
