"""The source of a file that logs: of a long one only as much is read as the line needs that waits for it."""

from __future__ import annotations

import _io
import ast
import re
import sys
import warnings
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs_run.bridge.source import Function, read_function, read_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_BYTES = 4 << 20
_MOST_LINES = 500
"""Of a longer file only the function or class is read that a line is in, and of a longer class only the method.

The thread that logs waits meanwhile, and while Python parses so does every other one.
"""
_MOST_TRIES = 4
_BEGINNING = re.compile(r"(?P<decorator>@)|(?:async\s+def|def|class)\b")
_CLASS = re.compile(r"(?P<indent>\s*)class\s+(?P<name>\w+)")
_LINECACHE_FIELDS = 4
_NAME = "<obs-run>"
# What is wrong with the agent's source was said when that was compiled.
_IGNORED = ("ignore", None, Warning, re.compile(re.escape(_NAME)), 0)


class Block(Mapping[int, Function]):
    """The functions of a file, or of a part of it, by the lines that they begin in; each is read when it is looked at.

    Decorators count as the beginning; 0 is what is outside of all functions.
    """

    def __init__(self, first_line: int, body: list[ast.stmt], helpers: frozenset[str], owner: str = "") -> None:
        self.first_line = first_line
        self.helpers = helpers
        self._body = body
        self._found = {each[0]: each for each in _functions_in(body, owner, frozenset())}
        self._read: dict[int, Function] = {}

    def __getitem__(self, first: int) -> Function:
        """Return the function that begins in a line."""
        function = self._read.get(first)
        if function is None:
            function = self._read[first] = self._read_function(first)
        return function

    def __iter__(self) -> Iterator[int]:
        """Yield the lines that functions begin in."""
        yield 0
        yield from self._found

    def __len__(self) -> int:
        """Return how many functions there are."""
        return 1 + len(self._found)

    def read_with(self, helpers: frozenset[str]) -> None:
        """Read the functions anew where other names than before are those of functions that log."""
        if helpers != self.helpers:
            self.helpers = helpers
            self._read.clear()

    def _read_function(self, first: int) -> Function:
        if not first:
            return read_module(self._body, self.helpers)
        _, node, owner, parameters = self._found[first]
        return read_function(node, owner, parameters, self.helpers)


class SourceFile:
    """A file of the agent's, and the part of it that was read last."""

    def __init__(self, path: str) -> None:
        self._lines = _lines_of(path)
        self._beginnings = _beginnings(self._lines) if len(self._lines) > _MOST_LINES else []
        self._block: Block | None = None
        self._bounds = (0, 0)

    def block_at(self, line: int, helpers: frozenset[str]) -> Block:
        """Return what a line is in; ``helpers`` are names of functions that log what they are given."""
        first, last = self._bounds
        block = self._block
        if block is None or not first <= line <= last:
            block = self._block = self._read_block(line, helpers)
        block.read_with(helpers)
        return block

    def _read_block(self, line: int, helpers: frozenset[str]) -> Block:
        self._bounds = (line, line)
        for more in range(_MOST_TRIES):
            first, last = self._around(line, more)
            owner = ""
            if last - first >= _MOST_LINES and self._beginnings:
                first, last, owner = self._method_at(line)
            try:
                body = self._parse(first, last, owner)
            except SyntaxError:
                # A text over several lines may have one that looks like the beginning of a function.
                continue
            self._bounds = (first, last)
            return Block(first, body, helpers, owner)
        return Block(line, [], helpers)

    def _around(self, line: int, more: int) -> tuple[int, int]:
        """Return the first and last line of the function or class outside of others that a line is in, or follows.

        ``more`` is how many are read besides, on both sides.
        """
        if not self._beginnings:
            return 1, len(self._lines)
        place = bisect_right(self._beginnings, line)
        first = self._beginnings[max(place - 1 - more, 0)] if place > more else 1
        after = place + more
        last = self._beginnings[after] - 1 if after < len(self._beginnings) else len(self._lines)
        return first, last

    def _method_at(self, line: int) -> tuple[int, int, str]:
        """Return first and last line of the function that begins in a line, and the name of the class around it."""
        indent = _indent(self._lines[line - 1])
        last, has_begun = line, False
        for number in range(line, min(line + _MOST_LINES, len(self._lines)) + 1):
            text = self._lines[number - 1]
            beginning = _BEGINNING.match(text.lstrip())
            if has_begun and beginning is not None and _indent(text) <= indent:
                break
            has_begun = has_begun or (beginning is not None and not beginning.group("decorator"))
            last = number
        return line, last, self._class_around(line, indent)

    def _class_around(self, line: int, indent: int) -> str:
        for text in reversed(self._lines[: line - 1]):
            match = _CLASS.match(text)
            if match is not None and len(match.group("indent")) < indent:
                return match.group("name")
        return ""

    def _parse(self, first: int, last: int, owner: str) -> list[ast.stmt]:
        lines = self._lines[first - 1 : last]
        before = "\n" * (first - 1)
        if owner:
            before = "\n" * (first - 2) + f"class {owner}:\n"
        tree = _parse(before + "\n".join(lines) + "\n")
        # The class stands there for what it is indented by.
        return tree.body[0].body if owner and isinstance(tree.body[0], ast.ClassDef) else tree.body


def read_file(path: str, helpers: frozenset[str]) -> Block:
    """Return the log statements of the functions of a file that is not long."""
    return SourceFile(path).block_at(1, helpers)


def _functions_in(
    body: Iterable[ast.AST], owner: str, parameters: frozenset[str]
) -> Iterator[tuple[int, ast.FunctionDef | ast.AsyncFunctionDef, str, frozenset[str]]]:
    """Yield functions with the line that they begin in, their class, and the parameters of the functions around."""
    for each in body:
        if isinstance(each, ast.ClassDef):
            yield from _functions_in(each.body, each.name, frozenset())
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)]), each, owner, parameters
            names = frozenset(argument.arg for argument in each.args.args)
            yield from _functions_in(each.body, owner, parameters | names)
        else:
            for name in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from _functions_in(getattr(each, name, ()), owner, parameters)


def _beginnings(lines: list[str]) -> list[int]:
    """Return the lines in which functions and classes begin that are in no other, decorators included."""
    found = []
    is_decorated = False
    for number, line in enumerate(lines, 1):
        match = _BEGINNING.match(line)
        if match is None:
            continue
        if not is_decorated:
            found.append(number)
        is_decorated = bool(match.group("decorator"))
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _parse(text: str) -> ast.Module:
    """Parse what was compiled before; what Python warns of is not said a second time."""
    filters: Any = warnings.filters
    filters.insert(0, _IGNORED)
    try:
        return ast.parse(text, _NAME)
    finally:
        filters.remove(_IGNORED)


def _lines_of(path: str) -> list[str]:
    """Return the lines of a file, or of what IPython and the like keep for debuggers; none where there is neither."""
    data = _read(path)
    if data is not None:
        return data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cache = getattr(sys.modules.get("linecache"), "cache", {})
    entry = cache.get(path)
    if type(entry) is tuple and len(entry) == _LINECACHE_FIELDS and type(entry[2]) is list:
        return "".join(entry[2])[:_MOST_BYTES].split("\n")
    return []


def _read(path: str) -> str | None:
    if path.startswith("<"):
        return None
    try:
        # Not by open(), which the agent may have replaced or may watch.
        with _io.FileIO(path) as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return None
    return "" if len(data) > _MOST_BYTES else data.decode("utf-8-sig", "replace")
