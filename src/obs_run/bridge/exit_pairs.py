"""Pairs of a line that says that something begins, and the lines that are the last ones before its function is left."""

from __future__ import annotations

from logging import ERROR, WARNING
from typing import TYPE_CHECKING

from obs_run.bridge.evidence import Evidence
from obs_run.bridge.flow import is_exit, may_fail, may_follow
from obs_run.bridge.phrase import Phrase, Role
from obs_run.bridge.phrases import read_subject
from obs_run.bridge.plan import GENERIC, Plan, Start
from obs_run.bridge.unsaid_pairs import PROGRAMS, leaves_at_once

if TYPE_CHECKING:
    from obs_run.bridge.source import Function, Statement


def add_ends(function: Function, plan: Plan) -> None:
    """Have the last lines before a function is left be the ends of what began in it, where no words tell its end."""
    taken = {order for start in plan.starts.values() for order in start.ends}
    for order, start in list(plan.starts.items()):
        begun = function.statements[order]
        if start.ends or start.phrase.is_iteration or _is_followed(function, plan, begun):
            continue
        for later in function.statements[order + 1 :]:
            if later.order not in taken and _may_be_end(function, plan, begun, start, later):
                plan.ends.setdefault(later.order, _subject(later, Role.END))
                start.ends[later.order] = GENERIC
        if start.ends and not _are_about_it(function, begun, start):
            plan.starts[order] = start._replace(evidence=Evidence.EXIT)


def add_failures(function: Function, plan: Plan) -> None:
    """Have an error that is the last line before a function is left be the failure of what began in it."""
    for order, start in list(plan.starts.items()):
        begun = function.statements[order]
        failed = set(start.failures)
        for later in function.statements[order + 1 :]:
            is_warning = later.level >= WARNING and not later.phrases and _is_about_it(begun, start, later)
            is_error = is_warning or (later.level >= ERROR and later.phrase(Role.START) is None)
            if is_error and later.order not in failed and may_fail(begun, later) and is_exit(function, begun, later):
                plan.failures.setdefault(later.order, _subject(later, Role.FAILURE))
                failed.add(later.order)
        plan.starts[order] = start._replace(failures=frozenset(failed))


def add_whole_functions(function: Function, plan: Plan) -> None:
    """Have what the first line of a function says that it does be what the function does, where no line ends it."""
    order = next((each.order for each in function.statements if not leaves_at_once(each)), 0)
    start = plan.starts.get(order)
    does_something = function.work or any(each.loops for each in function.statements)
    if start is None or function.name in PROGRAMS or not does_something:
        return
    begun = function.statements[order]
    is_first = _is_first(function, begun) and len(begun.blocks) == 1 and len(begun.phrases) == 1
    if is_first and start.is_alone() and start.phrase.verb not in ("", "start"):
        plan.starts[order] = start._replace(is_function=True, evidence=Evidence.RETURN)


def _is_followed(function: Function, plan: Plan, begun: Statement) -> bool:
    """Whether what begins next in the same block has no end either, and so is the one that ends."""
    later = (each for each in function.statements[begun.order + 1 :] if each.blocks == begun.blocks)
    starts = (plan.starts[each.order] for each in later if each.order in plan.starts)
    return any(not start.ends and not start.phrase.is_iteration for start in starts)


def _may_be_end(function: Function, plan: Plan, begun: Statement, start: Start, later: Statement) -> bool:
    if later.level >= WARNING or later.is_final or later.handlers != begun.handlers:
        return False
    if later.order in plan.starts or not may_follow(begun, later, start.phrase) or not is_exit(function, begun, later):
        return False
    if _is_about_it(begun, start, later):
        return True
    # Whatever its words, where one is the first thing that the function does, and the other the last.
    is_first = _is_first(function, begun) and function.name not in PROGRAMS
    is_of_function = is_first and start.phrase.verb not in ("", "start") and not _has_other_start(plan, begun, later)
    return is_of_function and later.phrase(Role.END) is not None


def _is_first(function: Function, begun: Statement) -> bool:
    """Whether nothing is told before, but in blocks that leave at once, and nothing done that is not for those."""
    before = function.statements[: begun.order]
    return all(map(leaves_at_once, before)) and (begun.is_first_work or bool(before))


def _has_other_start(plan: Plan, begun: Statement, later: Statement) -> bool:
    return any(begun.order < order < later.order for order in plan.starts)


def _are_about_it(function: Function, begun: Statement, start: Start) -> bool:
    """Whether an end is about the same as the beginning."""
    return any(_is_about_it(begun, start, function.statements[order]) for order in start.ends)


def _is_about_it(begun: Statement, start: Start, later: Statement) -> bool:
    return _share_value(begun, later) or bool(start.phrase.likeness(_subject(later, Role.END)))


def _share_value(one: Statement, other: Statement) -> bool:
    return bool(set(one.template.names) & set(other.template.names[:1]) - {""})


def _subject(statement: Statement, role: Role) -> Phrase:
    return statement.phrase(role) or read_subject(statement.template.text)._replace(role=role)
