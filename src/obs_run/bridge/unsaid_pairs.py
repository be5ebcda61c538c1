"""Pairs of log statements that tell by where they stand, or by what they are about, what their verbs do not tell."""

from __future__ import annotations

import re
from itertools import takewhile
from logging import ERROR, WARNING
from typing import TYPE_CHECKING

from obs_run.bridge import words
from obs_run.bridge.clauses import nouns_of, spoken_words_of, without_prefixes
from obs_run.bridge.evidence import Evidence
from obs_run.bridge.flow import is_exit, may_follow
from obs_run.bridge.phrase import Phrase, Role
from obs_run.bridge.phrases import head_of, read_subject
from obs_run.bridge.plan import GENERIC, SURE, Plan, Start, make_start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.bridge.source import File, Function, Statement

LEAST_ALIKE = 2
"""The likeness of two lines with one noun in common."""
_NO_RULER = re.compile(r"[^\s\0=*#~_-]|\0.*\0", re.DOTALL)
_LABELLED = re.compile(r"[^\W\d]+\s?[:=]\s?['\"]?\0")
"""A word before a value that it says the kind of."""
_NEAR = 3
"""How many words at the beginning of a line say that a message has come."""
_NAMES_OF_STATES = "ready listening waiting bound hit cache stats miss connected subscribed registered"
_NAMES_OF_PROGRESS = frozenset(map(words.stem, ("pending", "queued", "running")))
"""The stems of words that tell of a state where no line of the same function tells that it is over."""
_STATES = _NAMES_OF_PROGRESS.union(map(words.stem, words.SERVERS.union(_NAMES_OF_STATES.split())))
"""The stems of words that tell of a state or of what runs on, and so of no beginning."""
_RECEIVED = (["received"], ["got"], ["incoming"])
"""How a line begins that tells of a message, whatever that is called, where its function works on it."""
PROGRAMS = ("<module>", "main", "__init__")
"""Functions whose lines tell of many things."""
_PARTNERS = {"__enter__": "__exit__", "__aenter__": "__aexit__", "__exit__": "__enter__", "__aexit__": "__aenter__"}
_ENTERING = ("__enter__", "__aenter__")


def add_around(function: Function, plan: Plan) -> None:
    """Have the lines before and after what runs inside of a function be a pair, whatever their words."""
    if function.inside is None:
        return
    first, last = function.inside
    before = [each for each in function.statements if each.last_line < first and not each.handlers]
    after = [each for each in function.statements if each.line > last]
    if not before or not after:
        return
    begun = before[-1] if before[-1].phrase(Role.START) else before[0]
    ends: dict[int, int] = {}
    failed = set()
    for statement in after:
        if statement.handlers or statement.level >= ERROR:
            plan.failures.setdefault(statement.order, _subject(statement, Role.FAILURE))
            failed.add(statement.order)
        elif statement.loops == begun.loops:
            plan.ends.setdefault(statement.order, _subject(statement, Role.END))
            ends[statement.order] = SURE
    plan.starts[begun.order] = Start(_beginning(begun), ends, frozenset(failed), evidence=Evidence.BLOCK)


def add_entering(function: Function, file: File, plan: Plan) -> None:
    """Have the lines of a context manager's two methods be a pair, whatever their words."""
    partner = _PARTNERS.get(function.name)
    partners = [each for each in file.values() if each.owner == function.owner and each.name == partner]
    if not function.statements or not partners or not partners[0].statements:
        return
    if function.name in _ENTERING:
        begun = function.statements[-1]
        if plan.is_end_of_any(begun.order):
            # The entering itself is what was done.
            return
        plan.starts[begun.order] = Start(
            _beginning(begun),
            {},
            frozenset(),
            ends_elsewhere=True,
            is_entered=True,
            evidence=Evidence.BLOCK,
        )
        plan.ends.pop(begun.order, None)
        return
    for statement in function.statements:
        if statement.phrase(Role.FAILURE) is None:
            plan.ends.setdefault(statement.order, _subject(statement, Role.END))


def add_same_heads(function: Function, plan: Plan) -> None:
    """Have the first and last line that begin with the same words and value be a pair, where none tells anything."""
    for same in _by_heads(function, plan):
        first, last = same[0], same[-1]
        if first is last or first.phrases or plan.is_end_of_any(last.order):
            continue
        if may_follow(first, last, _subject(first, Role.START)) and not _is_step(function, plan, first):
            _add_pair(function, plan, first, last, Evidence.HEAD)


def add_ends_of_passes(function: Function, plan: Plan) -> None:
    """Have the last line of a pass that begins with the words and the number of the first one be its end."""
    for order, start in list(plan.starts.items()):
        begun = function.statements[order]
        if start.ends or not start.phrase.is_iteration:
            continue
        head = _head_and_value(begun)
        later = (each for each in function.statements[order + 1 :] if each.blocks == begun.blocks)
        same = [each for each in later if each.level < WARNING and head and _head_and_value(each) == head]
        if same and same[-1].order not in plan.starts and may_follow(begun, same[-1], start.phrase):
            start.ends[same[-1].order] = SURE
            plan.ends.setdefault(same[-1].order, _subject(same[-1], Role.END))
            plan.starts[order] = start._replace(evidence=Evidence.HEAD)


def _head_and_value(statement: Statement) -> tuple[str, str] | None:
    """Return the words that a line begins with and what names the value after them, None where there are none."""
    head = head_of(statement.template.text)
    return (head, statement.template.names[0]) if head and statement.template.names[:1] != ("",) else None


def _is_step(function: Function, plan: Plan, first: Statement) -> bool:
    """Whether a line is amid what has begun before with the same value, of which it tells how far that is."""
    value = set(first.template.names[:1]) - {""}
    for order, start in plan.starts.items():
        is_amid = order < first.order and any(end > first.order for end in start.ends)
        if is_amid and value & set(function.statements[order].template.names):
            return True
    return False


def _by_heads(function: Function, plan: Plan) -> list[list[Statement]]:
    """Return the statements that begin nothing, those that begin with the same words and value together."""
    heads: dict[tuple[str, tuple[str, ...]], list[Statement]] = {}
    for statement in function.statements:
        if statement.level >= WARNING or statement.handlers or statement.order in plan.starts:
            continue
        if statement.phrases and statement.phrase(Role.END) is None:
            continue
        head = head_of(statement.template.text)
        if head:
            heads.setdefault((head, statement.template.names[:1]), []).append(statement)
    return list(heads.values())


def add_first_and_last(function: Function, plan: Plan) -> None:
    """Have the first and the last line of a function, or of a loop's pass, be a pair that are about the same.

    That is for those whose words tell nothing else.
    """
    for loops in sorted({each.loops for each in function.statements}, key=len):
        if not loops and (function.name in PROGRAMS or function.serves):
            continue
        inside = [each for each in function.statements if each.loops[: len(loops)] == loops]
        # What is told before in a block that leaves is of what was not begun.
        lines = [each for each in inside if not (_leaves_at_once(each, loops) or _is_ruler(each))]
        if lines and _may_be_first(plan, lines[0], loops):
            _add_last_of(function, plan, lines)


def _leaves_at_once(statement: Statement, loops: tuple[int, ...]) -> bool:
    """Whether a line stands in a branch that leaves the function, or the loop's pass."""
    is_in_branch = any(decision > (loops[-1] if loops else 0) for decision, _ in statement.branches)
    return is_in_branch and (bool(statement.returns) or bool(statement.breaks))


def _is_ruler(statement: Statement) -> bool:
    """Whether a line says nothing at all, but perhaps a value that is no word of the line's own."""
    return not _NO_RULER.search(statement.template.text)


def _may_be_first(plan: Plan, first: Statement, loops: tuple[int, ...]) -> bool:
    """Whether a line may tell the beginning of what its function, or its loop's pass, does."""
    if first.loops != loops or first.level >= WARNING or first.handlers or first.is_last or first.order in plan.starts:
        return False
    if any(decision > (loops[-1] if loops else 0) for decision, _ in first.branches):
        return False
    # Nothing is over as long as nothing has been done.
    has_begun = first.is_first_of_pass if loops else first.is_first_work
    if not first.phrases:
        return has_begun or not loops
    return has_begun and first.phrase(Role.END) is not None and len(first.phrases) == 1


def _add_last_of(function: Function, plan: Plan, lines: list[Statement]) -> None:
    first = lines[0]
    may_be = (each for each in reversed(lines[1:]) if _may_be_last(function, plan, first, each))
    last = next((each for each in may_be if _are_of_one_thing(first, each)), None)
    if last is not None:
        _add_pair(function, plan, first, last, Evidence.RESULT if _is_result(first, last) else Evidence.PLACE)


def _may_be_last(function: Function, plan: Plan, first: Statement, last: Statement) -> bool:
    if last.level >= WARNING or last.handlers or (last.loops, last.branches) != (first.loops, first.branches):
        return False
    is_other = last.order in plan.starts or plan.is_end_of_any(last.order)
    return not is_other and may_follow(first, last, _subject(first, Role.START)) and is_exit(function, first, last)


def _is_result(first: Statement, last: Statement) -> bool:
    """Whether the last line says that it is over what the first is about, and of the same value, if that says so."""
    end = last.phrase(Role.END)
    has_same_value = bool(set(first.template.names) & set(last.template.names) - {""})
    if end is None or (first.phrases and not has_same_value):
        return False
    return _subject(first, Role.START).likeness(end) >= LEAST_ALIKE


def _are_of_one_thing(first: Statement, last: Statement) -> bool:
    """Whether both tell of the same value, or a line that can be no end of the same thing."""
    if _is_asked(first) and _is_answered(last):
        return True
    is_taken_on = not words.HANDED_OVER.isdisjoint(spoken_words_of(first.template.text))
    if is_taken_on and not _subjects_before_verb(last) <= _subject(first, Role.START).nouns:
        # "goal 7 accepted", "goal 7 status updated": of what was taken on a state is told.
        return False
    if set(first.template.names) & set(last.template.names) - {""}:
        return True
    if not _subject(first, Role.START).nouns & nouns_of(last.template.text):
        return False
    # Of the same thing, where one says that it is over, or nothing is done before the first and after the last.
    is_all = (first.is_first_of_pass if first.loops else first.is_first_work) and last.is_last
    return bool(first.phrases) or is_all or last.phrase(Role.END) is not None


def _is_asked(statement: Statement) -> bool:
    """Whether a line has what is asked, as "Question: ..."."""
    return _LABELLED.match(without_prefixes(statement.template.text)) is not None and (
        not words.QUESTIONS.isdisjoint(spoken_words_of(without_prefixes(statement.template.text))[:1])
    )


def _is_answered(statement: Statement) -> bool:
    """Whether a line has what is answered, as "Answer: ..."."""
    return _LABELLED.match(without_prefixes(statement.template.text)) is not None and (
        not words.ANSWERS.isdisjoint(spoken_words_of(without_prefixes(statement.template.text))[:1])
    )


def _subjects_before_verb(statement: Statement) -> set[str]:
    """Return the stems of the words before the one that says what was done."""
    said = spoken_words_of(without_prefixes(statement.template.text))
    return set(map(words.stem, takewhile(lambda each: not words.is_participle(each), said))) - {""}


def _add_pair(function: Function, plan: Plan, first: Statement, last: Statement, evidence: Evidence) -> None:
    """Have two lines be a pair, unless the first tells of a state."""
    about = _subject(first, Role.START)
    is_over = last.phrase(Role.END) is not None
    # What is done time and again in a loop is no state.
    if not first.loops and about.nouns & (_STATES - _NAMES_OF_PROGRESS if is_over else _STATES):
        return
    plan.ends.pop(first.order, None)
    said = spoken_words_of(without_prefixes(first.template.text))
    if said[:1] in _RECEIVED or "received" in said[1:_NEAR]:
        about = about._replace(role=Role.RECEIVED)
    start = make_start(function, first, about)
    start.ends[last.order] = SURE
    plan.starts[first.order] = start._replace(evidence=evidence)
    plan.ends.setdefault(last.order, _subject(last, Role.END))


def add_unsaid_ends(function: Function, plan: Plan) -> None:
    """Have the last line about what began be its end, where no line says that it is over; and those before a return."""
    for order, start in list(plan.starts.items()):
        begun = function.statements[order]
        has_ends = any(_falls_through(begun, function.statements[end]) for end in start.ends)
        plan.starts[order] = _with_ways_out(function, plan, begun, start)
        if has_ends or start.phrase.is_iteration or start.phrase.verb == "start":
            continue
        later = list(_later_lines(function, plan, begun))
        about = [each for each in later if start.phrase.likeness(_subject(each, Role.END))]
        about = about or [each for each in later if _tells_of(begun, start.phrase, each)]
        last = about[-1] if about else next((each for each in later if each.is_last), None)
        if last is not None:
            _add_end(plan, start, last)


def _falls_through(begun: Statement, ended: Statement) -> bool:
    """Whether an end is not only that of a branch which leaves the function before others are told."""
    return ended.blocks == begun.blocks or not any(block not in begun.blocks for block in ended.returns)


def add_other_ways(function: Function, plan: Plan) -> None:
    """Have what the other ways of a decision tell last be ends, too, where a line in one of its ways is one."""
    for start in plan.starts.values():
        for order in list(start.ends):
            for other in _in_other_ways(function, function.statements[order]):
                if not plan.tells_something(other.order) and not plan.is_end_of_any(other.order):
                    plan.ends[other.order] = _subject(other, Role.END)
                    start.ends[other.order] = start.ends[order]


def _in_other_ways(function: Function, ended: Statement) -> Iterator[Statement]:
    """Yield the last lines in the other ways of the decision that a line stands in, if that is about the same value."""
    if not ended.branches:
        return
    *around, (decision, _) = ended.branches
    last: dict[tuple[tuple[int, int], ...], Statement] = {}
    for each in function.statements:
        is_other = each.branches[: len(around) + 1] != ended.branches and each.branches[: len(around)] == tuple(around)
        if is_other and len(each.branches) > len(around) and each.branches[len(around)][0] == decision:
            last[each.branches] = each
    for each in last.values():
        is_plain = each.level < WARNING and (each.loops, each.handlers) == (ended.loops, ended.handlers)
        if is_plain and set(each.template.names) & set(ended.template.names) - {""}:
            yield each


def _with_ways_out(function: Function, plan: Plan, begun: Statement, start: Start) -> Start:
    """Return the same with the lines that tell of it right before another block leaves the function.

    Those that warn tell of its failure.
    """
    failures = set(start.failures)
    told = [plan.ends[end].nouns for end in start.ends]
    for later in function.statements[begun.order + 1 :]:
        is_other_result = any(nouns & nouns_of(later.template.text) for nouns in told) and later.level < WARNING
        if not _is_way_out(begun, later, start, is_alike=is_other_result) or (
            later.level < WARNING and plan.is_end_of_any(later.order)
        ):
            continue
        if later.level < WARNING:
            _add_end(plan, start, later)
        elif later.order not in plan.ends:
            plan.failures.setdefault(later.order, _subject(later, Role.FAILURE))
            failures.add(later.order)
    return start._replace(failures=frozenset(failures))


def _is_way_out(begun: Statement, later: Statement, start: Start, *, is_alike: bool) -> bool:
    is_left = later.leaves or (later.is_last and later.loops == begun.loops)
    if not is_left or later.blocks == begun.blocks or later.level > WARNING:
        return False
    if not may_follow(begun, later, start.phrase):
        return False
    if later.is_cancelled:
        return True
    if later.phrases:
        return False
    if start.phrase.role is Role.RECEIVED and later.level == WARNING:
        return True
    said = nouns_of(later.template.text) if later.level >= WARNING else frozenset()
    is_alike = is_alike or start.phrase.likeness(Phrase(Role.END, "", said) if said else _subject(later, Role.END)) > 0
    is_unsaid = not start.ends or start.evidence in (Evidence.PLACE, Evidence.RESULT)
    return is_alike or (is_unsaid and _tells_of(begun, start.phrase, later))


def _tells_of(begun: Statement, start: Phrase, later: Statement) -> bool:
    """Whether a line is about what began in another: by its words or its first value."""
    if start.likeness(_subject(later, Role.END)):
        return True
    return bool(set(begun.template.names) & set(later.template.names[:1]) - {""})


def _later_lines(function: Function, plan: Plan, begun: Statement) -> Iterator[Statement]:
    """Yield the lines up to the next beginning that say neither, in the same loop and handler."""
    for later in function.statements[begun.order + 1 :]:
        is_same_place = later.loops == begun.loops and later.handlers == begun.handlers
        if later.level >= WARNING or later.is_final or not is_same_place:
            continue
        if later.order in plan.starts:
            return
        ends = (function.statements[end] for end in plan.starts[begun.order].ends)
        is_after_end = any(may_follow(end, later, plan.starts[begun.order].phrase) for end in ends)
        if not (later.phrases or is_after_end or plan.is_end_of_any(later.order)):
            yield later


def _add_end(plan: Plan, start: Start, ended: Statement) -> None:
    plan.ends[ended.order] = _subject(ended, Role.END)
    start.ends[ended.order] = GENERIC


def add_unsaid_starts(function: Function, plan: Plan, taken: set[int]) -> None:
    """Have the first line about what is over be its beginning, where no line says that it begins.

    ``taken`` are the ends of which a line says so.
    """
    if function.name in PROGRAMS:
        return
    for order, end in list(plan.ends.items()):
        if order in taken or plan.is_end_of_any(order) or end.is_generic():
            continue
        ended = function.statements[order]
        begun = next((each for each in function.statements[:order] if _may_begin(each, ended, end, plan)), None)
        if begun is not None and not _is_step(function, plan, begun):
            start = make_start(function, begun, _subject(begun, Role.START))
            start.ends.setdefault(order, GENERIC)
            plan.starts[begun.order] = start._replace(evidence=Evidence.RESULT)


def _may_begin(statement: Statement, ended: Statement, end: Phrase, plan: Plan) -> bool:
    """Whether a line that says neither may tell of the beginning of what is over."""
    is_other = statement.level >= WARNING or statement.is_final or bool(statement.handlers)
    if is_other or statement.phrases or plan.tells_something(statement.order):
        return False
    about = _subject(statement, Role.START)
    if about.nouns & _STATES or not may_follow(statement, ended, about):
        return False
    return about.likeness(end) >= LEAST_ALIKE


def _beginning(statement: Statement) -> Phrase:
    """Return what a line says that begins, or what it is about."""
    return statement.phrase(Role.START) or _subject(statement, Role.START)


def _subject(statement: Statement, role: Role) -> Phrase:
    return read_subject(statement.template.text)._replace(role=role)
