"""Columns of passwords: what stands in a table of commas, tabs or bars under the name of a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.field_names import NameRule
    from obs_run.privacy.matches import Subject

_SEPARATORS = (b",", b"|", b"\t", b";")
_RULER = re.compile(rb"[\s|:+=-]*$")
_CELL = re.compile(rb"[a-z?_ -]{1,40}$")
_LONGEST_LINE, _MOST_ROWS = 1000, 50
_AROUND_CELL = b" \t\"'\r"


def below(subject: Subject, first: int, last: int, rule: NameRule) -> Iterator[Match]:
    """Find the cells under a head that is the name from ``first`` to ``last``."""
    low = subject.low
    start = low.rfind(b"\n", max(0, first - _LONGEST_LINE), first) + 1
    end = low.find(b"\n", last, last + _LONGEST_LINE)
    if end < 0 or first - start > _LONGEST_LINE:
        return
    if low.count(b'"', start, first) % 2:
        start = low.rfind(b'"', start, first) + 1  # the table is a text of JSON
    head = low[start:end]
    separator = next((sign for sign in _SEPARATORS if sign in head), None)
    if separator is None or not _is_head(head, separator):
        return
    column = low[start:first].count(separator)
    for at, cells in _rows(low, end + 1, separator):
        if len(cells) != head.count(separator) + 1:
            return
        if not _RULER.match(separator.join(cells)):
            yield from _cell(subject, at, cells, column, rule)


def _is_head(head: bytes, separator: bytes) -> bool:
    """Whether all cells of a line are names."""
    # Only tables with bars have empty ends; lines of code that end with a comma are none.
    inner = head.strip().strip(b"|") if separator == b"|" else head
    return all(_CELL.match(name.strip(_AROUND_CELL)) for name in inner.split(separator))


def _rows(low: bytes, at: int, separator: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Return where the lines from ``at`` begin, with their cells, to the end of the text or a line that is none."""
    for _ in range(_MOST_ROWS):
        stop = low.find(b"\n", at)
        line = low[at : stop if stop >= 0 else min(len(low), at + 2 * _LONGEST_LINE)]
        if line.count(b'"') % 2:
            line = line[: line.find(b'"')]
        if len(line) > _LONGEST_LINE:
            return
        yield at, line.split(separator)
        if stop < 0:
            return
        at = stop + 1


def _cell(subject: Subject, at: int, cells: list[bytes], column: int, rule: NameRule) -> Iterator[Match]:
    cell = cells[column]
    text = cell.strip(_AROUND_CELL)
    start = at + sum(len(one) + 1 for one in cells[:column]) + cell.find(text)
    # Columns of a sentence are words.
    if (
        text
        and not text.isalpha()
        and b" " not in text
        and not is_free(text)
        and fits(rule, subject.raw[start : start + len(text)].decode())
    ):
        yield Match(start, start + len(text), rule.kind)
