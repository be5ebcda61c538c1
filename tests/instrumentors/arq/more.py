"""What workers do besides: jobs of and for processes without obs-run, many at once, time-outs, cron jobs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from tests.instrumentors.arq import peers
from tests.instrumentors.arq.library import LIBRARY, forecast, server
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(peers.__file__)
JOBS = 50


@pytest.fixture
def its(stub: Any, telemetry: Any) -> Iterator[Any]:
    """A pool of connections, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver("async", stub)
    with instrumented():
        yield driver
    driver.close()


async def peer(role: str) -> str:
    """Have a process without obs-run do its part, and return what it says."""
    words = [sys.executable, str(PEERS), role, str(server()), str(JOBS)]
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


def test_jobs_for_a_worker_without_us(its: Any) -> None:
    async def put(_: Any, pool: Any) -> Any:
        jobs = [await pool.enqueue_job("add", number, more=1) for number in range(JOBS)]
        assert await peer("worker") == f"{JOBS} done\n"
        return [await job.result() for job in jobs]

    assert its.within(put) == list(range(1, JOBS + 1))


def test_jobs_of_a_process_without_us(its: Any, telemetry: Any) -> None:
    async def work(its: Any, pool: Any) -> Any:
        assert await peer("putting") == f"{JOBS} put\n"
        return (await its.work(pool, peers.add)).jobs_complete

    assert its.within(work) == JOBS
    assert_trees(telemetry.spans(), *[Node("process add", kind="CONSUMER")] * JOBS)


def test_jobs_at_once_each_have_their_trace(its: Any, telemetry: Any) -> None:
    tracer = trace.get_tracer("agent")
    seen = {}

    async def note(_: Any, number: int) -> None:
        await asyncio.sleep(0)
        seen[number] = trace.get_current_span().get_span_context().trace_id

    async def talk(its: Any, pool: Any) -> Any:
        asked = {}
        for number in range(10):
            with tracer.start_as_current_span(f"plan {number}") as span:
                asked[number] = span.get_span_context().trace_id
                await pool.enqueue_job("note", number)
        await its.work(pool, its.worker.func(note, name="note"))
        return asked

    assert its.within(talk) == seen
    assert len(telemetry.spans()) == 30


def test_a_job_that_takes_too_long(its: Any, telemetry: Any) -> None:
    async def wait(_: Any) -> None:
        await asyncio.Event().wait()

    async def talk(its: Any, pool: Any) -> Any:
        await pool.enqueue_job("wait")
        return (await its.work(pool, its.worker.func(wait, name="wait", timeout=0.01))).jobs_failed

    assert its.within(talk) == 1
    [worked] = [span for span in telemetry.spans() if span.name == "process wait"]
    assert worked.attributes["error.type"] == "cancelled"


def test_functions_of_the_agent_stay_as_they_are(its: Any) -> None:
    async def talk(its: Any, pool: Any) -> Any:
        function = its.worker.func(forecast)
        worker = its.worker.Worker([function], redis_pool=pool, handle_signals=False)
        return function.coroutine, worker.functions["forecast"]

    kept, followed = its.within(talk)
    assert kept is forecast
    assert (followed.name, followed.coroutine.__qualname__) == ("forecast", "forecast")


def test_with_the_setting_off_a_job_carries_nothing(its: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_MESSAGES", "off")

    async def talk(its: Any, pool: Any) -> Any:
        await pool.enqueue_job("forecast", "Lisbon")
        await its.work(pool, forecast)

    its.within(talk)
    assert_trees(telemetry.spans(), Node("enqueue forecast"), Node("process forecast"))
