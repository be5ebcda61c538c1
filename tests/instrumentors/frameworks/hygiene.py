"""What a framework's runs leave behind, however they end: no current span, no open recording, no growth."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized


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
        gc.collect()
        assert len(open_recordings) <= left_before[0]
        assert len(ongoing) <= left_before[1]
        if not tracemalloc.is_tracing():
            return 0
        return _made_by_us() if library_grows else tracemalloc.get_traced_memory()[0]

    with instrumented():
        runs(times // 20)
        tracemalloc.start(1)
        before = runs(times * 3 // 20)
        grown = runs(times * 4 // 5) - before
        tracemalloc.stop()
    assert grown < 100_000, f"{grown} bytes"


def _made_by_us() -> int:
    filters = [
        tracemalloc.Filter(inclusive=True, filename_pattern=f"*/{name}/*") for name in ("obs_run", "obs_instrumentors")
    ]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(filters).traces)
