"""Whether a regular expression may run away on some text: the module ``re`` cannot be stopped once it has begun.

The parsed expression is matched step by step, as ``re`` does it, against texts made to hurt it: what each repetition
takes, again and again, and then something that it does not. What takes too many steps is refused. What repeats
something that may itself match in several ways is refused without a trial: its worst text may not be among these.
"""

from __future__ import annotations

import math
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.bridge.rules import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_parser: Any = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

LONGEST_PATTERN = 1_000
_MOST_STEPS = 20_000_000
"""Of ``re`` on the longest text; about a fifth of a second."""
_TRIAL_STEPS = 40_000
_ALL_TRIALS_STEPS = 1_000_000
_USUAL_POWER = 3
_SHORT, _LONG = 14, 28
_MOST_REPEATED = 8
"""Repetitions up to so often are choices, not loops."""
_SAMPLE = [chr(code) for code in range(9, 127)] + ["é", "Ж", "中", "\u2028"]
_SET = re.compile(r"\\.|\[(\^?\]?(?:\\.|[^\]\\])*\\?)(?:\]|$)", re.DOTALL)
_GROUPS = ("SUBPATTERN", "ATOMIC_GROUP")
_SINGLE = {"LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY", "RANGE"}


class DangerousError(ValueError):
    """A pattern may take too long; the text says why."""


class _TooManyStepsError(Exception):
    pass


def check(pattern: str, *, ignore_case: bool = False) -> None:
    """Raise ``re.error`` where a pattern is none, ``DangerousError`` where it may take too long."""
    if len(pattern) > LONGEST_PATTERN:
        raise DangerousError(f"it has more than {LONGEST_PATTERN} characters")
    _check_sets(pattern)
    flags = re.IGNORECASE if ignore_case else 0
    compiled = re.compile(pattern, flags)
    try:
        tree = _parser.parse(pattern, flags)
        reading = _Reading(compiled.flags)
        reading.check_loops(tree)
        _try(tree, reading)
    except RecursionError:
        raise DangerousError("it is nested too deeply") from None


def _check_sets(pattern: str) -> None:
    """Refuse sets of which Python warns, on the agent's output, that they may mean something else some day."""
    for match in _SET.finditer(pattern):
        content = (match.group(1) or "").removeprefix("^")
        if content.startswith("[") or any(sign in content for sign in ("--", "&&", "~~", "||")):
            raise re.error("the signs [ and -- && ~~ || have a backslash before them in a set")


def required_text(pattern: str, *, ignore_case: bool = False) -> str:
    """Return the longest text that is in everything that a pattern matches, "" where there is none."""
    tree = _parser.parse(pattern, re.IGNORECASE if ignore_case else 0)
    if tree.state.flags & (re.IGNORECASE | re.VERBOSE) or "(?i" in pattern:
        return ""
    return max(_constants(tree), key=len, default="")


def _constants(items: Any) -> Iterator[str]:
    found: list[str] = []
    for operator, value in items:
        name = str(operator)
        if name == "LITERAL":
            found.append(chr(value))
            continue
        if name == "AT":
            continue
        yield "".join(found)
        found = []
        if name == "SUBPATTERN" and not value[1]:
            yield from _constants(value[3])
        elif name.endswith("_REPEAT") and value[0] > 0:
            yield from _constants(value[2])
    yield "".join(found)


class _Reading:
    """What single elements of an expression take, of a sample of all characters."""

    def __init__(self, flags: int) -> None:
        self._flags = flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
        self._taken: dict[tuple[str, Any], frozenset[str]] = {}

    def takes(self, name: str, value: Any) -> frozenset[str]:
        """Return the characters that a single element takes."""
        # The parsed expression, which has these lists, is kept for as long.
        known = (name, id(value) if isinstance(value, list) else value)
        if known not in self._taken:
            self._taken[known] = frozenset(filter(self._test(name, value), _SAMPLE))
        return self._taken[known]

    def _test(self, name: str, value: Any) -> Any:
        fold = bool(self._flags & re.IGNORECASE)
        if name == "ANY":
            return (lambda _: True) if self._flags & re.DOTALL else (lambda each: each != "\n")
        if name in ("LITERAL", "NOT_LITERAL"):
            wanted = {chr(value).lower(), chr(value).upper(), chr(value)} if fold else {chr(value)}
            return wanted.__contains__ if name == "LITERAL" else (lambda each: each not in wanted)
        if name == "RANGE":
            low, high = value
            forms = (lambda each: (each, each.lower(), each.upper())) if fold else (lambda each: (each,))
            return lambda each: any(low <= ord(form) <= high for form in forms(each) if len(form) == 1)
        if name == "CATEGORY":
            return _CATEGORIES[str(value)]
        parts = [(str(operator), inner) for operator, inner in value if str(operator) != "NEGATE"]
        taken = frozenset().union(*(self.takes(*part) for part in parts))
        is_negated = any(str(operator) == "NEGATE" for operator, _ in value)
        return (lambda each: each not in taken) if is_negated else taken.__contains__

    def first(self, items: Any) -> tuple[frozenset[str], bool]:
        """Return what a sequence may begin with, and whether it may be empty."""
        begin: frozenset[str] = frozenset()
        for operator, value in items:
            taken, may_be_empty = self._first_of(str(operator), value)
            begin |= taken
            if not may_be_empty:
                return begin, False
        return begin, True

    def _first_of(self, name: str, value: Any) -> tuple[frozenset[str], bool]:
        if name in _SINGLE:
            return self.takes(name, value), False
        if name.endswith("_REPEAT"):
            taken, may_be_empty = self.first(value[2])
            return taken, may_be_empty or value[0] == 0
        if name == "BRANCH":
            each = [self.first(branch) for branch in value[1]]
            return frozenset().union(*(taken for taken, _ in each)), any(empty for _, empty in each)
        if name in _GROUPS:
            return self.first(_inside(value))
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return frozenset(_SAMPLE), True
        return frozenset(), True

    def check_loops(self, items: Any) -> None:
        """Refuse loops over what may match one text in several ways."""
        for operator, value in items:
            name = str(operator)
            if name.endswith("_REPEAT") and not name.startswith("POSSESSIVE") and value[1] > _MOST_REPEATED:
                self._check_loop(value[2])
            for part in _parts(name, value):
                self.check_loops(part)

    def _check_loop(self, body: Any) -> None:
        if len(body) == 1 and str(body[0][0]) in _SINGLE:
            return
        begin, may_be_empty = self.first(body)
        if may_be_empty:
            raise DangerousError("it repeats what may be empty")
        self._check_body(body, begin)

    def _check_body(self, items: Any, after: frozenset[str]) -> None:
        """Refuse a repetition or choice in a loop that may go on as what follows does."""
        for place, (operator, value) in enumerate(items):
            name = str(operator)
            follows, may_end = self.first(items[place + 1 :])
            follows = follows | after if may_end else follows
            if name.endswith("_REPEAT") and value[0] != value[1] and not name.startswith("POSSESSIVE"):
                if self.first(value[2])[0] & follows:
                    raise DangerousError("it repeats a repetition that takes the same characters")
                self._check_body(value[2], follows | self.first(value[2])[0])
            elif name == "BRANCH":
                seen: frozenset[str] = frozenset()
                for branch in value[1]:
                    begin, may_be_empty = self.first(branch)
                    begin = begin | follows if may_be_empty else begin
                    if begin & seen:
                        raise DangerousError("it repeats alternatives that begin with the same characters")
                    seen |= begin
                    self._check_body(branch, follows)
            elif name in _GROUPS:
                self._check_body(_inside(value), follows)
            elif name.startswith("GROUPREF"):
                raise DangerousError("it repeats a reference to a group")

    def example(self, items: Any) -> str:
        """Return a text that a sequence matches, or nearly."""
        return "".join(self.example_of(str(operator), value) for operator, value in items)

    def example_of(self, name: str, value: Any) -> str:
        """Return the same for one element."""
        if name in _SINGLE:
            taken = self.takes(name, value)
            usual = [each for each in "a1 " if each in taken]
            first: str = (usual or sorted(taken) or ["?"])[0]
            return first
        if name.endswith("_REPEAT"):
            return self.example(value[2]) * min(max(int(value[0]), 1), 3)
        if name == "BRANCH":
            return self.example(value[1][0])
        if name in _GROUPS:
            return self.example(_inside(value))
        return ""


_CATEGORIES: dict[str, Any] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda each: not each.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda each: not each.isspace(),
    "CATEGORY_WORD": lambda each: each.isalnum() or each == "_",
    "CATEGORY_NOT_WORD": lambda each: not (each.isalnum() or each == "_"),
}


def _inside(value: Any) -> Any:
    """Return the expression that a group holds."""
    return value[-1] if isinstance(value, tuple) else value


def _parts(name: str, value: Any) -> list[Any]:
    if name.endswith("_REPEAT"):
        return [value[2]]
    if name == "BRANCH":
        return list(value[1])
    if isinstance(value, _parser.SubPattern):
        return [value]
    return [part for part in value if isinstance(part, _parser.SubPattern)] if isinstance(value, tuple) else []


def _try(tree: Any, reading: _Reading) -> None:
    """Match texts made to hurt, within a bound for all of them together."""
    left = _ALL_TRIALS_STEPS
    if _loops(tree) <= 1:
        # At most the square of a text, as ``check_loops`` has passed it.
        return
    for pump in _pumps(list(tree), reading):
        texts = pump(_SHORT), pump(_LONG)
        long = _Trial(tree, reading, texts[1]).steps()
        left -= long
        if long * (LONGEST_TEXT / len(texts[1])) ** _USUAL_POWER <= _MOST_STEPS:
            continue
        short = _Trial(tree, reading, texts[0]).steps()
        left -= short
        power = math.log(max(1.0, long / max(short, 1))) / math.log(len(texts[1]) / len(texts[0]))
        expected = long * max(1.0, LONGEST_TEXT / len(texts[1])) ** power
        if long >= _TRIAL_STEPS or expected > _MOST_STEPS:
            raise DangerousError("it may take too long: repetitions after each other take the same characters")
        if left < 0:
            raise DangerousError("it is too large to be tried")


def _loops(items: Any) -> int:
    """Return how many repetitions an expression has that are no mere choices."""
    count = 0
    for operator, value in items:
        name = str(operator)
        count += name.endswith("_REPEAT") and value[1] > _MOST_REPEATED
        count += sum(map(_loops, _parts(name, value)))
    return count


def _pumps(items: list[Any], reading: _Reading, before: str = "") -> Iterator[Any]:
    """Yield functions that make a text of a size, for each repetition: what it takes, and an end that fails."""
    for place, (operator, value) in enumerate(items):
        name = str(operator)
        if name.endswith("_REPEAT") and value[1] > _MOST_REPEATED:
            rest = reading.example(items[place + 1 :])
            for unit in {reading.example(value[2]), rest[:12] or "a", " "}:
                if unit:
                    yield _pump(before, unit)
        for part in _parts(name, value):
            yield from _pumps(list(part), reading, before)
        before += reading.example_of(name, value)
    if before:
        yield _pump("", before)


def _pump(before: str, unit: str) -> Any:
    return lambda size: before + (unit * size)[: size * max(1, len(unit) // 2)] + "\n\x00"


class _Trial:
    """One text that is searched as ``re`` would, counting steps."""

    def __init__(self, tree: Any, reading: _Reading, text: str) -> None:
        self._tree = tree
        self._reading = reading
        self._text = text
        self._places = {
            "AT_BEGINNING": 0, "AT_BEGINNING_STRING": 0, "AT_END": len(text), "AT_END_STRING": len(text)
        }  # fmt: skip
        self._steps = 0

    def steps(self) -> int:
        """Return how many steps it took, ``_TRIAL_STEPS`` where they were too many."""
        try:
            begin, may_be_empty = self._reading.first(self._tree)
            for start, character in enumerate(self._text):
                self._count()
                if not may_be_empty and character not in begin:
                    continue
                for _ in self._sequence(self._tree, 0, start):
                    return self._steps
        except (_TooManyStepsError, RecursionError):
            return _TRIAL_STEPS
        return self._steps

    def _count(self) -> None:
        self._steps += 1
        if self._steps >= _TRIAL_STEPS:
            raise _TooManyStepsError

    def _sequence(self, items: Any, place: int, at: int) -> Iterator[int]:
        self._count()
        if place == len(items):
            yield at
            return
        operator, value = items[place]
        for after in self._item(str(operator), value, at):
            yield from self._sequence(items, place + 1, after)

    def _item(self, name: str, value: Any, at: int) -> Iterator[int]:
        if name in _SINGLE:
            if at < len(self._text) and self._takes(name, value, at):
                yield at + 1
        elif name.endswith("_REPEAT"):
            yield from self._repeat(name, value, at)
        elif name == "BRANCH":
            for branch in value[1]:
                yield from self._sequence(branch, 0, at)
        elif name in _GROUPS:
            yield from self._sequence(_inside(value), 0, at)
        elif name == "AT":
            if at == self._places.get(str(value), at):
                yield at
        elif name in ("ASSERT", "ASSERT_NOT"):
            for _ in self._sequence(value[1], 0, at):
                break
            yield at
        else:
            yield at

    def _takes(self, name: str, value: Any, at: int) -> bool:
        return self._text[at] in self._reading.takes(name, value)

    def _repeat(self, name: str, value: Any, at: int) -> Iterator[int]:
        least, most, body = value
        if len(body) == 1 and str(body[0][0]) in _SINGLE:
            inner, what = str(body[0][0]), body[0][1]
            end = at
            while end < len(self._text) and end - at < most and self._takes(inner, what, end):
                self._count()
                end += 1
            ends = range(end, at + int(least) - 1, -1)
            yield from ends[:1] if name.startswith("POSSESSIVE") else ends
            return
        yield from self._loop(body, int(least), int(most), at, 0)

    def _loop(self, body: Any, least: int, most: int, at: int, times: int) -> Iterator[int]:
        self._count()
        if times < most:
            for after in self._sequence(body, 0, at):
                if after > at:
                    yield from self._loop(body, least, most, after, times + 1)
        if times >= least:
            yield at
