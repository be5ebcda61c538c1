"""Budgets of runs: what is said beyond them, and what stops."""

from __future__ import annotations

import asyncio
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import budgets, recorder, streams
from obs_run.core.budgets import BudgetExceeded
from obs_run.core.operations import AgentRun, FetchedResponse, Inference, Operation, Step, ToolCall, Usage, Workflow
from obs_run.core.outcomes import Call, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.core.sink import OperationRecord
    from tests.unit.core.conftest import FakeSink

    Budget = Callable[..., None]


@pytest.fixture
def budget(fake: FakeSink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Budget]:  # noqa: ARG001 (it records)
    """Set the settings of budgets, without the prefix."""

    def set_budget(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"OBS_BUDGET_{name.upper()}", value)
        budgets.forget()

    monkeypatch.setattr(budgets, "_price", [])
    set_budget()
    yield set_budget
    monkeypatch.undo()
    budgets.forget()


def start(operation: Operation) -> recorder.Recording:
    recording = recorder.start(operation)
    assert isinstance(recording, recorder.Recording)
    return recording


def chat(tokens: int = 10) -> None:
    start(Inference("chat", request_model="m", usage=Usage(tokens, 0))).end()


def exceeded(fake: FakeSink, name: str) -> Any:
    return fake.of(name).record.attributes.get("obs.run.exceeded_budgets")


def events(run: recorder.Recording) -> list[tuple[str, dict[str, Any]]]:
    return run.span.events  # type: ignore[attr-defined,no-any-return]


def test_without_a_budget_nothing_is_said(fake: FakeSink, budget: Budget, caplog: pytest.LogCaptureFixture) -> None:
    budget(action="stop")
    with start(AgentRun(agent_name="a")) as run:
        for _ in range(100):
            chat(10_000)
    run.end()
    assert exceeded(fake, "invoke_agent a") is None
    assert not caplog.records


def test_tokens_beyond_a_budget_are_said_once(fake: FakeSink, budget: Budget, caplog: pytest.LogCaptureFixture) -> None:
    budget(tokens="25")
    with start(AgentRun(agent_name="a")) as run:
        for _ in range(2):
            chat()
        assert not events(run)
        for _ in range(5):
            chat()
    run.end()
    assert exceeded(fake, "invoke_agent a") == ["tokens"]
    assert [record.getMessage() for record in caplog.records] == [
        "obs-run: the run of a has used 30 of 25 tokens (OBS_BUDGET_TOKENS)"
    ]
    expected = {"obs.budget.name": "tokens", "obs.budget.limit": 25, "obs.budget.used": 30}
    assert events(run) == [("obs.budget.exceeded", expected)]


def test_runs_inside_of_each_other_say_it_in_one_line(
    fake: FakeSink, budget: Budget, caplog: pytest.LogCaptureFixture
) -> None:
    budget(tokens="25")
    with start(Workflow(workflow_name="w")) as outer:
        with start(AgentRun(agent_name="a")) as run:
            chat(100)
        run.end()
    outer.end()
    assert exceeded(fake, "invoke_agent a") == exceeded(fake, "invoke_workflow w") == ["tokens"]
    assert len(caplog.records) == 1


def test_a_budget_for_one_name_holds_for_it_alone(
    fake: FakeSink, budget: Budget, caplog: pytest.LogCaptureFixture
) -> None:
    budget(tokens="writer=15,1000")
    with start(AgentRun(agent_name="lead")) as outer:
        with start(AgentRun(agent_name="writer")) as run:
            chat(20)
        run.end()
        chat(500)
    outer.end()
    assert exceeded(fake, "invoke_agent writer") == ["tokens"]
    assert exceeded(fake, "invoke_agent lead") is None
    assert "the run of writer has used 20 of 15 tokens" in caplog.text


def test_steps_beyond_a_budget(fake: FakeSink, budget: Budget) -> None:
    budget(steps="2")
    with start(AgentRun(agent_name="a")) as run:
        with start(Step(step_name="s")) as step:
            chat()
            chat()
        step.end()
        chat()
        assert not events(run)
        start(Step(step_name="s")).end()
        assert [name for name, _ in events(run)] == ["obs.budget.exceeded"]
    run.end()
    assert exceeded(fake, "invoke_agent a") == ["steps"]


def test_a_run_stops_before_the_next_call_of_a_model(fake: FakeSink, budget: Budget) -> None:
    budget(tokens="25", action="stop")
    with start(AgentRun(agent_name="a")) as run:
        for _ in range(3):
            chat()
        with pytest.raises(BudgetExceeded) as caught:
            chat()
        with pytest.raises(BudgetExceeded):
            start(ToolCall(tool_name="t"))
    run.end(caught.value)
    chat()
    error = caught.value
    assert (error.run, error.budget, error.limit, error.used) == ("a", "tokens", 25, 30)
    assert "the run of a has used 30 of 25 tokens (OBS_BUDGET_TOKENS)" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert fake.trees() == ["invoke_agent a(chat m chat m chat m)", "chat m"]
    assert fake.of("invoke_agent a").record.attributes["error.type"].endswith("BudgetExceeded")
    assert fake.of("invoke_agent a").record.attributes["obs.run.model_calls"] == 3


def test_what_is_used_up_exactly_allows_tools_but_no_model_call(budget: Budget) -> None:
    budget(tokens="20", action="stop")
    with start(AgentRun(agent_name="a")) as run:
        chat()
        chat()
        start(ToolCall(tool_name="t")).end()
        with pytest.raises(BudgetExceeded):
            chat()
    assert [name for name, _ in events(run)] == ["obs.budget.exceeded"]
    run.end()


def test_so_many_steps_and_no_more(budget: Budget) -> None:
    budget(steps="2", action="stop")
    with start(AgentRun(agent_name="a")) as run:
        chat()
        start(ToolCall(tool_name="t")).end()
        chat()
        start(ToolCall(tool_name="t")).end()
        with pytest.raises(BudgetExceeded, match="2 of 2 steps"):
            chat()
    run.end()


def test_another_run_of_the_same_agent_begins_anew(fake: FakeSink, budget: Budget) -> None:
    budget(tokens="25", action="stop")
    for _ in range(3):
        with start(AgentRun(agent_name="a")) as run:
            chat()
            chat()
        run.end()
    assert len(fake.ended) == 9


def test_money_is_counted_by_the_price_of_each_call(fake: FakeSink, budget: Budget) -> None:
    asked: list[OperationRecord] = []

    def price(record: OperationRecord) -> Decimal:
        asked.append(record)
        return Decimal("0.06")

    budgets.price_with(price)
    budget(usd="0.1", action="stop")
    with start(AgentRun(agent_name="a")) as run:
        chat()
        chat()
        with pytest.raises(BudgetExceeded, match=r"has used 0\.12 of 0\.1 US dollars \(OBS_BUDGET_USD\)"):
            chat()
    run.end()
    assert [record.kind for record in asked] == ["Inference", "Inference"]
    assert asked[0].attributes["gen_ai.usage.input_tokens"] == 10
    assert exceeded(fake, "invoke_agent a") == ["usd"]


def test_without_a_budget_of_money_nobody_asks_for_prices(budget: Budget) -> None:
    def price(_: OperationRecord) -> Decimal:
        raise AssertionError("it is not asked for")

    budgets.price_with(price)
    budget(tokens="5")
    with start(AgentRun(agent_name="a")) as run:
        chat()
    run.end()


def test_a_price_that_is_not_known_is_said_and_not_counted_as_nothing(
    budget: Budget, caplog: pytest.LogCaptureFixture
) -> None:
    budgets.price_with(lambda _: None)
    budget(usd="0.1", action="stop")
    with start(AgentRun(agent_name="a")) as run:
        for _ in range(3):
            start(Inference("chat", request_model="nobody-knows-it", usage=Usage(1, 1))).end()
        start(FetchedResponse(response_model="nobody-knows-this")).end()
    run.end()
    assert [record.getMessage() for record in caplog.records] == [
        "OBS_BUDGET_USD: what a call of nobody-knows-it cost is not known, and so not counted"
    ]


def _begin(call: Call) -> tuple[Operation, Reader]:
    operation = Inference("chat", request_model="m", usage=Usage(100, 0))
    return operation, Reader(lambda _operation, _returned: None, lazy=bool(call.kwargs.get("lazy")))


def test_the_agent_gets_the_exception_and_the_library_is_not_called(budget: Budget) -> None:
    budget(tokens="50", action="stop")
    called: list[int] = []
    call = streams.wrap_call(_begin)
    async_call = streams.wrap_async_call(_begin)

    def ask() -> int:
        called.append(1)
        return 1

    async def ask_async() -> int:
        called.append(1)
        return 1

    def ask_lazily(lazy: bool) -> Iterator[int]:  # noqa: ARG001, FBT001 (the translation reads it)
        called.append(1)
        yield 1

    with start(AgentRun(agent_name="a")) as run:
        call(ask, None, (), {})
        with pytest.raises(BudgetExceeded):
            call(ask, None, (), {})
        with pytest.raises(BudgetExceeded):
            asyncio.run(async_call(ask_async, None, (), {}))
        with pytest.raises(BudgetExceeded):
            list(call(ask_lazily, None, (), {"lazy": True}))
    run.end()
    assert called == [1]
    assert call(ask, None, (), {}) == 1, "outside of the run"


def test_a_wrong_budget_is_said_and_not_held(fake: FakeSink, budget: Budget, caplog: pytest.LogCaptureFixture) -> None:
    budget(tokens="many", steps="1,writer=-3", action="explode")
    with start(AgentRun(agent_name="a")) as run:
        chat(100_000)
        chat(100_000)
    run.end()
    assert exceeded(fake, "invoke_agent a") == ["steps"]
    text = caplog.text
    assert "OBS_BUDGET_TOKENS: 'many' is not allowed; allowed: whole numbers above 0" in text
    assert "OBS_BUDGET_STEPS" in text
    assert "OBS_BUDGET_ACTION: 'explode' is not allowed; allowed: warn, stop" in text
