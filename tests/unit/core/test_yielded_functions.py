"""Functions that a library's context managers yield, each call of which is a run."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import wrapt

from obs_run.base import guard
from obs_run.core.operations import Workflow
from obs_run.core.outcomes import Call, Reader
from obs_run.core.yielded_functions import wrap_yielded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class _Closed:
    is_closed = False


def _scope(closed: _Closed) -> Callable[..., Any]:
    @contextlib.asynccontextmanager
    async def scope(name: str) -> AsyncIterator[Callable[..., Any]]:
        async def run(fails: bool = False) -> str:  # noqa: FBT001, FBT002 (a library's)
            if fails:
                raise ValueError(name)
            return f"ran {name}"

        try:
            yield run
        finally:
            closed.is_closed = True

    return scope


def _begin(call: Call) -> tuple[Workflow, Reader[Any]]:
    return Workflow(workflow_name=call.argument(0, "name")), Reader(_read)


def _read(operation: Workflow, returned: Any) -> None:
    operation.extra["returned"] = returned


def _entered(begin: Any, closed: _Closed, *calls: dict[str, Any]) -> list[Any]:
    scope = wrapt.FunctionWrapper(_scope(closed), wrap_yielded(begin))

    async def enter() -> list[Any]:
        async with scope("trip") as run:
            return [await run(**call) for call in calls]

    return asyncio.run(enter())


def test_each_call_of_the_function_is_a_run(fake: Any) -> None:
    closed = _Closed()
    assert _entered(_begin, closed, {}, {}) == ["ran trip"] * 2
    assert closed.is_closed
    assert [each.name for each in fake.ended] == ["invoke_workflow trip"] * 2
    assert {each.record.attributes["returned"] for each in fake.ended} == {"ran trip"}


def test_a_scope_in_which_nothing_is_called_records_nothing(fake: Any) -> None:
    assert _entered(_begin, _Closed()) == []
    assert fake.ended == []


def test_what_is_raised_leaves_the_scope_as_it_would(fake: Any) -> None:
    closed = _Closed()
    with pytest.raises(ValueError, match="trip"):
        _entered(_begin, closed, {"fails": True})
    assert closed.is_closed
    (run,) = fake.ended
    assert run.record.error is not None


@pytest.mark.usefixtures("fake")
def test_what_fails_in_ours_is_not_seen(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each failure is said once.
    monkeypatch.setattr(guard, "_failures", set())

    def failing(_: Call) -> Any:
        raise RuntimeError("ours")

    assert _entered(failing, _Closed(), {}) == ["ran trip"]
    assert "begin failed" in caplog.text
