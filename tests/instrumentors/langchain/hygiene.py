"""A thousand runs of all kinds leave nothing behind: no current span, no open recording, no growth."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.frameworks import story
from tests.instrumentors.langchain.library import LIBRARY
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.filterwarnings("ignore")  # pytest would keep each
def test_a_thousand_runs_leave_nothing(stub: Any, telemetry: Any) -> None:
    from obs_instrumentors.langchain import events
    from opentelemetry import trace

    from obs_run.core.open_recordings import open_recordings

    drivers: dict[str, Any] = {kind: LIBRARY.driver(kind, stub) for kind in ("sync", "async")}

    def cancelled() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            drivers["async"].ask_and_cancel()

    ways: list[Callable[[], Any]] = [
        lambda: drivers["sync"].ask(drivers["sync"].agent(story.weather)),
        lambda: drivers["async"].ask(drivers["async"].agent(story.weather)),
        lambda: drivers["sync"].abandon(drivers["sync"].stream(drivers["sync"].agent(story.weather))),
        drivers["sync"].ask_in_a_thread,
        drivers["sync"].ask_and_allow,
        cancelled,
        lambda: list(drivers["sync"].model().stream("a")),
    ]

    def runs(count: int) -> int:
        for number in range(count):
            ways[number % len(ways)]()
            assert not trace.get_current_span().get_span_context().is_valid
        telemetry.clear()
        gc.collect()
        assert (len(open_recordings), len(events.ongoing)) == (0, 0)
        return tracemalloc.get_traced_memory()[0]

    with instrumented():
        runs(50)
        tracemalloc.start(1)
        before = runs(150)
        grown = runs(800) - before
        tracemalloc.stop()
    assert grown < 100_000, f"{grown} bytes"
    for driver in drivers.values():
        driver.close()
