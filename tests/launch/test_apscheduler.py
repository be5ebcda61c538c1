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

PREVIEW = """
import asyncio, logging
from apscheduler import AsyncScheduler, Scheduler

log = logging.getLogger("jobs")


def doubled(number):
    log.warning("working")
    return number * 2


async def trebled(number):
    return number * 3


def failing():
    raise ValueError("no")


async def main():
    async with AsyncScheduler() as scheduler:
        await scheduler.start_in_background()
        try:
            await scheduler.run_job(failing)
        except ValueError as error:
            print(await scheduler.run_job(doubled, args=[2]), await scheduler.run_job(trebled, args=[2]), error)


asyncio.run(main())
with Scheduler() as scheduler:
    scheduler.start_in_background()
    print(scheduler.run_job(doubled, args=[3]), flush=True)
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


@pytest.mark.parametrize("launched", [(), ("scheduler",)], ids=["alone", "under obs-run"])
def test_previews_of_the_next_release_are_left_alone(
    receiver: Receiver, tmp_path: Path, launched: tuple[str, ...]
) -> None:
    place = environments.environment("apscheduler 4")
    said = fleet.talk(place, receiver.endpoint, tmp_path, {"scheduler": Agent(PREVIEW, ())}, launched)
    assert said == {"scheduler": "4 6 no\n6\n"}
    assert {span.name for span in receiver.spans} == set(launched)
    working = [log for log in receiver.logs if log.body == "working"]
    assert [log.span_id for log in working] == [span.span_id for span in receiver.spans for _ in range(2)]
