"""Reads the labelled corpus and counts what the scrubber finds of it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from obs_run.base import held_values
from tests.privacy.planted import NAMES, made

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from obs_run.privacy import Scrubber

FOLDER = Path(__file__).parent / "corpus"
_MARK = re.compile(r"⟦([a-z._0-9]+)\|(.*?)⟧", re.DOTALL)
_MADE = re.compile(r"@([a-z][a-z_0-9]+)")
# A find may be wider than what is marked by this: a scheme, a quote.
_SLACK = 8


Span = tuple[int, int, str]
"""From where to where, and what kind."""


class Labelled(NamedTuple):
    """A text, and from where to where which kind stands in it."""

    file: str
    text: str
    spans: tuple[Span, ...]


class Score(NamedTuple):
    """What was marked and found, marked and not found, and found though not marked, each by kind."""

    found: Counter[str]
    missed: Counter[str]
    wrong: Counter[str]
    notes: list[str]

    def recall(self, kind: str) -> float:
        """Return the share of what is marked as ``kind`` that was taken out."""
        return self.found[kind] / (self.found[kind] + self.missed[kind])

    def recall_of(self, kinds: frozenset[str]) -> float:
        """Return the share of what is marked as one of ``kinds`` that was taken out."""
        found, missed = (sum(some[kind] for kind in kinds) for some in (self.found, self.missed))
        return found / (found + missed)

    def precision(self) -> float:
        """Return the share of what was taken out that is marked."""
        found = sum(self.found.values())
        return found / (found + sum(self.wrong.values()))


@cache
def corpus() -> tuple[Labelled, ...]:
    """Return all labelled texts."""
    return tuple(labelled for path in sorted(FOLDER.glob("*.yaml")) for labelled in _read(path))


def _read(path: Path) -> Iterator[Labelled]:
    for number, marked in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
        text, spans, at = "", [], 0
        for mark in _MARK.finditer(marked):
            text += marked[at : mark.start()]
            start = len(text)
            text += "".join(_pieces(mark[2], number))
            spans.append((start, len(text), mark[1]))
            if mark[1] == "held_secret":
                held_values.hold(text[start:])
            at = mark.end()
        yield Labelled(path.stem, text + marked[at:], tuple(spans))


def _pieces(value: str, seed: int) -> Iterator[str]:
    for index, piece in enumerate(_MADE.split(value)):
        # Every second piece is a name; that of no token belongs to an address.
        yield piece if index % 2 == 0 else made(piece, seed) if piece in NAMES else f"@{piece}"


def replaced(text: str, scrubbed: str, kinds: Collection[str], *, longest: bool) -> list[Span] | None:
    """Return what of ``text`` placeholders stand for in ``scrubbed``, None where the two do not fit together.

    Where what follows a placeholder stands in the text more than once, each is the ``longest`` or shortest possible.
    """
    pieces = re.split(rf"\[({'|'.join(map(re.escape, kinds))})\]", scrubbed)
    gap = "(.+)" if longest else "(.+?)"
    found = re.fullmatch(gap.join(re.escape(piece) for piece in pieces[::2]), text, re.DOTALL)
    if not found:
        return None
    return [(*found.span(number), kind) for number, kind in enumerate(pieces[1::2], 1)]


def score(scrubber: Scrubber) -> Score:
    """Scrub the whole corpus and count."""
    result = Score(Counter(), Counter(), Counter(), [])
    for one in corpus():
        _count(one, scrubber.text(one.text), scrubber.kinds, result)
    return result


def _count(one: Labelled, scrubbed: str, kinds: Collection[str], result: Score) -> None:
    # A number in JSON becomes a text, with quotes around it.
    bare = re.sub(r'"(\[[a-z._]+\])"', r"\1", scrubbed)
    sides = [replaced(one.text, form, kinds, longest=longest) for form in (scrubbed, bare) for longest in (False, True)]
    fitting = [side for side in sides if side is not None] or [[(0, len(one.text), "?")]]
    missed, wrong = min((_judged(one, side) for side in fitting), key=lambda judged: len(judged[0]) + len(judged[1]))
    result.found.update(kind for _, _, kind in one.spans)
    for start, end, kind in missed:
        result.found[kind] -= 1
        result.missed[kind] += 1
        result.notes.append(f"missed {kind} {one.text[start:end]!r} in {one.file}: {scrubbed!r}")
    for start, end, kind in wrong:
        result.wrong[kind] += 1
        result.notes.append(f"wrong {kind} {one.text[start:end]!r} in {one.file}: {scrubbed!r}")


def _judged(one: Labelled, side: list[Span]) -> tuple[list[Span], list[Span]]:
    """Return what is marked and was not taken out, and what was taken out and is not marked."""
    known = [span for span in side if span[2] != "?"]
    missed = [span for span in one.spans if not any(a <= span[0] and span[1] <= b for a, b, _ in known)]
    wrong = []
    for first, last, kind in side:
        inside = [span for span in one.spans if first <= span[0] and span[1] <= last]
        wide = last - first - sum(end - start for start, end, _ in inside)
        if not inside or wide > _SLACK:
            wrong.append((first, last, kind))
    return missed, wrong
