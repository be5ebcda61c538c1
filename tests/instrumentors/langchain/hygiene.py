"""A thousand runs of all kinds leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.hygiene import assert_leave_nothing
from tests.instrumentors.langchain.library import LIBRARY


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_a_thousand_runs_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.langchain import events

    sync: Any = LIBRARY.driver("sync", stub)
    its: Any = LIBRARY.driver("async", stub)

    def cancelled() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            its.ask_and_cancel()

    ways = [
        lambda: sync.ask(sync.agent(story.weather)),
        lambda: its.ask(its.agent(story.weather)),
        lambda: sync.abandon(sync.stream(sync.agent(story.weather))),
        sync.ask_in_a_thread,
        sync.ask_and_allow,
        cancelled,
        lambda: list(sync.model().stream("a")),
    ]
    assert_leave_nothing(ways, events.ongoing, telemetry)
    for driver in (sync, its):
        driver.close()
