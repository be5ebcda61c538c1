"""Which log statements belong together: what begins in one may be over, or fail, in others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.bridge import exit_pairs, unsaid_pairs
from obs_run.bridge.evidence import Evidence
from obs_run.bridge.phrase import Phrase, Role
from obs_run.bridge.plan import GENERIC, NO_PLAN, SURE, Plan, Start, likeness, make_start

if TYPE_CHECKING:
    from obs_run.bridge.source import File, Function, Statement

__all__ = ["GENERIC", "NO_PLAN", "Plan", "Start", "likeness", "make_plan"]

_CERTAINTY = {each: place for place, each in enumerate(Evidence)}
"""The place of each kind of evidence, the surest first."""


def make_plan(function: Function, file: File) -> Plan:
    """Return what belongs together in a function; the ends of what it begins may stand in others of its file."""
    plan = Plan({}, _phrases_of(function, Role.END), _phrases_of(function, Role.FAILURE))
    _add_starts(function, file, plan)
    taken = {order for start in plan.starts.values() for order in start.ends}
    unsaid_pairs.add_around(function, plan)
    unsaid_pairs.add_entering(function, file, plan)
    unsaid_pairs.add_same_heads(function, plan)
    unsaid_pairs.add_first_and_last(function, plan)
    unsaid_pairs.add_unsaid_ends(function, plan)
    exit_pairs.add_ends(function, plan)
    unsaid_pairs.add_unsaid_starts(function, plan, taken)
    exit_pairs.add_failures(function, plan)
    _add_ends_elsewhere(function, file, plan)
    exit_pairs.add_whole_functions(function, plan)
    for order, start in list(plan.starts.items()):
        plan.starts[order] = _with_lines(function, order, start)
        if _is_state(function, plan.starts[order]):
            del plan.starts[order]
    return plan


def _is_state(function: Function, start: Start) -> bool:
    """Whether a program only says that something has started, of which no line tells that it is over."""
    is_of_nothing = start.evidence in (Evidence.COMPLETION, Evidence.FAILURE, Evidence.RETURN)
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
        if phrase is not None and not _is_told_again(function, statement, phrase, plan):
            plan.starts[statement.order] = make_start(function, statement, phrase)


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
    for order, start in plan.starts.items():
        if start.ends or start.phrase.role is not Role.START:
            continue
        if _is_ended_elsewhere(function, file, function.statements[order], start.phrase):
            plan.starts[order] = start._replace(ends_elsewhere=True)


def _is_ended_elsewhere(function: Function, file: File, begun: Statement, start: Phrase) -> bool:
    return any(_tells_end_of(other, begun, start) for other in file.values() if other is not function)


def _tells_end_of(other: Function, begun: Statement, start: Phrase) -> bool:
    """Whether another function tells the end of what begins: by the same words, better with an id of both."""
    for statement in other.statements:
        end = statement.phrase(Role.END)
        if end is not None and _is_same_work(begun, start, statement, end):
            return True
        if statement.phrase(Role.START) is not None:
            # What it tells from here on is of its own beginning.
            return False
    return False


def _is_same_work(begun: Statement, start: Phrase, ended: Statement, end: Phrase) -> bool:
    has_names = bool(set(begun.template.names) & set(ended.template.names) - {""})
    if has_names:
        return start.likeness(end) >= unsaid_pairs.LEAST_ALIKE
    # Without a value in common, by the same verb of the same thing.
    return start.verb != "start" and start.likeness(end) > SURE + 1


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
