"""Tables that fit the terminal: columns of less weight go first, and long texts are cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from obs_run.cli import terminal, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.analysis.trace_tree import Node

_GAP = "  "
_DEEPEST = 10
"""Spans deeper in the tree are not indented further; how deep they are is said."""
_SHORTEST = 18
"""A text is cut to no less before a column goes."""


class Column(NamedTuple):
    """A column."""

    title: str
    weight: int = 0
    """0 for what always stays; of others the largest goes first."""
    is_number: bool = False
    is_cut: bool = False
    """Whether the text may be cut."""
    is_shared: bool = False
    """Whether it goes where all rows say the same."""


class Row(NamedTuple):
    """A row, and how a terminal shows it."""

    cells: tuple[str, ...]
    style: str = ""


def print_table(columns: Sequence[Column], rows: Sequence[Row]) -> None:
    """Print the rows below their titles."""
    print_lines(lines(columns, rows, _width()))


def print_lines(styled: Sequence[tuple[str, str]]) -> None:
    """Print lines, each in its style where people look at them."""
    if not terminal.is_terminal():
        for text, _ in styled:
            print(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, style in styled:
        console.print(Text(text, style or ""), soft_wrap=True)


def lines(columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> list[tuple[str, str]]:
    """Return the table as lines with their styles, none longer than ``width`` while there is a way."""
    cells = [[words.one_line(cell) for cell in row.cells] for row in rows]
    shown = [at for at, column in enumerate(columns) if not column.is_shared or len({row[at] for row in cells}) > 1]
    columns = [columns[at] for at in shown]
    cells = [[row[at] for at in shown] for row in cells]
    kept = list(range(len(columns)))
    widths = [max(len(column.title), *(len(row[at]) for row in cells)) if cells else len(column.title)
              for at, column in enumerate(columns)]  # fmt: skip
    if width is not None:
        kept = _kept(columns, widths, width)
        _cut(columns, widths, kept, width)
    titles = [column.title for column in columns]
    styled = [(_line(columns, titles, widths, kept), "dim")]
    styled += [(_line(columns, row, widths, kept), rows[at].style) for at, row in enumerate(cells)]
    return styled


def indent(depth: int) -> str:
    """Return what stands before the name of a span so deep in its tree."""
    return "  " * min(depth, _DEEPEST) + (f"({depth}) " if depth > _DEEPEST else "")


def indented(node: Node) -> str:
    """Return the name of the span behind its indentation."""
    return indent(sum(1 for _ in node.ancestors())) + node.span.name


def share(part: float, whole: float) -> str:
    """Return what part of the whole it is, as ``12%``."""
    return f"{part / whole:.0%}" if whole else "-"


def change(before: float | None, now: float | None) -> str:
    """Return by how much it is more or less, as ``+12%``."""
    return "-" if not before or now is None else f"{now / before - 1:+.0%}"


def number(value: float | None) -> str:
    """Return a count, short from ten thousands on; ``-`` for None."""
    if value is None:
        return "-"
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10 * size:
            return f"{value / size:.1f}{unit}"
    return f"{value:g}" if isinstance(value, int) else f"{value:.3g}"


def money(value: float | None) -> str:
    """Return dollars; ``-`` for None."""
    return "-" if value is None else words.money(value)


def took(nanoseconds: float | None) -> str:
    """Return a duration; ``-`` for None."""
    return "-" if nanoseconds is None else words.duration(nanoseconds / 1e9)


def _width() -> int | None:
    """Return how wide a line may be; None where it goes to a program that can take any."""
    if terminal.is_terminal() or os.environ.get("COLUMNS", "").isdigit():
        return terminal.width()
    return None


def _kept(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while _least(columns, widths, kept) > width:
        least = max(kept, key=lambda at: columns[at].weight)
        if not columns[least].weight:
            break
        kept.remove(least)
    return kept


def _least(columns: Sequence[Column], widths: Sequence[int], kept: Sequence[int]) -> int:
    shortest = [min(widths[at], _SHORTEST) if columns[at].is_cut else widths[at] for at in kept]
    return sum(shortest) + len(_GAP) * (len(kept) - 1)


def _cut(columns: Sequence[Column], widths: list[int], kept: Sequence[int], width: int) -> None:
    """Take what is too much from the longest texts."""
    flexible = [at for at in kept if columns[at].is_cut]
    over = sum(widths[at] for at in kept) + len(_GAP) * (len(kept) - 1) - width
    while over > 0 and flexible:
        longest = max(flexible, key=lambda at: widths[at])
        if widths[longest] <= _SHORTEST:
            break
        widths[longest] -= 1
        over -= 1


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], kept: Sequence[int]) -> str:
    parts = []
    for at in kept:
        text = terminal.shortened(cells[at], widths[at])
        parts.append(text.rjust(widths[at]) if columns[at].is_number else text.ljust(widths[at]))
    return _GAP.join(parts).rstrip()
