"""Each function of ours that a call passes made to raise: the agent's results, errors and chunks stay the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests import faults
from tests.instrumentors.openai.test_modes import ASKED, MODES, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow


@pytest.fixture
def with_us(library: Any, telemetry: Any) -> Iterator[None]:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    telemetry.may_fail = True
    instrument(library)
    yield
    hooks.undo()


def wrong(function: faults.Function, works: dict[str, Callable[[], Any]], without: dict[str, Any]) -> list[str]:
    """Return the works in which the agent sees the fault, and whether it never fired."""
    with faults.raising(function) as fault:
        changed = [f"{function}, {name}" for name, work in works.items() if work() != without[name]]
    return changed if fault.fired else [f"{function} never raised"]


def refused(calls: Any, package: Any) -> tuple[Any, ...]:
    with pytest.raises(package.BadRequestError, match="Invalid value") as caught:
        calls.run(calls.chat.create(model="stub-400", messages=ASKED["messages"]))
    return type(caught.value), str(caught.value)


@pytest.fixture
def works(plain_calls: Any, package: Any, stub: Any) -> dict[str, Callable[[], Any]]:
    made: dict[str, Callable[[], Any]] = {name: partial(seen, mode, plain_calls, stub) for name, mode in MODES.items()}
    return {**made, "error": partial(refused, plain_calls, package)}


def assert_the_same(works: dict[str, Callable[[], Any]], request: pytest.FixtureRequest, *names: str) -> None:
    """Break what the works pass, or only the functions of these names, and assert that the agent sees nothing of it."""
    without = {name: work() for name, work in works.items()}
    request.getfixturevalue("with_us")
    functions = {function: by for function, by in faults.passed(works).items() if not names or function.name in names}
    assert len({function.name for function in functions}) >= (len(names) or 20)
    telemetry = request.getfixturevalue("telemetry")
    faulty = []
    for function, by in functions.items():
        faulty += wrong(function, {name: works[name] for name in by}, without)
        if not function.translates():
            telemetry.clear()
    assert faulty == []


def test_agent_sees_the_same(
    works: dict[str, Callable[[], Any]], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What we ask a provider for we have to hide from the agent, which is the one thing that a fault can prevent, once.
    monkeypatch.setenv("OBS_STREAM_USAGE", "false")
    assert_the_same(works, request)


def test_agent_sees_the_same_while_usage_is_asked_for(
    works: dict[str, Callable[[], Any]], request: pytest.FixtureRequest
) -> None:
    assert_the_same(works, request, "start_operation", "_with_usage_option")
