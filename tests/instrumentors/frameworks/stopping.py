"""Runs that are stopped by a budget, whatever the framework does with the exception on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import budgets

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.instrumentors.frameworks.story import Teller


def assert_stops_a_run(
    teller: Teller, telemetry: Any, monkeypatch: pytest.MonkeyPatch, *, is_raised: bool = True
) -> None:
    """Ask an agent whose first model call uses more than the budget allows: nothing happens after that call.

    Not every framework raises what a run fails with; some return it.
    """
    telemetry.may_fail = True  # it says that it stops
    called: list[str] = []

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        called.append(city)
        return f"rain in {city}"

    agent = teller.agent(weather)
    monkeypatch.setenv("OBS_BUDGET_TOKENS", "1")
    monkeypatch.setenv("OBS_BUDGET_ACTION", "stop")
    budgets.forget()
    try:
        raised = _asked(teller, agent)
    finally:
        monkeypatch.undo()
        budgets.forget()
    assert any(isinstance(each, budgets.BudgetExceeded) for each in _chain(raised)) is is_raised, repr(raised)
    assert not called
    spans = telemetry.spans()
    assert len([span for span in spans if span.attributes.get("gen_ai.operation.name") == "chat"]) == 1
    runs = [span for span in spans if span.name.startswith("invoke_agent")]
    assert {span.status.status_code.name for span in runs} == {"ERROR"}
    # A framework may try again, by runs in which nothing happens any more.
    [beyond] = [span for span in runs if "obs.run.exceeded_budgets" in span.attributes]
    assert list(beyond.attributes["obs.run.exceeded_budgets"]) == ["tokens"]
    assert [event.name for event in beyond.events].count("obs.budget.exceeded") == 1


def _asked(teller: Teller, agent: Any) -> Exception | None:
    try:
        teller.ask(agent)
    except Exception as error:  # noqa: BLE001 (frameworks raise their own because of it)
        return error
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
