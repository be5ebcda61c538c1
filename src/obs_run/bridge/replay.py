"""What rules, and the phrases that automatic pairing reads, would make of the lines of a log file.

A file does not tell which function, thread or task wrote a line, so pairs are found by text and order alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from obs_run.bridge import durations, rules
from obs_run.bridge.log_lines import Line
from obs_run.bridge.phrases import Role, read_phrases
from obs_run.bridge.rules import AUTOMATIC
from obs_run.bridge.words import VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from obs_run.bridge.phrases import Phrase
    from obs_run.bridge.rule_index import RuleIndex
    from obs_run.bridge.rules import Rule

_VALUES = re.compile(
    r"'[^']{1,80}'|\"[^\"]{1,80}\"|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b0x[0-9a-f]+\b|\b(?=\w*\d)[\w-]*\d[\w-]*(?:\.\d+)?(?=\b|[a-zµ])"
)
_UNIT_BEHIND = re.compile(r"(\d(?:[.,]\d+)?)(µs|ms|s|min|h)$")
_LEAST_LIKENESS = 2
_MOST_OPEN = 100
"""Beginnings that the automatic part still looks for the end of."""


@dataclass(eq=False)
class Node:
    """A span that would be made, or an event where ``is_event``."""

    name: str
    rule: str
    line: Line
    is_event: bool = False
    key: Mapping[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None
    end: Line | None = None
    end_how: str = ""
    has_failed: bool = False
    seconds: float | None = None
    """How long it took, if the text says so."""
    phrase: Phrase | None = None
    template: str = ""
    end_template: str = ""

    def is_open(self) -> bool:
        """Whether it goes on."""
        return not self.is_event and not self.end_how


@dataclass
class Replayed:
    """The tree that a file makes, and what of it has no other half."""

    root: Node
    unmatched_starts: list[Node] = field(default_factory=list)
    unmatched_ends: list[tuple[str, Line]] = field(default_factory=list)
    lines: int = 0
    matched: int = 0
    """The lines that rules are for."""


def replay(lines: Iterable[Line], index: RuleIndex, *, is_automatic: bool = True) -> Replayed:
    """Return what the rules of an index, and the automatic part, would make of lines."""
    return _Replay(index, is_automatic=is_automatic).run(lines)


def template_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what is constant in a line by the look of it, and the values."""
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = match.group()
        unit = _UNIT_BEHIND.search(found)
        if unit is not None and found[: unit.start(2)].replace(".", "").replace(",", "").isdigit():
            values.append(found[: unit.start(2)])
            return VALUE + unit.group(2)
        values.append(found)
        return VALUE

    return _VALUES.sub(value, text), tuple(values)


class _Replay:
    def __init__(self, index: RuleIndex, *, is_automatic: bool) -> None:
        self._index = index
        self._is_automatic = is_automatic
        self._root = Node("", "", Line(0, ""))
        self._open: list[Node] = []
        self._result = Replayed(self._root)
        self._given_up: list[Node] = []
        self._candidates: dict[tuple[str, int, str, str, int], list[Rule]] = {}

    def run(self, lines: Iterable[Line]) -> Replayed:
        """Read the lines, and return what they make."""
        for line in lines:
            self._result.lines += 1
            self._end_expired(line)
            found = self._index.read(self._rules_for(line), line.text[: rules.LONGEST_TEXT], dict(line.fields))
            for rule, groups in found:
                self._apply(rule, groups, line)
            self._result.matched += bool(found)
            if not found and self._is_automatic:
                self._read_phrases(line)
        self._result.unmatched_starts = self._given_up + [node for node in self._open if node.is_open()]
        self._lift_unmatched()
        return self._result

    def _rules_for(self, line: Line) -> list[Rule]:
        place = (line.logger, line.level, line.file, line.function, line.line)
        if place not in self._candidates:
            self._candidates[place] = list(self._index.candidates(*place))
        return self._candidates[place]

    def _apply(self, rule: Rule, groups: dict[str, str], line: Line) -> None:
        key = rule.key_of(groups)
        node = Node(rule.shown_name(groups), rule.name, line, key=key)
        if rule.become == rules.START:
            self._begin_by_rule(rule, node)
        elif rule.become in (rules.END, rules.FAILURE):
            started = self._of_rules(rule, key)
            if started is not None:
                self._end(started, line, has_failed=rule.become == rules.FAILURE)
                return
            self._add_finished(rule, groups, node)
            self._result.unmatched_ends.append((rule.name, line))
        elif rule.become == rules.SPAN:
            self._add_finished(rule, groups, node)
        elif rule.become == rules.EVENT:
            node.is_event = True
            self._add(node, self._innermost())

    def _begin_by_rule(self, rule: Rule, node: Node) -> None:
        parent = self._innermost()
        for each in reversed(self._open):
            if each.rule == rule.name and each.is_open():
                if each.key == node.key:
                    self._end(each, None, how="next")
                    parent = self._innermost()
                else:
                    parent = each.parent or self._root
        if rule.parent is not None:
            parent = next((each for each in reversed(self._open) if each.rule == rule.parent), parent)
        self._add(node, self._root if rule.is_trace else parent)
        self._open.append(node)

    def _of_rules(self, rule: Rule, key: Mapping[str, str]) -> Node | None:
        for node in reversed(self._open):
            if rule.of and node.rule not in rule.of:
                continue
            if all(node.key.get(name, value) == value for name, value in key.items()):
                return node
        return None

    def _add_finished(self, rule: Rule, groups: dict[str, str], node: Node) -> None:
        node.seconds = rule.seconds(groups, node.line.text)
        node.is_event = node.seconds is None
        node.end_how = "line"
        self._add(node, self._innermost())

    def _read_phrases(self, line: Line) -> None:
        template, values = template_of(line.text)
        for phrase in _phrases(template, line.level):
            if phrase.role in (Role.START, Role.RECEIVED):
                node = Node(phrase.name or line.text[:60], AUTOMATIC, line, phrase=phrase, template=template)
                node.key = {str(place): value for place, value in enumerate(values)}
                self._add(node, self._innermost())
                self._open.append(node)
                self._give_up_oldest()
            elif phrase.role in (Role.END, Role.FAILURE):
                self._end_by_phrase(phrase, template, values, line)

    def _give_up_oldest(self) -> None:
        if len(self._open) > _MOST_OPEN:
            oldest = next((node for node in self._open if node.phrase is not None), None)
            if oldest is not None:
                self._open.remove(oldest)
                self._given_up.append(oldest)

    def _end_by_phrase(self, phrase: Phrase, template: str, values: tuple[str, ...], line: Line) -> None:
        best, likely = None, 0
        for node in reversed(self._open):
            if node.phrase is None or not node.is_open() or node.line.logger != line.logger:
                continue
            alike = _likeness(node.phrase, phrase)
            likeness = alike + 2 * bool(set(node.key.values()) & set(values))
            if likeness > likely and alike >= _LEAST_LIKENESS:
                best, likely = node, likeness
        if best is not None:
            best.end_template = template
            self._end(best, line, has_failed=phrase.role is Role.FAILURE)
            return
        seconds = durations.find(line.text)
        if seconds is not None and phrase.role is Role.END:
            name = phrase.name or line.text[:60]
            node = Node(name, AUTOMATIC, line, seconds=seconds, end_how="line", template=template)
            self._add(node, self._innermost())
        else:
            self._result.unmatched_ends.append((AUTOMATIC, line))

    def _end(self, node: Node, line: Line | None, *, how: str = "line", has_failed: bool = False) -> None:
        node.end, node.end_how, node.has_failed = line, how, has_failed
        if node in self._open:
            self._open.remove(node)

    def _end_expired(self, line: Line) -> None:
        if line.seconds is None:
            return
        for node in self._open[:]:
            rule = self._index.rule(node.rule)
            if rule is None or rule.timeout is None or node.line.seconds is None:
                continue
            if line.seconds - node.line.seconds >= rule.timeout:
                node.seconds = rule.timeout
                self._end(node, None, how="timeout")

    def _innermost(self) -> Node:
        return self._open[-1] if self._open else self._root

    @staticmethod
    def _add(node: Node, parent: Node) -> None:
        node.parent = parent
        parent.children.append(node)

    def _lift_unmatched(self) -> None:
        """Put what is inside of beginnings that the automatic part found no end for where these are."""
        for node in self._result.unmatched_starts:
            if node.rule != AUTOMATIC or node.parent is None:
                continue
            place = node.parent.children.index(node)
            node.parent.children[place : place + 1] = node.children
            for child in node.children:
                child.parent = node.parent


def walk(node: Node) -> Iterator[Node]:
    """Yield what is inside of a node, whatever the depth."""
    waiting = list(reversed(node.children))
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(each.children))


@lru_cache(10_000)
def _phrases(template: str, level: int) -> tuple[Phrase, ...]:
    return read_phrases(template, level)


@lru_cache(100_000)
def _likeness(one: Phrase, other: Phrase) -> int:
    return one.likeness(other)
