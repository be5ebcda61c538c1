"""Frameworks that tell of what they do by callbacks: four shapes of them, each with 20 runs at once.

The handlers begin and end recordings as a first attempt would: entered in the callback that starts, left in the one
that ends, wherever those are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

HANDLER = """
import asyncio, contextvars, threading
from concurrent.futures import ThreadPoolExecutor
import telemetry_probe
from opentelemetry.context import Context
from obs_run.core import recorder
from obs_run.core.open_recordings import open_recordings
from obs_run.core.operations import Workflow

class Handler:
    def __init__(self):
        self.open = {}

    def on_start(self, run, parent, name):
        above = self.open.get(parent)
        recording = recorder.start(Workflow(workflow_name=name), above.context if above else Context())
        recording.__enter__()
        self.open[run] = recording

    def on_end(self, run, error=None):
        recording = self.open[run]
        recording.__exit__(None, None, None)
        recording.end(error)

handler = Handler()
"""
SHOWN = """
telemetry_probe.show(left=len(open_recordings))
"""
SHAPES = {
    # Ends come in a task that was begun inside, as langgraph's stream handlers have it.
    "tasks": """
        async def node(run, depth):
            name = "abcd"[depth]
            handler.on_start((run, depth), (run, depth - 1), name)
            await asyncio.sleep(0)
            if depth < 3:
                await asyncio.create_task(node(run, depth + 1))
            async def end():
                handler.on_end((run, depth))
            await asyncio.create_task(end())

        async def main():
            await asyncio.gather(*(node(run, 0) for run in range(20)))
        asyncio.run(main())
        """,
    # Parents end before their children, as trace processors of agents with hand-offs have it.
    "out of order": """
        async def one(run):
            for depth in range(4):
                handler.on_start((run, depth), (run, depth - 1), "abcd"[depth])
                await asyncio.sleep(0)
            for depth in (1, 0, 3, 2):
                handler.on_end((run, depth))
                await asyncio.sleep(0)

        async def main():
            await asyncio.gather(*(one(run) for run in range(20)))
        asyncio.run(main())
        """,
    # An event bus that calls its handlers in threads of its own.
    "threads": """
        pool = ThreadPoolExecutor(4)
        def one(run):
            for depth in range(4):
                pool.submit(handler.on_start, (run, depth), (run, depth - 1), "abcd"[depth]).result()
            for depth in (3, 2, 1, 0):
                pool.submit(handler.on_end, (run, depth)).result()
        runs = [threading.Thread(target=one, args=(run,)) for run in range(20)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        pool.shutdown()
        """,
    # Copies of contexts, as dispatchers keep them to call back later; ends with an error, twice, and too late.
    "copied contexts": """
        for run in range(20):
            kept = []
            for depth in range(4):
                context = contextvars.copy_context()
                context.run(handler.on_start, (run, depth), (run, depth - 1), "abcd"[depth])
                kept.append(context)
            for depth, context in reversed(list(enumerate(kept))):
                context.run(handler.on_end, (run, depth), ValueError("x") if depth == 3 else None)
                contextvars.copy_context().run(handler.on_end, (run, depth))
        """,
}


@pytest.mark.sampled
@pytest.mark.parametrize("shape", SHAPES)
def test_the_trees_are_right_and_nobody_hears_of_it(shape: str, agent: Run) -> None:
    source = "\n".join(line.removeprefix("        ") for line in SHAPES[shape].splitlines())
    ran = agent(HANDLER + source + SHOWN, OBS_RUN_SPAN="false")
    assert ran.err == ""
    spans = ran.seen["spans"]
    assert ran.seen["left"] == 0
    assert len(spans) == 80
    by_id = {span["span"]: span for span in spans}
    traces: dict[str, list[str]] = {}
    for span in spans:
        parent = by_id[span["parent"]]["name"][-1] if span["parent"] else ""
        traces.setdefault(span["trace"], []).append(parent + span["name"][-1])
    assert sorted(map(sorted, traces.values())) == [["a", "ab", "bc", "cd"]] * 20


@pytest.mark.slow
@pytest.mark.parametrize("most", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_stays_flat_where_ends_never_come(most: int, agent: Run) -> None:
    ran = agent(
        HANDLER
        + f"""
RUNS = {most * 6 // 5}
import obs_run.core.open_recordings as bounded
assert bounded._MOST == 10_000
bounded._MOST = {most}
"""
        + """
import gc, os, tracemalloc
from opentelemetry import trace

def lost(number):
    handler.on_start(number, None, "lost")
    handler.open.clear()

def taken_by_runs():
    for number in range(RUNS):
        lost(number)
    # What waits for its export is no growth.
    trace.get_tracer_provider().force_flush()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]

tracemalloc.start()
taken = [taken_by_runs() for _ in range(3)]
print(len(open_recordings), *taken, flush=True)
os._exit(0)
""",
        OBS_RUN_SPAN="false",
        OBS_HANDLE_OS_EXIT="false",
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    assert (ran.code, ran.err) == (0, "")
    left, first, _, last = map(int, ran.out.split())
    assert left == most
    # What is there after the last round takes the place of what was there after the first.
    assert last < first * 1.25
