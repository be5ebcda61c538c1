"""What schedulers do besides: where a job comes from, stores, process pools, listeners, and what is current."""

from __future__ import annotations

import concurrent.futures
import importlib
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from tests.instrumentors.apscheduler.library import LIBRARY, forecast, job, missed
from tests.instrumentors.run_scenarios import instrumented
from tests.instrumentors.trees import Node, assert_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEEN: list[Any] = []


@pytest.fixture(params=LIBRARY.kinds)
def its(request: pytest.FixtureRequest, stub: Any, telemetry: Any) -> Iterator[Any]:
    """A scheduler, under our hooks."""
    assert telemetry is not None
    driver = LIBRARY.driver(request.param, stub)
    _SEEN.clear()
    with instrumented():
        yield driver
    driver.close()


def look() -> None:
    _SEEN.append(baggage.get_baggage("tenant"))


def think() -> None:
    with trace.get_tracer("agent").start_as_current_span("think"):
        pass


async def think_in_a_task() -> None:
    think()


def run_of(telemetry: Any) -> Any:
    [span] = [each for each in telemetry.spans() if each.kind.name == "CONSUMER"]
    return span


def test_a_run_is_linked_to_the_code_that_added_the_job(its: Any, telemetry: Any) -> None:
    def add(its: Any, scheduler: Any) -> None:
        with trace.get_tracer("agent").start_as_current_span("plan"):
            job(its, scheduler)

    its.after(1, add)
    [plan] = [span for span in telemetry.spans() if span.name == "plan"]
    span = run_of(telemetry)
    assert span.parent is None
    assert [link.context.span_id for link in span.links] == [plan.context.span_id]
    assert span.context.trace_id != plan.context.trace_id


def test_what_a_job_does_is_inside(its: Any, telemetry: Any) -> None:
    functions = [think] if its.loop is None else [think, think_in_a_task]

    def add(_: Any, scheduler: Any) -> None:
        for function in functions:
            scheduler.add_job(function, "date")

    its.after(len(functions), add)
    expected = [Node(f"process {function.__name__}", Node("think")) for function in functions]
    spans = telemetry.spans()
    assert_trees(spans, *sorted(expected, key=lambda node: next(s.start_time for s in spans if s.name == node.name)))


def test_the_baggage_of_the_code_that_added_the_job_is_there(its: Any) -> None:
    def add(_: Any, scheduler: Any) -> None:
        with trace.get_tracer("agent").start_as_current_span("plan"):
            token = context.attach(baggage.set_baggage("tenant", "acme"))
            scheduler.add_job(look, "date")
            context.detach(token)

    its.after(1, add)
    assert _SEEN == ["acme"]


def test_a_missed_run_tells_where_the_job_comes_from(its: Any, telemetry: Any) -> None:
    def add(its: Any, scheduler: Any) -> None:
        with trace.get_tracer("agent").start_as_current_span("plan"):
            missed(its, scheduler)

    its.after(1, add)
    assert run_of(telemetry).status.description.startswith("the job was not run in time: due at ")


def test_a_store_sees_what_the_agent_gave(its: Any) -> None:
    stored: list[bytes] = []
    memory = importlib.import_module("apscheduler.jobstores.memory").MemoryJobStore

    class Store(memory):  # type: ignore[misc,valid-type]
        def add_job(self, job: Any) -> None:
            stored.append(pickle.dumps(job.__getstate__()))
            super().add_job(job)

    its.after(1, job, jobstores={"default": Store()})
    [state] = [pickle.loads(each) for each in stored]
    assert (state["func"], state["args"], state["kwargs"]) == (
        f"{forecast.__module__}:forecast",
        ("Lisbon",),
        {"unit": "F"},
    )


def test_a_job_that_is_taken_from_a_store_runs_too(its: Any, telemetry: Any) -> None:
    base = importlib.import_module("apscheduler.jobstores.memory").MemoryJobStore

    class Store(base):  # type: ignore[misc,valid-type]
        """Gives copies, as those that keep jobs in a database do."""

        def get_due_jobs(self, now: Any) -> Any:
            return [self._restored(each) for each in super().get_due_jobs(now)]

        def _restored(self, job: Any) -> Any:
            copied = pickle.loads(pickle.dumps(job))
            copied._scheduler, copied._jobstore_alias = self._scheduler, self._alias
            return copied

    [(_, _, returned, _)] = its.after(1, job, jobstores={"default": Store()})
    assert returned == "Lisbon: 20 F"
    assert run_of(telemetry).name == "process forecast"


def test_a_process_pool_finds_the_function_by_its_name(its: Any) -> None:
    pool = importlib.import_module("apscheduler.executors.pool")
    base = importlib.import_module("apscheduler.executors.base")
    for module in (pool, base):
        assert pickle.loads(pickle.dumps(module.run_job)) is module.run_job
        assert b"obs" not in pickle.dumps(module.run_job)
    executor = pool.ProcessPoolExecutor(1)
    assert isinstance(executor._pool, concurrent.futures.ProcessPoolExecutor)

    def add(_: Any, scheduler: Any) -> None:
        scheduler.add_job(forecast, "date", args=["Lisbon"], executor="processes")

    [(_, _, returned, _)] = its.after(1, add, executors={"processes": executor})
    assert returned == "Lisbon: 20 C"
