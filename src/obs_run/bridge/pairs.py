"""Which log statements belong together: what begins in one may be over, or fail, in others."""

from __future__ import annotations

from logging import WARNING
from typing import TYPE_CHECKING

from obs_run.bridge import exit_pairs, unsaid_pairs, words
from obs_run.bridge.clauses import spoken_words_of
from obs_run.bridge.evidence import Evidence
from obs_run.bridge.phrase import Phrase, Role
from obs_run.bridge.phrases import read_subject
from obs_run.bridge.plan import GENERIC, NO_PLAN, SURE, Plan, Start, likeness, make_start

if TYPE_CHECKING:
    from obs_run.bridge.source import File, Function, Statement

__all__ = ["GENERIC", "NO_PLAN", "Plan", "Start", "likeness", "make_plan"]

_ITERATIONS = frozenset(map(words.stem, words.ITERATIONS))
_OF_NO_THING = (Evidence.COMPLETION, Evidence.FAILURE, Evidence.RETURN, Evidence.SUBJECT, Evidence.EXIT)
"""What speaks for a pair of which no line says that it is over what has begun."""
_CERTAINTY = {each: place for place, each in enumerate(Evidence)}
"""The place of each kind of evidence, the surest first."""


def make_plan(function: Function, file: File) -> Plan:
    """Return what belongs together in a function; the ends of what it begins may stand in others of its file."""
    plan = Plan({}, _phrases_of(function, Role.END), _phrases_of(function, Role.FAILURE))
    _add_starts(function, file, plan)
    taken = {order for start in plan.starts.values() for order in start.ends}
    unsaid_pairs.add_around(function, plan)
    unsaid_pairs.add_entering(function, file, plan)
    unsaid_pairs.add_ends_of_passes(function, plan)
    unsaid_pairs.add_same_heads(function, plan)
    unsaid_pairs.add_first_and_last(function, plan)
    unsaid_pairs.add_unsaid_ends(function, plan)
    exit_pairs.add_ends(function, plan)
    unsaid_pairs.add_other_ways(function, plan)
    unsaid_pairs.add_unsaid_starts(function, plan, taken)
    exit_pairs.add_failures(function, plan)
    _add_ends_elsewhere(function, file, plan)
    exit_pairs.add_whole_functions(function, plan)
    for order, end in list(plan.ends.items()):
        if end.verb == words.READY and not plan.is_end_of_any(order):
            del plan.ends[order]
    for order, start in list(plan.starts.items()):
        plan.starts[order] = _with_lines(function, order, start)
        if _is_state(function, plan.starts[order]):
            del plan.starts[order]
    return plan


def _is_state(function: Function, start: Start) -> bool:
    """Whether a program only says that something has started, of which no line tells that it is over."""
    is_of_nothing = start.evidence in _OF_NO_THING
    return is_of_nothing and start.phrase.verb == "start" and function.name in unsaid_pairs.PROGRAMS


def _with_lines(function: Function, order: int, start: Start) -> Start:
    """Return the same with what speaks for it, and the lines of what may come of it."""
    statements = function.statements
    return start._replace(
        work=function.work - statements[order].work_before,
        evidence=_evidence_of(function, statements[order], start),
        end_lines={statements[end].line: likely for end, likely in start.ends.items()},
        failure_lines=frozenset(statements[each].line for each in start.failures),
    )


def _phrases_of(function: Function, role: Role) -> dict[int, Phrase]:
    phrases = ((each.order, each.phrase(role)) for each in function.statements)
    return {order: phrase for order, phrase in phrases if phrase is not None}


def _add_starts(function: Function, file: File, plan: Plan) -> None:
    """Add the beginnings that lines tell by their words, but for those after which nothing is done."""
    for statement in function.statements:
        phrase = statement.phrase(Role.START, Role.RECEIVED)
        if phrase is not None and statement.is_last and not _is_ended_elsewhere(function, file, statement, phrase):
            continue
        if phrase is None or _is_end_of_sending(statement, phrase, plan) or _is_progress(function, statement, phrase):
            continue
        if not _is_told_again(function, statement, phrase, plan):
            plan.starts[statement.order] = make_start(function, statement, phrase)


def _is_end_of_sending(statement: Statement, phrase: Phrase, plan: Plan) -> bool:
    """Whether "message sent" is the end of what a line before says that is sent."""
    is_either = phrase.verb == "send" and statement.phrase(Role.END) is not None
    return is_either and plan.is_end_of_any(statement.order)


def _is_progress(function: Function, statement: Statement, phrase: Phrase) -> bool:
    """Whether a number only tells how far a loop has come: nothing else is told in its passes but what leaves it."""
    if not phrase.is_iteration or phrase.nouns & _ITERATIONS:
        return False
    loops = statement.loops
    others = (each for each in function.statements if each is not statement)
    return all(each.loops[: len(loops)] != loops or (each.leaves and each.phrase(Role.FAILURE)) for each in others)


def _is_told_again(function: Function, statement: Statement, phrase: Phrase, plan: Plan) -> bool:
    """Whether the line right before has told already that this begins."""
    before = plan.starts.get(statement.order - 1)
    if before is None or before.phrase.is_iteration or len(statement.phrases) > 1:
        return False
    if function.statements[statement.order - 1].blocks != statement.blocks:
        return False
    return bool(before.phrase.nouns & phrase.nouns) and before.phrase.verb in ("", "start", phrase.verb)


def _add_ends_elsewhere(function: Function, file: File, plan: Plan) -> None:
    """Note of what begins whether another function tells its end, where none of this does."""
    last = function.statements[-1] if function.statements else None
    if last is not None and _is_handed_over(function, file, plan, last):
        phrase = read_subject(last.template.text)._replace(role=Role.START)
        plan.starts[last.order] = Start(phrase, {}, frozenset(), ends_elsewhere=True)
        plan.ends.pop(last.order, None)
    for order, start in plan.starts.items():
        if start.ends or start.phrase.role is not Role.START:
            continue
        if _is_ended_elsewhere(function, file, function.statements[order], start.phrase):
            plan.starts[order] = start._replace(ends_elsewhere=True)


def _is_ended_elsewhere(function: Function, file: File, begun: Statement, start: Phrase) -> bool:
    # What is begun last is left to others, perhaps to a method of the same object.
    is_left = function.name not in unsaid_pairs.PROGRAMS and begun.order + 1 == len(function.statements)
    owner = function.owner if is_left else ""
    others = (other for other in file.values() if other is not function)
    return any(_tells_end_of(other, begun, start, is_method="" != owner == other.owner) for other in others)


def _tells_end_of(other: Function, begun: Statement, start: Phrase, *, is_method: bool) -> bool:
    """Whether another function tells the end of what begins: by the same words, better with an id of both.

    ``is_method`` says that it is one of the same class, and that what begins is left to others.
    """
    for statement in other.statements:
        end = statement.phrase(Role.END)
        if end is not None and _is_same_work(begun, start, statement, end):
            return other.name not in unsaid_pairs.PROGRAMS or bool(_names_of(begun) & _names_of(statement))
        if end is not None and is_method and _is_end_of_same(start, end):
            return True
        if statement.phrase(Role.START) is not None:
            # What it tells from here on is of its own beginning.
            return False
    return False


def _is_same_work(begun: Statement, start: Phrase, ended: Statement, end: Phrase) -> bool:
    if _names_of(begun) & _names_of(ended):
        return start.likeness(end) >= unsaid_pairs.LEAST_ALIKE
    # Without a value in common, by the same verb of the same thing.
    return start.verb != "start" and start.likeness(end) > SURE + 1


def _is_handed_over(function: Function, file: File, plan: Plan, last: Statement) -> bool:
    """Whether the last line of a function says that work was taken on, which another function tells the end of."""
    if words.HANDED_OVER.isdisjoint(spoken_words_of(last.template.text)) or plan.is_end_of_any(last.order):
        return False
    if last.level >= WARNING or last.order in plan.starts or last.phrase(Role.RECEIVED, Role.FAILURE) is not None:
        return False
    start = read_subject(last.template.text)._replace(role=Role.START)
    others = (other for other in file.values() if other is not function and other.owner == function.owner)
    return any(_tells_outcome_of(other, last, start) for other in others)


def _tells_outcome_of(other: Function, begun: Statement, start: Phrase) -> bool:
    """Whether another function tells, before it begins anything itself, that what was taken on is over."""
    for statement in other.statements:
        end = statement.phrase(Role.END)
        if end is not None and end.verb not in words.HANDED_OVER and _is_same_work(begun, start, statement, end):
            return True
        if statement.phrase(Role.START) is not None:
            return False
    return False


def _is_end_of_same(start: Phrase, end: Phrase) -> bool:
    """Whether what is over is the same thing, by its nouns, of which nothing else is said than that."""
    return end.verb in ("", start.verb) and start.likeness(end) >= unsaid_pairs.LEAST_ALIKE


def _names_of(statement: Statement) -> set[str]:
    """Return what names the values of a line, and its fields."""
    return {*statement.template.names, *statement.fields} - {"", "extra", "exc_info"}


def _evidence_of(function: Function, begun: Statement, start: Start) -> Evidence:
    """Return the surest of what speaks for what begins in a statement."""
    if start.evidence is not None:
        return start.evidence
    if start.phrase.role is Role.RECEIVED:
        return Evidence.REQUEST
    if start.phrase.is_iteration:
        return Evidence.ITERATION
    if not start.ends:
        return Evidence.OTHER_FUNCTION if start.ends_elsewhere else Evidence.FAILURE
    found = (_evidence_of_pair(begun, start.phrase, function.statements[order]) for order in start.ends)
    return min(found, key=_CERTAINTY.__getitem__)


def _evidence_of_pair(begun: Statement, start: Phrase, ended: Statement) -> Evidence:
    end = ended.phrase(Role.END)
    if end is None:
        return Evidence.SUBJECT
    if start.verb and end.verb and likeness(_bare(start), _bare(end)) >= SURE:
        return Evidence.VERB
    is_other_verb = start.verb == "start" and end.verb not in ("", "start")
    # "job started", "2 jobs deployed" are about the same only where they share a value.
    if start.likeness(end) and not is_other_verb:
        return Evidence.NOUNS
    return Evidence.VALUE if _share_value(begun, ended) else Evidence.COMPLETION


def _bare(phrase: Phrase) -> Phrase:
    return phrase._replace(nouns=frozenset())


def _share_value(one: Statement, other: Statement) -> bool:
    return bool(set(one.template.names) & set(other.template.names) - {""})
