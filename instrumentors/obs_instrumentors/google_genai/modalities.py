"""Tokens that both of Google's APIs count by what they stand for: text, images, audio."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sum_counts(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the counts that are known, None if none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def count_by_modality(counts: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    """Return the sums of counts that stand beside their modality."""
    sums: dict[str, int] = {}
    for modality, count in counts:
        if count is not None:
            sums[modality] = sums.get(modality, 0) + count
    return sums
