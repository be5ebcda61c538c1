"""What a framework's runs leave behind, however they end: no current span, no open recording, no growth."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

from tests.instrumentors.frameworks import story
from tests.instrumentors.frameworks.bounded_tables import small_tables
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized


def ways_of(its: Any, *, cancels: bool = True) -> list[Callable[[], Any]]:
    """Return the ways in which agents of every framework run; some leave the tools of cancelled agents at work."""
    ways = [
        lambda: its.ask(its.agent(story.weather)),
        lambda: its.read(its.stream(its.agent(story.weather, story.population))),
        lambda: its.ask(its.agent(story.broken)),
        its.ask_twice_at_once,
    ]
    return [*ways, lambda: cancel(its)] if cancels else ways


def cancel(its: Any) -> None:
    """Have an agent cancelled while its tool is at work."""
    with contextlib.suppress(asyncio.CancelledError):
        its.ask_and_cancel()


def assert_leave_nothing(
    ways: Sequence[Callable[[], Any]], ongoing: Sized, telemetry: Any, times: int = 1000, *, library_grows: bool = False
) -> None:
    """Run the ways in turn, so many times in all; ``ongoing`` is what the instrumentor knows of runs that go on.

    Where ``library_grows`` by itself, only what code of ours made counts.
    """
    from opentelemetry import trace

    from obs_run.core.open_recordings import open_recordings

    # Tests of faults of ours leave what those kept from ending, some of it until its owner is collected.
    left_before = len(open_recordings), len(ongoing)

    def runs(count: int) -> int:
        for number in range(count):
            ways[number % len(ways)]()
            assert not trace.get_current_span().get_span_context().is_valid
        telemetry.clear()
        # What was frozen while it was in use would else stay for ever.
        gc.unfreeze()
        gc.collect()
        assert len(open_recordings) <= left_before[0]
        assert len(ongoing) <= left_before[1]
        if not tracemalloc.is_tracing():
            return 0
        return _made_by_us() if library_grows else tracemalloc.get_traced_memory()[0]

    with instrumented(), small_tables():
        runs(times // 20)
        tracemalloc.start(1)
        before = runs(times * 11 // 20)
        grown = runs(times * 2 // 5) - before
        tracemalloc.stop()
    print(f"{grown} bytes")
    assert grown < 100_000, f"{grown} bytes"


def _made_by_us() -> int:
    filters = [
        tracemalloc.Filter(inclusive=True, filename_pattern=f"*/{name}/*") for name in ("obs_run", "obs_instrumentors")
    ]
    # Which texts are clean is remembered up to a bound; each run may have ids of its own.
    filters += [
        tracemalloc.Filter(inclusive=False, filename_pattern=pattern) for pattern in ("*/privacy/*", "*/redact.py")
    ]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(filters).traces)
