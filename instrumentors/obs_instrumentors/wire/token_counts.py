"""Counts of tokens that come in parts, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.core.operations import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable


def sum_counts(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the counts that are there, None if none is."""
    present = [count for count in counts if count is not None]
    return sum(present) if present else None


def count_by_modality(counts: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    """Return the sums of counts that stand beside their modality."""
    sums: dict[str, int] = {}
    for modality, count in counts:
        if count is not None:
            sums[modality] = sums.get(modality, 0) + count
    return sums


def usage_or_none(usage: Usage) -> Usage | None:
    """Return usage that has a count, None where it has none: then nothing was told, which is not nothing used."""
    return usage if usage.is_told() else None


def counted(usage: Usage | None) -> Usage | None:
    """Return usage that somebody counted: where a provider tells none, libraries tell zeros."""
    return usage if usage is not None and (usage.input_tokens or usage.output_tokens) else None


def merge_usage(before: Usage | None, usage: Usage | None) -> Usage | None:
    """Return usage that came later, with the counts from before where it tells none."""
    if before is None or usage is None:
        return usage or before
    for name, count in vars(before).items():
        if vars(usage).get(name) is None:
            setattr(usage, name, count)
    return usage


def sum_usages(usages: list[Usage]) -> Usage | None:
    """Return what several requests used together; None where there were none."""
    if not usages:
        return None
    names = dict.fromkeys(name for usage in usages for name in vars(usage))
    return Usage(**{name: sum_counts(vars(usage).get(name) for usage in usages) for name in names})
