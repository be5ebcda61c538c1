"""Proposes rules for what recurs in log files: pairs of lines, and lines that tell how long something took."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.bridge import pattern_check
from obs_run.bridge.replay import walk
from obs_run.bridge.rules import AUTOMATIC
from obs_run.bridge.words import VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from obs_run.bridge.replay import Node, Replayed

_LEAST = 2
_LEAST_ALIKE = 0.6
_MOST_FAILURES = 2
_MOST_KEYS = 2
_WORD = re.compile(r"[A-Za-z]+")
_ENDS_ID = re.compile(r"(\w+)\W{0,3}$")


class Proposal(NamedTuple):
    """Rules in YAML for what was seen so often."""

    times: int
    text: str


class _Family:
    """Spans of lines that are alike: the templates of beginning and end, "" for an end that the same line tells."""

    def __init__(self, node: Node) -> None:
        self.logger = node.line.logger
        self.start = node.template
        self.ends: list[tuple[str, Node]] = []
        self.failures: list[tuple[str, Node]] = []
        self.count = 0

    def add(self, node: Node) -> bool:
        """Take a span in if it is alike."""
        start = _common(self.start, node.template)
        if node.line.logger != self.logger or start is None:
            return False
        self.start = start
        self.count += 1
        kept = self.failures if node.has_failed else self.ends
        for place, (template, known) in enumerate(kept):
            common = _common(template, node.end_template)
            if common is not None:
                kept[place] = common, known
                return True
        kept.append((node.end_template, node))
        return True


def propose(replays: Sequence[Replayed]) -> list[Proposal]:
    """Return rules for what recurs and no rule is for, the most frequent first."""
    families: list[_Family] = []
    for replayed in replays:
        for node in walk(replayed.root):
            is_whole = bool(node.end_template) or node.seconds is not None
            if node.rule != AUTOMATIC or node.is_event or not node.template or not is_whole:
                continue
            if not any(family.add(node) for family in families):
                families.append(_Family(node))
                families[-1].add(node)
    names: set[str] = set()
    families.sort(key=lambda family: -family.count)
    return [
        Proposal(family.count, "".join(f"{line}\n" for line in _rules(family, names)))
        for family in families
        if family.count >= _LEAST
    ]


def _common(one: str, other: str) -> str | None:
    """Return what two templates have in common, with values where they differ; None where they are not alike."""
    if one == other:
        return one
    mine, theirs = one.split(" "), other.split(" ")
    if len(mine) != len(theirs) or mine[0] != theirs[0]:
        return None
    same = [left == right for left, right in zip(mine, theirs, strict=True)]
    if sum(same) / len(same) < _LEAST_ALIKE:
        return None
    return " ".join(word if is_same else VALUE for word, is_same in zip(mine, same, strict=True))


def _rules(family: _Family, names: set[str]) -> Iterator[str]:
    name = _new_name(family.start, names)
    start = _Pattern(family.start)
    whole = [template for template, _ in family.ends if not template]
    halves = [(template, node) for template, node in family.ends if template]
    if whole and not halves:
        yield from _rule(name, family.logger, start.text(), "span", [])
        return
    ended = [("end", *each) for each in halves[:1]] + [("failure", *each) for each in family.failures[:_MOST_FAILURES]]
    ends = [
        (become, node, _Pattern(template if become == "end" else _without_reason(template)))
        for become, template, node in ended
    ]
    keys = start.name_keys([(node, pattern) for _, node, pattern in ends])
    more = [f"key: [{', '.join(keys)}]"] if keys else []
    yield from _rule(name, family.logger, start.text(), "start", [*more, "timeout: 10min"])
    for number, (become, _, pattern) in enumerate(ends):
        suffix = {"end": "end", "failure": "failed"}[become] + ("" if number < 2 else str(number))  # noqa: PLR2004
        yield from _rule(f"{name}-{suffix}", family.logger, pattern.text(), become, [f"of: {name}"])


def _rule(name: str, logger: str, pattern: str, become: str, more: Iterable[str]) -> Iterator[str]:
    quoted = pattern.replace("'", "''")
    yield f"  {name}:"
    yield "    match:"
    if re.fullmatch(r"[\w.-]+", logger):
        yield f"      logger: '{logger}'"
    yield f"      pattern: '{quoted}'"
    yield f"    become: {become}"
    for line in more:
        yield f"    {line}"


class _Pattern:
    """A regular expression for the lines of a template."""

    def __init__(self, template: str) -> None:
        self._constants = template.split(VALUE)
        self._names: dict[int, str] = {}

    def name_keys(self, ends: Sequence[tuple[Node, _Pattern]]) -> list[str]:
        """Name the values that all lines of the same span have, in all of them; return their names."""
        if not ends:
            return []
        places = [_same_values(node, self, pattern) for node, pattern in ends]
        common = [place for place in places[0] if all(place in each for each in places)][:_MOST_KEYS]
        for place in common:
            name = self._name_of(place)
            self._names[place] = name
            for (_, pattern), found in zip(ends, places, strict=True):
                pattern._names[found[place]] = name  # noqa: SLF001 (another one of these)
        return list(self._names.values())

    def _name_of(self, place: int) -> str:
        before = _ENDS_ID.search(self._constants[place])
        word = re.sub(r"\W", "", before.group(1)).lower() if before else ""
        name = f"{word}_id" if word and not word[0].isdigit() and not word.endswith("id") else word or "id"
        return name if name not in self._names.values() else f"{name}{place}"

    def values(self, text: str) -> list[str]:
        """Return the values in a line, in one case and without the marks around."""
        pattern = "(.*?)".join(map(re.escape, self._constants))
        match = re.fullmatch(pattern, text, re.DOTALL)
        return [] if match is None else [value.strip("'\"#").lower() for value in match.groups()]

    def text(self) -> str:
        """Return the expression; of one that would run away only the beginning."""
        pattern = self._joined()
        try:
            pattern_check.check(pattern)
        except (pattern_check.DangerousError, re.error):
            last = max(self._names, default=-1)
            self._constants = self._constants[: last + 2] if last >= 0 else self._constants[:1]
            pattern = self._joined()
        return pattern

    def _joined(self) -> str:
        found = "^" + _escaped(self._constants[0])
        for place, constant in enumerate(self._constants[1:]):
            name = self._names.get(place)
            if name is not None:
                found += rf"['\"#]?(?P<{name}>[\w./-]{{1,80}})['\"]?"
            elif constant.strip():
                found += ".{1,80}?"
            elif place == len(self._constants) - 2:
                return found
            else:
                found += ".{1,80}"
            found += _escaped(constant)
        return found


def _without_reason(template: str) -> str:
    """Return the template of a failure without what it failed of, which differs."""
    head, colon, _ = template.rpartition(": ")
    return f"{head}{colon}{VALUE}" if head else template


def _same_values(node: Node, start: _Pattern, end: _Pattern) -> dict[int, int]:
    """Return the places of values that the line of the beginning and that of the end have in common."""
    starts = start.values(node.line.text)
    ends = [] if node.end is None else end.values(node.end.text)
    return {place: ends.index(value) for place, value in enumerate(starts) if value and value in ends}


def _escaped(text: str) -> str:
    return re.sub(r"\\([ :#'\"/%=,!@&~<>`-])", r"\1", re.escape(text))


def _new_name(template: str, names: set[str]) -> str:
    words = [word.lower() for word in _WORD.findall(template.partition(":")[0])]
    base = "-".join(words[:4]) or "work"
    name, number = base, 2
    while name in names:
        name, number = f"{base}-{number}", number + 1
    names.add(name)
    return name
