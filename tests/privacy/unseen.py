"""Reads the lists that were written before the patterns were looked at, and counts what is found of them.

A line has a text, in which ``⟦0⟧`` stands for the first planted value; a value is in two parts, so that no file has
anything in it that looks like a key to those who look for them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from obs_run.privacy import Scrubber

FOLDER = Path(__file__).parent / "held_out"
_PLACE = re.compile(r"⟦([0-9])⟧")


class Unseen(NamedTuple):
    """A text, what is planted in it, of which kind, and whether that is a secret, personal or nothing (clean)."""

    text: str
    values: tuple[str, ...]
    kind: str
    group: str


class Counts(NamedTuple):
    """How many texts of each group there are, how many were dealt with rightly, and those that were not."""

    all: Counter[str]
    right: Counter[str]
    wrong: list[tuple[Unseen, str]]

    def share(self, group: str) -> float:
        """Return the share of the texts of ``group`` that were dealt with rightly."""
        return self.right[group] / self.all[group]


def read(name: str) -> list[Unseen]:
    """Return the list ``name``."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_made(json.loads(line)) for line in lines]


def _made(line: dict[str, object]) -> Unseen:
    parts = line["values"]
    assert isinstance(parts, list)
    values = tuple("".join(each) for each in parts)
    text = _PLACE.sub(lambda place: values[int(place[1])], str(line["text"]))
    return Unseen(text, values, str(line["kind"]), str(line["class"]))


def count(texts: list[Unseen], secrets: Scrubber, everything: Scrubber) -> Counts:
    """Scrub all texts: those with a secret as everybody does, all others of everything."""
    result = Counts(Counter(), Counter(), [])
    for one in texts:
        scrubber = secrets if one.group == "secret" else everything
        scrubbed = scrubber.text(one.text)
        left = any(_is_left(value, scrubbed) for value in one.values)
        right = scrubbed == one.text if one.group == "clean" else not left
        result.all[one.group] += 1
        result.right[one.group] += right
        if not right:
            result.wrong.append((one, scrubbed))
    return result


def _is_left(value: str, scrubbed: str) -> bool:
    """Whether half of ``value``, at its beginning, middle or end, is still there."""
    half = max(4, len(value) // 2)
    return any(value[at : at + half] in scrubbed for at in range(max(1, len(value) - half + 1)))
