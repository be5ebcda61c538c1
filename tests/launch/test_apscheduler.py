"""A scheduler of APScheduler under obs-run: its jobs in threads, tasks and worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launch import environments, fleet
from tests.launch.fleet import Agent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

JOBS = """
import asyncio, logging, os

log = logging.getLogger("jobs")


def in_a_thread():
    log.warning("working in a thread")
    return os.getpid()


async def in_a_task():
    log.warning("working in a task")
    return os.getpid()


def in_a_process():
    log.warning("working in a process")
    return os.getpid()
"""
SCHEDULER = """
import asyncio, os, sys
from concurrent.futures import ProcessPoolExecutor as Pool
from multiprocessing import get_context

from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from opentelemetry import trace

import jobs


async def main(method):
    workers = ProcessPoolExecutor(1)
    workers._pool = Pool(1, mp_context=get_context(method))
    scheduler = AsyncIOScheduler(executors={"workers": workers})
    executed, done = [], asyncio.Event()

    def note(event):
        executed.append(event.retval)
        if len(executed) == 3:
            done.set()

    loop = asyncio.get_running_loop()
    scheduler.add_listener(lambda event: loop.call_soon_threadsafe(note, event), EVENT_JOB_EXECUTED)
    with trace.get_tracer("agent").start_as_current_span("plan"):
        scheduler.add_job(jobs.in_a_thread, "date")
        scheduler.add_job(jobs.in_a_task, "date")
        scheduler.add_job(jobs.in_a_process, "date", executor="workers")
    scheduler.start()
    await asyncio.wait_for(done.wait(), 60)
    scheduler.shutdown()
    print(sorted(each == os.getpid() for each in executed), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_each_run_is_a_trace_that_tells_who_planned_it(receiver: Receiver, tmp_path: Path, method: str) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    agents = {"scheduler": Agent(SCHEDULER, (method,))}
    said = fleet.talk(environments.environment("apscheduler"), receiver.endpoint, tmp_path, agents, agents)
    assert said == {"scheduler": "[False, True, True]\n"}
    [plan] = receiver.named("plan")
    logged = {log.span_id: log.body for log in receiver.logs}
    for place in ("thread", "task", "process"):
        [run] = receiver.named(f"process in_a_{place}")
        assert not run.parent_id
        assert run.trace_id != plan.trace_id
        assert list(run.links) == [plan.trace_id]
        assert logged[run.span_id] == f"working in a {place}"
    # What the scheduler says of a run is no second span.
    assert {span.name for span in receiver.spans if span.name.startswith("in_a")} == set()


def test_without_obs_run_it_is_the_same(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    agents = {"scheduler": Agent(SCHEDULER, ("spawn",))}
    said = fleet.talk(environments.environment("apscheduler"), receiver.endpoint, tmp_path, agents, ())
    assert said == {"scheduler": "[False, True, True]\n"}
