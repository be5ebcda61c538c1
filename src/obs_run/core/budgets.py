"""What a run may use up: US dollars, tokens and steps, by the user's settings, and what happens beyond that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.operation_kinds import kind_of
from obs_run.core.sink import OperationRecord, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from obs_run.core.operations import Operation
    from obs_run.core.run_statistics import Around, RunStatistics

    Price = Callable[[OperationRecord], Decimal | None]

__all__ = ["BudgetExceeded", "price_with"]

USD, TOKENS, STEPS = "usd", "tokens", "steps"
_SETTINGS = {USD: "OBS_BUDGET_USD", TOKENS: "OBS_BUDGET_TOKENS", STEPS: "OBS_BUDGET_STEPS"}
_price: list[Price] = []


class BudgetExceeded(Exception):  # noqa: N818 (it is public)
    """A run has used up what ``OBS_BUDGET_*`` gives it: raised in the place of its next model call or tool.

    ``run`` is the agent's or workflow's name, ``budget`` "usd", "tokens" or "steps".
    """

    def __init__(self, run: str | None, budget: str, limit: float, used: float) -> None:
        super().__init__(f"{_told(run, budget, limit, used)}; it is stopped, as OBS_BUDGET_ACTION says")
        self.run = run
        self.budget = budget
        self.limit = limit
        self.used = used

    def __reduce__(self) -> tuple[Any, ...]:
        """Be passed on to other processes as it is."""
        return type(self), (self.run, self.budget, self.limit, self.used)


guard.let_pass(BudgetExceeded)


def price_with(price: Price) -> None:
    """Have ``price(record)`` say what a model call cost, None where that is not known."""
    _price[:] = [price]


class Budgets:
    """The limits that the user set, by budget and by the name of the run that they hold for, "" for all others."""

    def __init__(self, limits: dict[str, dict[str, float]], *, stops: bool) -> None:
        self._limits = limits
        self._stops = stops

    def check(self, operation: Operation, runs: Sequence[Around], *, steps: int) -> None:
        """Raise ``BudgetExceeded`` where ``operation``, which has so many steps, is beyond a budget that stops runs."""
        if not self._stops or not (operation.IS_MODEL_CALL or operation.IS_TOOL_CALL):
            return
        for run in runs:
            name = _name(run)
            for budget, limit in self._of(name):
                used = _used(run.statistics, budget)
                # A step is known beforehand; of tokens and money a model call uses at least some.
                more = steps if budget == STEPS else int(operation.IS_MODEL_CALL)
                is_beyond = used + more > limit if budget == STEPS else used > limit or (more and used >= limit)
                if is_beyond:
                    guard.call("budget", self._exceed, run, budget, limit, used)
                    raise BudgetExceeded(name, budget, limit, used)

    def note(self, runs: Sequence[Around]) -> None:
        """Say which budgets of runs have been exceeded, once for each; in one line for all runs at a time."""
        is_said = False
        for run in runs:
            for budget, limit in self._of(_name(run)):
                used = _used(run.statistics, budget)
                if used > limit and self._exceed(run, budget, limit, used, in_silence=is_said):
                    is_said = True

    def cost_of(self, operation: Operation) -> Decimal | None:
        """Return what a model call cost, None where that is not known, which is said, or where no budget asks."""
        if USD not in self._limits or not operation.IS_MODEL_CALL:
            return None
        kind = kind_of(type(operation))
        record = OperationRecord(kind, operation.attributes(), {}, Timing(0.0), operation.pricing())
        dollars = guard.call("price", _price[0], record) if _price else None
        if dollars is None and not operation.MAY_BE_KNOWN:
            model: Any = operation
            name = model.response_model or model.request_model or "a model without a name"
            guard.warn_once(f"{_SETTINGS[USD]}: what a call of {name} cost is not known, and so not counted")
        return dollars

    def _of(self, name: str | None) -> list[tuple[str, float]]:
        found = ((budget, limits.get(name or "", limits.get(""))) for budget, limits in self._limits.items())
        return [(budget, limit) for budget, limit in found if limit is not None]

    @staticmethod
    def _exceed(run: Around, budget: str, limit: float, used: float, *, in_silence: bool = False) -> bool:
        if not run.statistics.exceed(budget):
            return False
        run.recording.span.add_event(
            semconv.EVENT_BUDGET_EXCEEDED,
            {semconv.OBS_BUDGET_NAME: budget, semconv.OBS_BUDGET_LIMIT: limit, semconv.OBS_BUDGET_USED: used},
        )
        if not in_silence:
            guard.warn(f"obs-run: {_told(_name(run), budget, limit, used)}")
        return True


class _Chosen:
    """The budgets of this process, read when the first call inside of a run begins."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Read the settings again at the next question."""
        self.is_read = False
        self.budgets: Budgets | None = None


_chosen = _Chosen()
forget = _chosen.forget


def chosen() -> Budgets | None:
    """Return the budgets that the user set; None where there are none."""
    if not _chosen.is_read:
        limits = {budget: settings.get(name) for budget, name in _SETTINGS.items()}
        limits = {budget: found for budget, found in limits.items() if found}
        if limits:
            _chosen.budgets = Budgets(limits, stops=settings.get("OBS_BUDGET_ACTION") == "stop")
        _chosen.is_read = True
    return _chosen.budgets


def _name(run: Around) -> str | None:
    operation = run.recording.operation
    name: str | None = getattr(operation, operation.SUBJECT, None)
    return name


def _used(statistics: RunStatistics, budget: str) -> float:
    if budget == STEPS:
        return statistics.steps
    if budget == TOKENS:
        return (statistics.input_tokens or 0) + (statistics.output_tokens or 0)
    return float(statistics.cost or 0)


def _told(run: str | None, budget: str, limit: float, used: float) -> str:
    """Return how far a run has come with a budget."""
    unit = "US dollars" if budget == USD else budget
    whose = f"the run of {run}" if run else "a run"
    return f"{whose} has used {_shown(used)} of {_shown(limit)} {unit} ({_SETTINGS[budget]})"


def _shown(amount: float) -> str:
    return str(amount) if isinstance(amount, int) else f"{amount:.6f}".rstrip("0").rstrip(".")
