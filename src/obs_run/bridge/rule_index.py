"""Finds the rules that a record is for; one that is for none costs a look-up, or one search through its text.

What does not change with the text (logger, level, file, function, line) is asked once for each place that records come
from. Of the rules left all literals are searched for at once.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.bridge.rules import LONGEST_TEXT
from obs_run.capture.log_capture import read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from logging import LogRecord

    from obs_run.bridge.rules import Rule

    Search = Callable[[str], Any]

_MOST_SITES = 20_000
_LONGEST_KEPT = 500


class Found(NamedTuple):
    """The rules that a record is for with what each read, and the record's text."""

    read: list[tuple[Rule, dict[str, str]]]
    text: str


class _Candidates:
    """Rules for records from one place, whatever their text."""

    __slots__ = ("rules", "search")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        literals = [rule.literal for rule in rules]
        self.search: Search | None = any_of(literals) if literals and all(literals) else None
        """Finds one of the texts that they need, None where some need none."""


class _Site:
    """A place that records come from."""

    __slots__ = ("candidates", "unmatched")

    def __init__(self, candidates: _Candidates) -> None:
        self.candidates = candidates
        self.unmatched: str | None = None
        """The newest message that no rule is for; that of a statement without values is always the same object."""


_NO_RULES = _Candidates(())


class RuleIndex:
    """The rules that are in force, in the order in which they are tried."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rule for rule in rules if rule.enabled)
        self._by_name = {rule.name: rule for rule in self.rules}
        self._sites: dict[tuple[str, int, int, str], _Site] = {}
        self._candidates: dict[tuple[Rule, ...], _Candidates] = {(): _NO_RULES}

    def find(self, record: LogRecord, more: Mapping[str, Any] | None = None) -> Found | None:
        """Return the rules that a record is for, None where there are none; ``more`` are fields besides its own."""
        place = (record.pathname, record.lineno, record.levelno, record.name)
        site = self._sites.get(place)
        if site is None:
            site = self._add_site(place, record.funcName or "")
        candidates = site.candidates
        if not candidates.rules:
            return None
        message = record.msg
        is_whole = not record.args and type(message) is str
        if is_whole and message is site.unmatched and not more:
            return None
        text = (message if is_whole else read_message(record))[:LONGEST_TEXT]
        if candidates.search is None or candidates.search(text) is not None:
            # structlog leaves its fields to its own formatter to render.
            fields = {**record.__dict__, **message} if type(message) is dict else record.__dict__
            found = self.read(candidates.rules, text, {**fields, **more} if more else fields)
            if found:
                return Found(found, text)
        if is_whole and len(text) < _LONGEST_KEPT and not more:
            site.unmatched = message
        return None

    def rule(self, name: str) -> Rule | None:
        """Return a rule by its name, None where no rule in force has it."""
        return self._by_name.get(name)

    def candidates(self, logger: str, level: int, file: str, function: str, line: int) -> Sequence[Rule]:
        """Return the rules for records from a place, whatever their text."""
        return [rule for rule in self.rules if rule.is_for(logger, level, file, function, line)]

    @staticmethod
    def read(rules: Sequence[Rule], text: str, fields: dict[str, Any]) -> list[tuple[Rule, dict[str, str]]]:
        """Return the first of the rules that a text is for, and those after it where that says so."""
        found: list[tuple[Rule, dict[str, str]]] = []
        for rule in rules:
            if rule.literal and rule.literal not in text:
                continue
            groups = rule.read(text, fields)
            if groups is None or any(module in sys.modules for module in rule.unless):
                continue
            found.append((rule, groups))
            if not rule.goes_on:
                break
        return found

    def _add_site(self, place: tuple[str, int, int, str], function: str) -> _Site:
        file, line, level, logger = place
        rules = tuple(self.candidates(logger, level, file, function, line or 0))
        candidates = self._candidates.get(rules)
        if candidates is None:
            candidates = self._candidates[rules] = _Candidates(rules)
        site = _Site(candidates)
        if len(self._sites) < _MOST_SITES:
            self._sites[place] = site
        return site


def any_of(texts: Iterable[str]) -> Search:
    """Return what finds one of ``texts`` in another, at a cost that hardly grows with their number."""
    # A tree, in which texts that begin alike go one way: alternatives would be tried one by one at each place.
    tree: dict[str, Any] = {}
    for text in texts:
        branch = tree
        for character in text[:_LONGEST_BRANCH]:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return re.compile(_branch_pattern(tree)).search


_LONGEST_BRANCH = 40


def _branch_pattern(tree: dict[str, Any]) -> str:
    if "" in tree:
        return ""
    ways = [re.escape(character) + _branch_pattern(branch) for character, branch in tree.items()]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
