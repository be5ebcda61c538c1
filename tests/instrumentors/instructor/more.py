"""What Instructor can do besides: plain answers, streams that are left, cancelled calls."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.instrumentors.frameworks.drivers import driver_fixture
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing
from tests.instrumentors.instructor.library import LIBRARY, MODEL
from tests.instrumentors.trees import Node, assert_trees

its = driver_fixture("sync", "async")


def test_without_a_response_model_there_is_the_model_call_alone(its: Any, telemetry: Any) -> None:
    its.ask_plainly()
    assert_trees(telemetry.spans(), Node(f"chat {MODEL}"))


def test_a_stream_that_is_left_has_not_failed(its: Any, telemetry: Any) -> None:
    its.abandon(its.partial())
    # Without a loop the library reads it all before the agent gets any.
    left = None if its.kind == "sync" else "abandoned"
    (step,) = [span for span in telemetry.spans() if span.parent is None]
    assert step.name == "step PartialCity"
    assert step.attributes.get("obs.outcome") == left
    assert {span.status.status_code.name for span in telemetry.spans()} == {"UNSET"}


def test_a_model_call_that_fails_is_told_once(its: Any, telemetry: Any) -> None:
    with pytest.raises(Exception, match="401"):
        its.ask(extra_headers={"X-Stub": "401"})
    assert {span.status.status_code.name for span in telemetry.spans()} == {"ERROR"}
    assert [span.name for span in telemetry.spans()] == [f"chat {MODEL}", "step City"]
    assert len(telemetry.events("gen_ai.client.operation.exception")) == 1


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_calls_of_all_kinds_leave_nothing(kind: str, stub: Any, telemetry: Any) -> None:
    its: Any = LIBRARY.driver(kind, stub)

    def fail() -> None:
        with contextlib.suppress(Exception):
            its.ask(invalid=9)

    ways = [its.ask, lambda: its.ask(invalid=1, retries=2), fail, lambda: its.abandon(its.partial()), its.ask_plainly]
    if kind == "async":

        def cancel() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                its.cancel(its.client().create(response_model=None, messages=[], model=MODEL), after=0.0)

        ways.append(cancel)
    assert_leave_nothing(ways, (), telemetry, times=100, library_grows=True)
    its.close()
