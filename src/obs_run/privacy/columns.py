"""Columns of personal data: what stands under, or in SQL behind, names of fields that say that it is personal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import personal_names
from obs_run.privacy.field_values import fits
from obs_run.privacy.matches import Match
from obs_run.privacy.values import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.field_names import NameRule
    from obs_run.privacy.matches import Subject

KINDS = personal_names.KINDS | {"date_of_birth"}
_HEAD = re.compile(r"[^\W\d][\w -]{0,40}(?:[,;\t|][ ]?[^\W\d][\w -]{0,40}){1,40}\r?$")
_HEAD_IN_JSON = re.compile(r"\"\s{0,4}([^\W\d][\w -]{0,40}(?:(?:[,;|]|\\t)[ ]?[^\W\d][\w -]{0,40}){1,40})(?:\\r)?\\n")
_SEPARATORS = re.compile(r"[,;\t|]|\\t")
_INSERT = re.compile(r"insert into [\w.\"`\[\]]{1,80} ?\(([^()\n]{3,1000})\)\s{0,9}values\s{0,9}", re.IGNORECASE)
_ROW = re.compile(r",?\s{0,9}\(([^()\n]{1,2000})\)")
_CELL = re.compile(r"\s*(\"(?:[^\"\n]|\"\"){0,400}\"|'(?:[^'\n]|''){0,400}'|[^,;\t|\n]{0,400})\s*(?:[,;\t|]|$)")
_MOST_ROWS, _LONGEST_LINE = 200, 2000


def find(subject: Subject) -> Iterator[Match]:
    """Find the cells of tables with a head, and the values of SQL's ``INSERT``."""
    text = subject.text
    if b"\n" in subject.raw:
        yield from _below_head(text)
    if b"insert" in subject.low:
        for insert in _INSERT.finditer(text):
            rules = _rules(insert[1].split(","))
            at = insert.end()
            while rules and (row := _ROW.match(text, at)):
                yield from _in_row(text, row.start(1), row.end(1), rules)
                at = row.end()


def in_json(subject: Subject) -> Iterator[Match]:
    """Find the heads of tables in the texts of JSON, which are a reason to read it."""
    if "\\n" in subject.text:
        for head in _HEAD_IN_JSON.finditer(subject.text):
            if _rules(_SEPARATORS.split(head[1])):
                yield Match(*head.span(1), "person_name")


def _below_head(text: str) -> Iterator[Match]:
    head, _, _ = text[:_LONGEST_LINE].partition("\n")
    if not _HEAD.match(head):
        return
    names = re.split(r"[,;\t|]", head)
    rules = _rules(names)
    at = len(head) + 1
    for _ in range(_MOST_ROWS if rules else 0):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if at >= end or len(_cells(text, at, end)) != len(names):
            return
        yield from _in_row(text, at, end, rules)
        at = end + 1


def _rules(names: list[str]) -> dict[int, NameRule]:
    """Return what the names of columns tell of them; a postal code is one beside the rest of an address."""
    plain = [name.strip(" \r\"'`[]") for name in names]
    rules = {place: rule for place, name in enumerate(plain) if (rule := personal_names.personal_name(name))}
    together = personal_names.beside(plain)
    rules.update({place: together[name] for place, name in enumerate(plain) if name in together})
    return rules


def _cells(text: str, at: int, end: int) -> list[tuple[int, int]]:
    cells = []
    while at < end and (cell := _CELL.match(text, at, end)):
        cells.append(cell.span(1))
        at = cell.end()
    return cells


def _in_row(text: str, at: int, end: int, rules: dict[int, NameRule]) -> Iterator[Match]:
    cells = _cells(text, at, end)
    for place, rule in rules.items():
        if place >= len(cells):
            continue
        first, last = cells[place]
        cell = text[first:last]
        value = cell.strip(" \r\"'")
        first += cell.find(value)
        if value and not is_free(value.lower().encode("ascii", "replace")) and fits(rule, value):
            yield Match(first, first + len(value), rule.kind)
