"""What happens inside of runs, counted on each of the runs around it, and refused where the user wants that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.core import budgets
from obs_run.core.call_patterns import identity
from obs_run.core.run_statistics import Around
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import Operation
    from obs_run.core.run_statistics import RunStatistics

NOTHING: tuple[Around, ...] = ()


def begin(operation: Operation, outer: OwnRecording, *, may_refuse: bool) -> tuple[Around, ...]:
    """Count what begins inside of ``outer``, and return the runs around it, the innermost first.

    Raises ``BudgetExceeded`` where a run has used up what the user gave it and is to stop; nothing has begun then.
    """
    is_tool_call = operation.IS_TOOL_CALL
    if not (operation.IS_MODEL_CALL or is_tool_call or operation.IS_STEP):
        return NOTHING
    runs, is_in_step = _around(outer)
    if not runs:
        return NOTHING
    is_step = operation.IS_STEP or (operation.IS_TURN and not is_in_step)
    limits = budgets.chosen()
    if limits is not None and may_refuse:
        limits.check(operation, runs, steps=int(is_step))
    guard.call("run statistics", _count, operation, runs, is_step=is_step)
    if limits is not None and is_step:
        guard.call("budget", limits.note, runs)
    return runs


def _around(outer: OwnRecording) -> tuple[tuple[Around, ...], bool]:
    """Return the runs around what is inside of ``outer``, and whether there is a step around it in the innermost."""
    runs: list[Around] = []
    tool_name: str | None = None
    is_in_step = False
    around: Any = outer
    while around is not None:
        operation = around.operation
        if operation.IS_RUN:
            if not around.is_ended:
                runs.append(Around(around, operation.statistics, tool_name))
        elif operation.IS_TOOL_CALL:
            tool_name = operation.tool_name
        elif operation.IS_STEP and not runs:
            is_in_step = True
        around = getattr(around, "outer", None)
    return tuple(runs), is_in_step


def _count(operation: Any, runs: tuple[Around, ...], *, is_step: bool) -> None:
    if operation.IS_STEP:
        for run in runs:
            run.statistics.begin_step()
    elif operation.IS_MODEL_CALL:
        now = time.perf_counter_ns()
        for run in runs:
            run.statistics.begin_model_call(now, is_step=is_step)
    elif operation.tool_name is not None:
        for run in runs:
            run.statistics.begin_tool_call()


def end(operation: Any, runs: tuple[Around, ...], *, has_failed: bool) -> None:
    """Count what is known of something inside of runs now that it is over."""
    if operation.IS_MODEL_CALL:
        _end_model_call(operation, runs, has_failed=has_failed)
    elif operation.IS_TOOL_CALL and operation.tool_name is not None:
        known_by = operation.identity
        if known_by is None and operation.arguments is not None:
            known_by = identity(operation.tool_name, operation.arguments)
        for run in going_on(runs):
            run.statistics.end_tool_call(operation.tool_name, known_by)


def going_on(runs: tuple[Around, ...]) -> list[Around]:
    """Return those of the runs that have not ended meanwhile."""
    return [run for run in runs if not run.recording.is_ended]


def sums(run: Any, duration: float) -> dict[str, Any]:
    """Return what a run that is over, and took ``duration`` seconds, is told to have been."""
    statistics: RunStatistics = run.statistics
    return statistics.attributes(time.perf_counter_ns(), duration)


def ids(operation: Operation, runs: tuple[Around, ...]) -> tuple[tuple[int, str | None], ...]:
    """Return the span ids of the runs that a model call, which is over, is a part of, and their tools around it."""
    if not runs or not operation.IS_MODEL_CALL:
        return ()
    going = [(recording.span, tool_name) for recording, _, tool_name in runs if not recording.is_ended]
    return tuple([(span.get_span_context().span_id, tool_name) for span, tool_name in going])


def ids_around(outer: OwnRecording) -> tuple[tuple[int, str | None], ...]:
    """Return the same of what somebody else tells of, inside of ``outer``."""
    runs, _ = _around(outer)
    return tuple([(run.recording.span.get_span_context().span_id, run.tool_name) for run in runs])


def tell_besides(run: Any, outer: OwnRecording) -> tuple[tuple[int, str | None], ...]:
    """Tell the runs around one that is over what its framework says that it used besides the model calls inside.

    Returns their span ids where it says what it cost, too.
    """
    runs = going_on(_around(outer)[0])
    usage = run.usage_besides_calls()
    if usage is not None:
        for around in runs:
            around.statistics.add_usage(usage.input_tokens, usage.output_tokens)
    if run.reported_cost is None:
        return ()
    return tuple([(around.recording.span.get_span_context().span_id, around.tool_name) for around in runs])


def _end_model_call(operation: Any, runs: tuple[Around, ...], *, has_failed: bool) -> None:
    now = time.perf_counter_ns()
    usage = operation.usage
    is_unknown = usage is None and not has_failed and not operation.MAY_BE_KNOWN
    input_tokens, output_tokens = (None, None) if usage is None else (usage.input_tokens, usage.output_tokens)
    for recording, statistics, _ in runs:
        if recording.is_ended:
            continue
        statistics.end_model_call(now, input_tokens, output_tokens)
        if is_unknown:
            statistics.add_unknown_usage()
    limits = budgets.chosen()
    if limits is not None:
        dollars = None if has_failed else limits.cost_of(operation)
        going = going_on(runs)
        if dollars is not None:
            for run in going:
                run.statistics.add_cost(dollars)
        limits.note(going)
