"""An instrumentor that registers with a library by the library's own means, and takes that back."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def library() -> Iterator[Any]:
    module: Any = ModuleType("a_framework")
    module.handlers = []
    yield module
    hooks.undo()


def register(module: Any) -> Callable[[], object]:
    module.handlers.append("ours")
    return lambda: module.handlers.remove("ours")


def instrumentor(register: Callable[[Any], Callable[[], object]] = register) -> hooks.Instrumentor:
    set_up = hooks.SetUp("a_framework", register)
    return hooks.Instrumentor("a_framework", "no-such-distribution", ">=1", set_up=set_up)


def test_registered_once_and_taken_back(library: Any) -> None:
    one = instrumentor()
    hooks.add(one, library)
    hooks.add(one, library)
    assert library.handlers == ["ours"]
    assert hooks.status(one).is_active()
    hooks.undo()
    assert library.handlers == []


def test_another_instrumentor_of_the_agents_takes_over_and_leaves_again(library: Any) -> None:
    one = instrumentor()
    hooks.add(one, library)
    hooks.deactivate("a_framework", "the agent activated another")
    assert library.handlers == []
    assert hooks.status(one).skipped == "the agent activated another"
    hooks.reactivate("a_framework")
    assert library.handlers == ["ours"]


def test_what_the_user_switched_off_is_never_registered(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "a_framework")
    hooks.add(instrumentor(), library)
    assert library.handlers == []


def test_a_fault_in_it_is_said_and_stays_here(library: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any) -> Callable[[], object]:
        raise RuntimeError("no such hook")

    hooks.add(instrumentor(fail), library)
    assert [record.getMessage() for record in caplog.records] == [
        "instrumentation of a_framework failed and was skipped: RuntimeError: no such hook"
    ]
