"""What begins in a function's log statements, and how likely which others tell what comes of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from obs_run.bridge import words
from obs_run.bridge.clauses import spoken_words_of
from obs_run.bridge.flow import may_fail, may_follow
from obs_run.bridge.phrase import Phrase, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.bridge.evidence import Evidence
    from obs_run.bridge.source import Function, Statement

GENERIC = 1
"""The likeness of what does not say what it is about."""
SURE = 3
"""The likeness of the same verb, and of more."""
_NEAR = 2
"""How many words at the beginning of a line say what is over."""
_ANSWERS = frozenset(("answer", "receive", "get"))
_ASKING = frozenset((
    "send", "ask", "request", "call", "query", "post", "fetch", "prompt", "consult", "dispatch", "forward", "get",
    "invok",
))  # fmt: skip
"""The stems of verbs that ask for something, of which an answer is the end."""


class Start(NamedTuple):
    """What begins in a statement, and the places in its function of what may come of it."""

    phrase: Phrase
    ends: dict[int, int]
    """How likely each end is, from 1."""
    failures: frozenset[int]
    ends_elsewhere: bool = False
    """Whether another function of the same file tells its end."""
    evidence: Evidence | None = None
    """What speaks for it, None as long as only the words do."""
    end_lines: Mapping[int, int] = MappingProxyType({})
    """The same by the lines of the statements, which hold when the file is read again."""
    failure_lines: frozenset[int] = frozenset()
    is_entered: bool = False
    """Whether it is a block of ``with``, which an object's two methods begin and end."""

    is_function: bool = False
    """Whether it is what its whole function does, and over when that is left."""

    work: int = 0
    """How much its function does after it, as the number of calls that do something."""

    def is_alone(self) -> bool:
        """Whether nothing tells how it comes out."""
        return not self.ends and not self.failures and not self.ends_elsewhere


class Plan(NamedTuple):
    """What the statements of a function tell, by their places in it."""

    starts: dict[int, Start]
    ends: dict[int, Phrase]
    failures: dict[int, Phrase]

    def tells_something(self, order: int) -> bool:
        """Whether anything comes of a record of a statement."""
        return order in self.starts or order in self.ends or order in self.failures

    def with_starts(self, kinds: frozenset[Evidence]) -> Plan:
        """Return the same with those beginnings alone for which one of these speaks."""
        kept = {order: each for order, each in self.starts.items() if each.evidence in kinds}
        taken = {order for each in kept.values() for order in each.ends}
        # What ends one of the others is the end of nothing else.
        freed = {order for each in self.starts.values() for order in each.ends} - taken
        ends = {order: each for order, each in self.ends.items() if order not in freed}
        return self._replace(starts=kept, ends=ends)

    def is_end_of_any(self, order: int) -> bool:
        """Whether a statement may be the end of what begins in another."""
        return any(order in start.ends for start in self.starts.values())


NO_PLAN = Plan({}, {}, {})


def likeness(start: Phrase, end: Phrase) -> int:
    """Return how likely ``end`` is the end of ``start``, 0 for not at all."""
    if start.role is Role.RECEIVED and end.verb == "answer":
        return SURE
    if end.verb in _ANSWERS and start.verb in _ASKING:
        return SURE
    likely = start.likeness(end)
    if likely:
        return likely
    if end.is_generic() or start.is_generic():
        return GENERIC
    return GENERIC if end.measured and not end.nouns else 0


def make_start(function: Function, begun: Statement, phrase: Phrase) -> Start:
    """Return what begins in a statement, with what may come of it by the words."""
    failures = (
        each.order
        for each in function.statements
        if each.phrase(Role.FAILURE) is not None and may_fail(begun, each)
    )  # fmt: skip
    ends = _likely_ends(function, begun, phrase)
    _drop_generic(function, ends)
    return Start(phrase, ends, frozenset(failures))


def _likely_ends(function: Function, begun: Statement, phrase: Phrase) -> dict[int, int]:
    ends = {}
    for statement in function.statements:
        end = statement.phrase(Role.END)
        if end is None or not may_follow(begun, statement, phrase):
            continue
        likely = likeness(phrase, end)
        if not likely and phrase.role is Role.RECEIVED and _has_same_value(begun, statement):
            likely = GENERIC
        if likely and not _has_likelier_start(function, begun, statement, end, likely):
            ends[statement.order] = likely
    return ends


def _has_same_value(one: Statement, other: Statement) -> bool:
    """Whether both tell first of the same value."""
    first = one.template.names[:1]
    return first == other.template.names[:1] and first not in ((), ("",))


def _has_likelier_start(function: Function, begun: Statement, ended: Statement, end: Phrase, likely: int) -> bool:
    """Whether another beginning is more likely the one that is over; of those that say nothing the nearest is."""
    for statement in function.statements[: ended.order]:
        start = statement.phrase(Role.START, Role.RECEIVED)
        if start is None or statement is begun or not may_follow(statement, ended, start):
            continue
        other = likeness(start, end)
        is_leaving = likely <= GENERIC and ended.leaves and not _names_pass(ended)
        if is_leaving and statement.phrase(Role.START) and start.is_iteration is not _is_pass(begun):
            # Who says "done" and returns amid a loop is done with what the loop is for.
            if not start.is_iteration and other:
                return True
            continue
        is_nearer = statement.order > begun.order
        if other > likely or (is_nearer and other == likely and likely <= GENERIC):
            return True
    return False


def _names_pass(ended: Statement) -> bool:
    """Whether a line says that it is a pass that is over, as "attempt 2 succeeded"."""
    return not words.ITERATIONS.isdisjoint(spoken_words_of(ended.template.text)[:_NEAR])


def _is_pass(begun: Statement) -> bool:
    """Whether what begins is one of several that follow each other."""
    phrase = begun.phrase(Role.START)
    return phrase is not None and phrase.is_iteration


def _drop_generic(function: Function, ends: dict[int, int]) -> None:
    """Drop ends that do not say of what, before one in the same block that does."""
    best = max(ends, key=lambda order: ends[order], default=None)
    if best is None or ends[best] <= GENERIC:
        return
    blocks = function.statements[best].blocks
    for order, likely in list(ends.items()):
        if likely <= GENERIC and order < best and function.statements[order].blocks == blocks:
            del ends[order]
