"""What a run may take: each budget of a file, kept or broken, and why."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.testing.recorded_run import RecordedRun

    Judge = Callable[[str, RecordedRun, Any], "Verdict"]


class BudgetError(ValueError):
    """A budget is not what it can be; the text says which."""


class Verdict(NamedTuple):
    """Whether one budget was kept: what was allowed, and what was found."""

    budget: str
    is_kept: bool
    allowed: str
    found: str


def judge(run: RecordedRun, budgets: Mapping[str, Any], baseline: float | None = None) -> list[Verdict]:
    """Return a verdict of each budget, or raise ``BudgetError``; ``baseline`` are the seconds of earlier runs."""
    judges: dict[str, Judge] = {**BUDGETS, "times_baseline": partial(_times, baseline)}
    for name in budgets:
        if name not in judges:
            near = get_close_matches(str(name), judges, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(judges)}"
            raise BudgetError(f"no budget {name!r}; {hint}")
    return [judges[name](name, run, limit) for name, limit in budgets.items()]


def _figure(read: Callable[[RecordedRun], float], unit: str = "") -> Callable[[str, RecordedRun, Any], Verdict]:
    """Return what judges a number: at most so much, or ``{min: 1, max: 3}``."""

    def of(name: str, run: RecordedRun, limit: Any) -> Verdict:
        least, most = _bounds(name, limit)
        found = read(run)
        is_kept = (least is None or found >= least) and (most is None or found <= most)
        bounds = (("at least", least), ("at most", most))
        allowed = " and ".join(f"{word} {_number(bound)}{unit}" for word, bound in bounds if bound is not None)
        return Verdict(name, is_kept, allowed, f"{_number(found)}{unit}")

    return of


def _bounds(name: str, limit: Any) -> tuple[float | None, float | None]:
    if _is_number(limit):
        return None, limit
    if isinstance(limit, dict) and limit and limit.keys() <= {"min", "max"} and all(map(_is_number, limit.values())):
        return limit.get("min"), limit.get("max")
    raise BudgetError(f"{name}: {limit!r} is not allowed; allowed: a number, or min and max")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _cost(name: str, run: RecordedRun, limit: Any) -> Verdict:
    """Judge the cost; calls of unknown cost would be kept to by every budget, and break it unless it allows so many."""
    allowed = 0
    if isinstance(limit, dict) and _is_number(limit.get("unpriced")):
        allowed = limit["unpriced"]
        limit = {key: value for key, value in limit.items() if key != "unpriced"}
    verdict = _figure(lambda run: run.cost, " USD")(name, run, limit)
    unpriced = run.unpriced_calls
    if not unpriced:
        return verdict
    models = ", ".join(sorted({span.model or "" for span in unpriced}))
    found = f"{verdict.found}, without the unknown cost of {len(unpriced)} of {models}"
    return verdict._replace(is_kept=verdict.is_kept and len(unpriced) <= allowed, found=found)


def _texts(name: str, limit: Any) -> list[str]:
    if isinstance(limit, list) and all(isinstance(one, str) for one in limit):
        return limit
    raise BudgetError(f"{name}: {limit!r} is not allowed; allowed: a list of names")


def _exactly(name: str, run: RecordedRun, limit: Any) -> Verdict:
    wanted = _texts(name, limit)
    return Verdict(name, run.tools == wanted, _list(wanted), _list(run.tools))


def _in_order(name: str, run: RecordedRun, limit: Any) -> Verdict:
    wanted = _texts(name, limit)
    return Verdict(name, run.ran_in_order(*wanted), f"{_list(wanted)} in this order", _list(run.tools))


def _none_of(name: str, run: RecordedRun, limit: Any) -> Verdict:
    wanted = _texts(name, limit)
    found = [tool for tool in run.tools if tool in wanted]
    return Verdict(name, not found, f"none of {_list(wanted)}", _list(found))


def _only(name: str, run: RecordedRun, limit: Any) -> Verdict:
    wanted = _texts(name, limit)
    found = list(dict.fromkeys(run.models))
    return Verdict(name, set(found) <= set(wanted), f"only {_list(wanted)}", _list(found))


def _errors(name: str, run: RecordedRun, limit: Any) -> Verdict:
    verdict = _figure(lambda run: len(run.errors))(name, run, limit)
    named = "; ".join(run.errors[:3]) + ("; ..." if len(run.errors) > 3 else "")  # noqa: PLR2004 (as many as are named)
    return verdict._replace(found=f"{verdict.found}: {named}" if named else verdict.found)


def _shape(name: str, run: RecordedRun, limit: Any) -> Verdict:
    if not isinstance(limit, str):
        raise BudgetError(f"{name}: {limit!r} is not allowed; allowed: names of spans, one a line, indented")
    wanted = limit.strip("\n").rstrip()
    return Verdict(name, run.shape == wanted, wanted, run.shape)


def _times(baseline: float | None, name: str, run: RecordedRun, limit: Any) -> Verdict:
    if not _is_number(limit):
        raise BudgetError(f"{name}: {limit!r} is not allowed; allowed: a number")
    if baseline is None:
        return Verdict(name, False, f"at most {limit:g} times as long as before", "no baseline; record one")  # noqa: FBT003 (a field)
    allowed = f"at most {limit:g} times {baseline:.3g} s"
    return Verdict(name, run.seconds <= limit * baseline, allowed, f"{run.seconds:.3g} s")


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"


BUDGETS: dict[str, Judge] = {
    "seconds": _figure(lambda run: run.seconds, " s"),
    "cost": _cost,
    "tokens": _figure(lambda run: run.tokens),
    "input_tokens": _figure(lambda run: run.input_tokens),
    "output_tokens": _figure(lambda run: run.output_tokens),
    "model_calls": _figure(lambda run: len(run.model_calls)),
    "tool_calls": _figure(lambda run: len(run.tool_calls)),
    "spans": _figure(lambda run: len(run.spans)),
    "errors": _errors,
    "unfinished": _figure(lambda run: len(run.unfinished)),
    "tools": _exactly,
    "tools_in_order": _in_order,
    "tools_forbidden": _none_of,
    "models": _only,
    "shape": _shape,
}
"""Every budget by its name in a file, but for ``times_baseline``."""
