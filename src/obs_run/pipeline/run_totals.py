"""What the model calls inside of runs sum up to, by agent and by tool; on the export thread."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base.json_text import to_json
from obs_run.core import semconv
from obs_run.pipeline import context_windows, cost

if TYPE_CHECKING:
    from obs_run.core.sink import OperationRecord
    from obs_run.pipeline.cost import Bill

_MOST = 10_000
_MOST_PARTS = 64
_OTHERS = "(others)"


class _Call:
    """What is summed up of a model call."""

    __slots__ = ("cost", "input_tokens", "is_billable", "output_tokens", "window")

    def __init__(self, operation: OperationRecord, bill: Bill | None) -> None:
        self.input_tokens: int | None = operation.attributes.get(semconv.USAGE_INPUT_TOKENS)
        self.output_tokens: int | None = operation.attributes.get(semconv.USAGE_OUTPUT_TOKENS)
        self.cost = None if bill is None else bill.total
        self.is_billable = self.cost is not None or (cost.is_billable(operation) and bool(settings.get("OBS_COST")))
        self.window = context_windows.of(operation) if self.input_tokens else None


class Sum:
    """Calls, tokens and cost of some calls."""

    __slots__ = ("calls", "cost", "input_tokens", "output_tokens", "unknown_cost")

    def __init__(self) -> None:
        self.calls = 0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cost: Decimal | None = None
        self.unknown_cost = 0
        """Calls whose cost is not known."""

    def add(self, call: _Call) -> None:
        """Add a model call."""
        self.calls += 1
        if call.input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + call.input_tokens
        if call.output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + call.output_tokens
        if call.cost is not None:
            self.cost = call.cost if self.cost is None else self.cost + call.cost
        elif call.is_billable:
            self.unknown_cost += 1

    def shown(self) -> dict[str, Any]:
        """Return what is known; where the cost of some calls is not, it says of how many."""
        found = {
            "model_calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": None if self.cost is None else float(self.cost),
            "unknown_cost": self.unknown_cost or None,
        }
        return {name: value for name, value in found.items() if value is not None}


class Totals:
    """The sums of one run."""

    __slots__ = ("all", "by_agent", "by_tool", "fill", "own", "window")

    def __init__(self) -> None:
        self.all = Sum()
        self.by_agent: dict[str, Sum] = {}
        self.by_tool: dict[str, Sum] = {}
        self.own: dict[str | None, Sum] = {}
        """What no run further in is told of, by the tool that it was called in."""
        self.fill: float | None = None
        self.window: int | None = None

    def add(self, call: _Call, agent_name: str | None, tool_name: str | None, *, is_own: bool) -> None:
        """Add a model call that an agent made, in a tool of the run's if that is named."""
        self.all.add(call)
        if agent_name:
            _part(self.by_agent, agent_name).add(call)
        if tool_name:
            _part(self.by_tool, tool_name).add(call)
        if is_own:
            _part(self.own, tool_name).add(call)
        if call.window and call.input_tokens:
            fill = call.input_tokens / call.window
            if self.fill is None or fill > self.fill:
                self.fill, self.window = fill, call.window

    def add_cost(self, amount: Decimal, tool_name: str | None) -> None:
        """Add what no model call tells of."""
        for part in (self.all, *([_part(self.by_tool, tool_name)] if tool_name else ())):
            part.cost = amount if part.cost is None else part.cost + amount

    def attributes(self) -> dict[str, Any]:
        """Return the sums under their attribute names; those by agent where there are several."""
        attributes: dict[str, Any] = {}
        if self.all.cost is not None:
            attributes[semconv.OBS_COST_SUBTREE] = float(self.all.cost)
        if self.all.unknown_cost:
            attributes[semconv.OBS_RUN_UNKNOWN_COST] = self.all.unknown_cost
        if len(self.by_agent) > 1:
            attributes[semconv.OBS_RUN_AGENTS] = _shown(self.by_agent)
        if self.by_tool:
            attributes[semconv.OBS_RUN_TOOLS] = _shown(self.by_tool)
        if self.fill is not None:
            attributes[semconv.OBS_RUN_CONTEXT_FILL] = self.fill
            attributes[semconv.OBS_RUN_CONTEXT_WINDOW] = self.window
        return attributes


class RunTotals:
    """Sums by the span ids of runs that go on: a run's span comes after those of what happened inside of it."""

    def __init__(self) -> None:
        self._totals: dict[int, Totals] = {}

    def add(self, operation: OperationRecord, bill: Bill | None) -> None:
        """Add a model call, and what it cost, to the runs around it."""
        call = _Call(operation, bill)
        is_own = True
        for run, tool_name in operation.runs:
            totals = self._totals.get(run)
            if totals is None:
                totals = self._totals[run] = Totals()
            totals.add(call, operation.agent_name, tool_name, is_own=is_own)
            is_own = False
        while len(self._totals) > _MOST:
            # The oldest of runs that never end.
            del self._totals[next(iter(self._totals))]

    def pop(self, run: OperationRecord) -> Totals | None:
        """Return the sums of a run that is over; None where nothing is known of it.

        What its framework says that it cost counts in place of the calls inside, for the runs around it too.
        """
        totals = None if run.run is None else self._totals.pop(run.run, None)
        reported = _reported(run)
        if reported is None:
            return totals
        totals = totals or Totals()
        besides = reported - (totals.all.cost or 0)
        totals.all.cost = reported
        for around, tool_name in run.runs:
            self._totals.setdefault(around, Totals()).add_cost(besides, tool_name)
        return totals


def _reported(run: OperationRecord) -> Decimal | None:
    amount = run.pricing.get("cost", {}).get("total")
    return None if amount is None or not settings.get("OBS_COST") else Decimal(repr(amount))


def _part(parts: dict[Any, Sum], name: str | None) -> Sum:
    part = parts.get(name)
    if part is None:
        if len(parts) >= _MOST_PARTS:
            name = _OTHERS
        part = parts.setdefault(name, Sum())
    return part


def _shown(parts: dict[str, Sum]) -> str:
    return to_json({name: part.shown() for name, part in parts.items()})
