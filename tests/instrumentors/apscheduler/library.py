"""APScheduler: jobs in threads and in tasks of asyncio, run by the scheduler of this process."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta, timezone
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLDEST, NEWEST = "3.9, oldest", "3.11, newest"
_WAIT = 30
EXECUTED, FAILED, MISSED, TOO_MANY = (1 << each for each in (12, 13, 14, 16))
_SCHEDULERS = {"sync": "background.BackgroundScheduler", "async": "asyncio.AsyncIOScheduler"}


class Scheduler(Driver):
    """A scheduler for each piece of work, which ends when so many runs are over."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        module, _, name = _SCHEDULERS[kind].partition(".")
        self.scheduler = getattr(import_module(f"apscheduler.schedulers.{module}"), name)
        self.release = threading.Event()
        """What jobs wait for that go on for long."""

    def after(self, runs: int, add: Callable[[Any, Any], object], **options: Any) -> list[Any]:
        """Return the events of so many runs of the jobs that ``add(self, scheduler)`` adds."""
        self.release.clear()
        seen: list[Any] = []
        done = threading.Event()

        def note(event: Any) -> None:
            if len(seen) < runs:
                seen.append((event.code, event.job_id, getattr(event, "retval", None), _shown(event)))
            if len(seen) == runs:
                done.set()

        async def working() -> None:
            self.start(add, note, options)
            await asyncio.get_running_loop().run_in_executor(None, done.wait, _WAIT)

        if self.loop is None:
            self.start(add, note, options)
            assert done.wait(_WAIT)
        else:
            self.run(asyncio.wait_for(working(), _WAIT))
        self.release.set()
        self.stop()
        return sorted(seen)

    def start(self, add: Callable[[Any, Any], object], note: Any, options: dict[str, Any]) -> None:
        """Start a scheduler."""
        self.running = self.scheduler(timezone=timezone.utc, **options)
        self.running.add_listener(note, EXECUTED | FAILED | MISSED | TOO_MANY)
        add(self, self.running)
        self.running.start()

    def stop(self) -> None:
        """Stop it."""
        if self.loop is None:
            self.running.shutdown()
            return

        async def stopping() -> None:
            self.running.shutdown()
            await asyncio.sleep(0.05)

        self.run(stopping())


def _shown(event: Any) -> str:
    error = getattr(event, "exception", None)
    lines = (getattr(event, "traceback", None) or "").splitlines()
    return "" if error is None else f"{error!r} in {lines[-2].rpartition(' ')[2]}"


def forecast(city: str, unit: str = "C") -> str:
    return f"{city}: 20 {unit}"


async def forecast_in_a_task(city: str) -> str:
    await asyncio.sleep(0)
    return city


def fail() -> None:
    raise ValueError("no such city")


class Desk:
    """Whose method is a job."""

    def __init__(self, city: str) -> None:
        self.city = city

    def look_up(self) -> str:
        return self.city


def job(_: Any, scheduler: Any) -> None:
    scheduler.add_job(forecast, "date", args=["Lisbon"], kwargs={"unit": "F"}, id="first", name="Lisbon's weather")


def job_in_a_task(_: Any, scheduler: Any) -> None:
    scheduler.add_job(forecast_in_a_task, "date", args=["Lisbon"], id="first")


def job_by_its_name(_: Any, scheduler: Any) -> None:
    scheduler.add_job(f"{__name__}:Desk.look_up", "date", args=[Desk("Lisbon")], id="first")


def job_of_a_method(_: Any, scheduler: Any) -> None:
    scheduler.add_job(Desk("Lisbon").look_up, "date", id="first")


def job_without_a_name(_: Any, scheduler: Any) -> None:
    scheduler.add_job(lambda: "Lisbon", "date", id="first", name="look up")


def job_of_a_partial(_: Any, scheduler: Any) -> None:
    scheduler.add_job(partial(forecast, "Lisbon"), "date", id="first", name="Lisbon's weather")


def failing(_: Any, scheduler: Any) -> None:
    scheduler.add_job(fail, "date", id="first")


def missed(_: Any, scheduler: Any) -> None:
    long_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    scheduler.add_job(forecast, "date", run_date=long_ago, args=["Lisbon"], id="first", misfire_grace_time=1)


def too_many(its: Any, scheduler: Any) -> None:
    trigger = import_module("apscheduler.triggers.interval").IntervalTrigger(seconds=0.05, timezone=timezone.utc)
    scheduler.add_job(its.release.wait, trigger, args=[_WAIT], id="first", name="wait")


def several(_: Any, scheduler: Any) -> None:
    due = datetime.now(timezone.utc)
    trigger = _trigger(due - timedelta(seconds=each) for each in (3, 2, 1))
    scheduler.add_job(forecast, trigger, args=["Lisbon"], id="first", misfire_grace_time=60, coalesce=False)


def _trigger(times: Iterator[datetime]) -> Any:
    left = list(times)

    class Times(import_module("apscheduler.triggers.base").BaseTrigger):  # type: ignore[misc]
        def get_next_fire_time(self, _previous: Any, _now: Any) -> Any:
            return left.pop(0) if left else None

    return Times()


def told(function: str, **more: Any) -> dict[str, Any]:
    """Return the attributes of a run."""
    return {
        "messaging.system": "apscheduler",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.destination.template": "default",
        "messaging.message.id": "first",
        "rpc.method": function,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


def _scenario(name: str, add: Any, function: str, runs: int = 1, **more: Any) -> Scenario:
    error = more.pop("error_type", None)
    attributes = told(function) if error is None else told(function, error__type=error)
    span = f"process {function}"
    node = Node(span, kind="CONSUMER", status="UNSET" if error is None else "ERROR")
    tree = more.pop("tree", (node,) * runs)
    return Scenario(name, lambda its: its.after(runs, add), span, attributes, tree=tree, **more)


LIBRARY = Library(
    name="apscheduler",
    instrumentor="obs_instrumentors.apscheduler",
    environments={
        # It asks setuptools for what it is installed with.
        OLDEST: ("apscheduler==3.9.1", "setuptools<80"),
        NEWEST: ("apscheduler>=3.11,<4",),
    },
    driver=Scheduler,
    more=("more.py",),
    scenarios=(
        _scenario("job", job, "forecast", content={}),
        _scenario("job in a task", job_in_a_task, "forecast_in_a_task", kinds=("async",)),
        _scenario("job by its name", job_by_its_name, "Desk.look_up"),
        _scenario("job of a method", job_of_a_method, "Desk.look_up"),
        _scenario("job without a name", job_without_a_name, "look up"),
        _scenario("job of a partial", job_of_a_partial, "forecast"),
        _scenario("job that fails", failing, "fail", error_type="ValueError", failures=1),
        _scenario("job that is missed", missed, "forecast", error_type="missed"),
        _scenario("job that is due several times", several, "forecast", runs=3),
        Scenario(
            "job that goes on too long",
            lambda its: its.after(1, too_many),
            "process Event.wait",
            told("Event.wait"),
            tree=(
                Node("process Event.wait", status="UNSET"),
                Node("process Event.wait", status="ERROR", attributes={"error.type": "max_instances"}),
            ),
        ),
    ),
)
