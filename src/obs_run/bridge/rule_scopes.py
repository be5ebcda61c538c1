"""Which call of a function a line that begins a span belongs to, and whether the span ends with it.

Read from the texts in the code that runs, so that no source is needed, and little time.
"""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from obs_run.bridge import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

    from obs_run.bridge.rules import Rule

_MOST_HELPERS = 4
"""How many functions one after the other may only write what they are given."""
_MOST_FUNCTIONS = 5_000
_MOST_KNOWN = 10_000


class Scopes:
    """Says of the spans of rules how far they reach."""

    def __init__(self, found: Iterable[Rule]) -> None:
        self._ends: dict[str, list[Rule]] = {}
        for rule in found:
            for name in rule.of if rule.become == rules.END else ():
                self._ends.setdefault(name, []).append(rule)
        self._known: dict[tuple[str, CodeType], str] = {}

    def scope_of(self, rule: Rule, frame: FrameType | None) -> str:
        """Return how far the span reaches that a line of ``frame`` begins: as its rule says, or its ends tell."""
        if rule.scope is not None or frame is None:
            return rule.scope or rules.PROCESS
        place = rule.name, frame.f_code
        scope = self._known.get(place)
        if scope is None:
            scope = self._find(rule, frame)
            if len(self._known) < _MOST_KNOWN:
                self._known[place] = scope
        return scope

    def _find(self, rule: Rule, frame: FrameType) -> str:
        # Ids tell a piece of work apart wherever its lines come from; a request is its handler's.
        if (rule.key or rule.parent) and not rule.is_trace:
            return rules.PROCESS
        ends = self._ends.get(rule.name, ())
        if not rule.literal or any(_may_write(frame.f_code, end) for end in ends):
            return rules.FUNCTION
        # A function that begins one, too, ends its own.
        others = [code for code in _codes_of_file(frame) if not _may_write(code, rule)]
        is_elsewhere = any(_may_write(code, end) for end in ends for code in others)
        return rules.PROCESS if is_elsewhere else rules.FUNCTION


def frame_of_statement(frame: FrameType | None, rule: Rule) -> FrameType | None:
    """Return the frame whose code has the text of a line: a function may only write what it is given."""
    outer = frame
    for _ in range(_MOST_HELPERS):
        if outer is None or not rule.literal:
            break
        if _may_write(outer.f_code, rule):
            return outer
        outer = outer.f_back
    return frame


def _may_write(code: CodeType, rule: Rule) -> bool:
    """Whether a text that all lines of a rule have is in a function's code, but for the functions inside of it."""
    if not rule.literal:
        return False
    return any(type(constant) is str and rule.literal in constant for constant in _constants(code))


def _constants(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        if type(constant) is tuple:
            yield from constant
        else:
            yield constant


def _codes_of_file(frame: FrameType) -> Iterator[CodeType]:
    """Yield the code of the functions of a file: what its module has, what called the frame, and what is inside."""
    path = frame.f_code.co_filename
    caller: FrameType | None = frame
    waiting = [code for value in list(frame.f_globals.values()) for code in _codes_of(value)]
    while caller is not None:
        waiting.append(caller.f_code)
        caller = caller.f_back
    seen: set[CodeType] = set()
    while waiting and len(seen) < _MOST_FUNCTIONS:
        code = waiting.pop()
        if code in seen or code.co_filename != path:
            continue
        seen.add(code)
        waiting.extend(each for each in code.co_consts if type(each) is CodeType)
        yield code


def _codes_of(value: Any) -> Iterator[CodeType]:
    """Yield the code of a function, or of the methods of a class, without running any of it."""
    if type(value) is FunctionType:
        yield value.__code__
        wrapped = value.__dict__.get("__wrapped__")
        if type(wrapped) is FunctionType:
            yield wrapped.__code__
    elif isinstance(value, type):
        for each in list(type.__dict__["__dict__"].__get__(value).values()):
            given = each.__func__ if type(each) in (classmethod, staticmethod) else each
            if type(given) is property:
                given = given.fget
            if type(given) is FunctionType:
                yield from _codes_of(given)
