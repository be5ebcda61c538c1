"""The places that log lines come from: their statements, read once, and what these tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.base import guard
from obs_run.bridge import pairs, words
from obs_run.bridge.clauses import without_prefixes
from obs_run.bridge.source import NO_FUNCTION
from obs_run.bridge.source_file import SourceFile

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from obs_run.bridge.evidence import Evidence
    from obs_run.bridge.source import Function, Statement
    from obs_run.bridge.templates import Template

_MOST_STATEMENTS = 20_000
_LONGEST_VALUE = 64
_PREFIX_ID = re.compile(r"\b([a-z][a-z_]*)[ =:#]+([\w-]*\d[\w-]*)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2}")
_MOST_FILES = 16
_MOST_HELPERS = 4
"""How many functions one after the other may only write what they are given."""


class Site:
    """What is known of the place that a record comes from."""

    __slots__ = ("function", "is_helper", "pattern", "plan", "statement")

    def __init__(
        self, function: Function, statement: Statement | None, plan: pairs.Plan, *, is_helper: bool = False
    ) -> None:
        self.function = function
        self.statement = statement
        self.plan = plan
        self.is_helper = is_helper
        """Whether the line only writes what its function is given: what it tells stands where that is called."""
        self.pattern: re.Pattern[str] | None = None

    def tells_something(self) -> bool:
        """Whether anything comes of a record from here."""
        return self.is_helper or (self.statement is not None and self.plan.tells_something(self.statement.order))

    def values_in(self, text: str) -> dict[str, str]:
        """Return the values that were filled into a line, by what names them."""
        if self.statement is None:
            return {}
        if self.pattern is None:
            constants = map(re.escape, self.statement.template.text.split(words.VALUE))
            self.pattern = re.compile("(.*?)".join(constants) + r"\s*$", re.DOTALL)
        match = self.pattern.search(text)
        if match is None:
            return {}
        named = zip(self.statement.template.names, match.groups(), strict=False)
        values = {
            name: value.strip("#'\"").lower() for name, value in named if name and 0 < len(value) <= _LONGEST_VALUE
        }
        # What an adapter or a helper put before the text.
        for name, value in _PREFIX_ID.findall(text[: match.start()]):
            values.setdefault(name.lower(), value.lower())
        return values


class Sites:
    """The places that lines have come from in this process; of these, pairs for which ``kinds`` of evidence speak."""

    def __init__(self, kinds: frozenset[Evidence]) -> None:
        self._kinds = kinds
        self._sites: dict[tuple[str, int], Site] = {}
        self._files: dict[str, SourceFile] = {}
        """The newest that were read from."""
        self._plans: dict[tuple[str, int], tuple[Function, pairs.Plan]] = {}
        self._helpers: frozenset[str] = frozenset()

    def is_silent(self, path: str, line: int) -> bool:
        """Whether a place is known to tell nothing."""
        site = self._sites.get((path, line))
        return site is not None and not site.tells_something()

    def add_helper(self, name: str) -> None:
        """Note the name of a function that writes what it is called with."""
        if name not in self._helpers:
            self._helpers |= {name}
            # What calls it was read before it was known.
            self._plans.clear()
            self._sites.clear()

    def find(self, frame: FrameType) -> tuple[Site, FrameType] | None:
        """Return the place that a line tells of which ``frame`` writes now, and its frame; None where it tells nothing.

        A function that only writes what it is called with stands for the place that calls it.
        """
        site = self._site_of(frame)
        for _ in range(_MOST_HELPERS):
            if not site.is_helper:
                return (site, frame) if site.tells_something() else None
            if frame.f_back is None:
                return None
            frame = frame.f_back
            site = self._site_of(frame)
        return None

    def _site_of(self, frame: FrameType) -> Site:
        place = frame.f_code.co_filename, frame.f_lineno
        site = self._sites.get(place)
        if site is None:
            site = self._site_at(frame, frame.f_lineno)
            if len(self._sites) < _MOST_STATEMENTS:
                self._sites[place] = site
        return site

    def _site_at(self, frame: FrameType, line: int) -> Site:
        code = frame.f_code
        function, plan = self._function(code, line)
        statement = function.at(line)
        parameters = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]) - {"self", "cls"}
        if statement is not None and not _is_of_caller(statement, function):
            return Site(function, statement, plan)
        is_helper = code.co_name != "<module>" and bool(parameters)
        if is_helper:
            self.add_helper(code.co_name)
        return Site(function, None if is_helper else statement, plan, is_helper=is_helper)

    def _function(self, code: CodeType, line: int) -> tuple[Function, pairs.Plan]:
        place = code.co_filename, code.co_firstlineno
        if code.co_name == "<module>":
            place = code.co_filename, -line
        known = self._plans.get(place)
        if known is None:
            known = guard.call("bridge", self._read_function, code, line, default=(NO_FUNCTION, pairs.NO_PLAN))
            if len(self._plans) < _MOST_STATEMENTS:
                self._plans[place] = known
        return known

    def _read_function(self, code: CodeType, line: int) -> tuple[Function, pairs.Plan]:
        """Return the function that a line is in, of whose file no more need be read than is around it."""
        file = self._file(code.co_filename)
        if code.co_name != "<module>":
            block = file.block_at(code.co_firstlineno, self._helpers)
            function = block.get(code.co_firstlineno, NO_FUNCTION)
            return function, pairs.make_plan(function, block).with_starts(self._kinds)
        block = file.block_at(line, self._helpers)
        place = code.co_filename, -block.first_line
        known = self._plans.get(place)
        if known is None:
            known = self._plans[place] = block[0], pairs.make_plan(block[0], block).with_starts(self._kinds)
        return known

    def _file(self, path: str) -> SourceFile:
        file = self._files.get(path)
        if file is None:
            while len(self._files) >= _MOST_FILES:
                self._files.pop(next(iter(self._files)), None)
            file = self._files[path] = SourceFile(path)
        return file


def _is_of_caller(statement: Statement, function: Function) -> bool:
    """Whether a statement writes what its function is called with, which like all others there tells nothing itself.

    It may have words where the function does nothing else: ``f"event={kind} task={task}"``.
    """
    if function.inside is not None or not set(statement.template.names) & function.given:
        return False
    texts = {each.template.text for each in function.statements}
    is_all = len(texts) == 1 and not (function.work or statement.phrases or statement.loops)
    return is_all or not any(_has_words(each.template) for each in function.statements)


def _has_words(template: Template) -> bool:
    """Whether a text says something besides its values, a level, and what stands before all lines."""
    said = template._replace(text=without_prefixes(template.text, is_speaker=True))
    return not said.is_bare() and _WORD.search(said.text) is not None
