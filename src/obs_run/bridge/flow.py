"""Which log statements of a function may be reached from others, by where these stand in it."""

from __future__ import annotations

from logging import INFO
from typing import TYPE_CHECKING

from obs_run.bridge.words import VALUE

if TYPE_CHECKING:
    from obs_run.bridge.phrase import Phrase
    from obs_run.bridge.source import Function, Statement


def may_follow(begun: Statement, ended: Statement, start: Phrase) -> bool:
    """Whether the end may be that of what begins: further down, and not in a loop inside."""
    if ended.order <= begun.order or _is_cut_off(begun, ended):
        return False
    if ended.loops == begun.loops:
        return True
    if _is_inside(ended, begun):
        return ended.leaves
    # Of several that follow each other the last is over where the loop is; a number before that counts them.
    is_count = ended.template.text.startswith(VALUE)
    return start.is_iteration and not is_count and _is_inside(begun, ended)


def may_fail(begun: Statement, failed: Statement) -> bool:
    """Whether a failure may be that of what begins: not that of one item of a loop inside."""
    if failed.order <= begun.order:
        return False
    if _is_guarded(begun, failed):
        # What is raised comes there whatever follows in the block.
        return True
    if _is_cut_off(begun, failed):
        return False
    return failed.loops == begun.loops or (failed.leaves and _is_inside(failed, begun))


def is_exit(function: Function, begun: Statement, last: Statement) -> bool:
    """Whether no other line comes after ``last`` before the function, or the pass of the loop of ``begun``, is left."""
    least = min(last.level, INFO)
    return not any(
        each.level >= least
        and each.order > last.order
        and not each.is_final
        and _is_inside(each, begun)
        and not _is_guarded(last, each)
        and not _is_cut_off(last, each)
        for each in function.statements
    )


def _is_cut_off(begun: Statement, later: Statement) -> bool:
    """Whether the other is never reached from the first: a block around that leaves, or they exclude each other."""
    ways = dict(begun.branches)
    if any(ways.get(decision, way) != way for decision, way in later.branches):
        return True
    if later.guarded[0] <= begun.line <= later.guarded[1]:
        # A ``finally`` is reached whatever leaves what it is of.
        return False
    if any(block not in later.blocks for block in begun.returns):
        return True
    return any(block not in later.blocks and loop in later.loops for block, loop in begun.breaks)


def _is_inside(statement: Statement, other: Statement) -> bool:
    """Whether a statement is in all loops that the other is in."""
    return statement.loops[: len(other.loops)] == other.loops


def _is_guarded(begun: Statement, failed: Statement) -> bool:
    """Whether the failure is told by a handler of what the first statement stands in."""
    if not failed.handlers:
        return False
    _, first_line, last_line = failed.handlers[-1]
    return first_line <= begun.line <= last_line
