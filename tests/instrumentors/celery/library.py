"""celery: who sends tasks and the worker in this process, by a real Redis server."""

from __future__ import annotations

from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.instrumentors.arq.library import server
from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST, NEWEST = "5.3, oldest", "5.7, newest"
_WAIT = 60
_NUMBERS = count()


class Celery(Driver):
    """An app with tasks and queues of its own for each piece of work, and a worker while a task is waited for."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        # Its names are looked up where it was imported, too.
        import_module("celery.worker.consumer.consumer")
        self.url = f"redis://127.0.0.1:{server()}/7"
        self.app: Any = None
        self.prefix = ""

    def __getattr__(self, name: str) -> Any:
        return self.app.tasks[f"agent.{name}"]

    def call(self, work: Callable[[Any], Any]) -> Any:
        """Return what ``work(self)`` returns; a worker that was stopped may still take a task of its queues."""
        self.app = import_module("celery").Celery("agent", broker=self.url, backend=self.url)
        self.prefix = f"{next(_NUMBERS)}:"
        self.app.conf.update(
            broker_transport_options={"global_keyprefix": self.prefix},
            worker_hijack_root_logger=False,
            task_routes={"agent.fail": {"queue": "failing"}},
        )
        self.app.task(name="agent.add")(add)
        self.app.task(name="agent.fail")(fail)
        self.app.task(name="agent.total")(total)
        self.app.task(name="agent.again", bind=True, max_retries=2)(again)
        self.app.task(name="agent.hand_on", bind=True)(hand_on)
        self.app.task(name="agent.refuse")(refuse)
        self.app.AsyncResult("first").forget()
        return work(self)

    def done(self, result: Any) -> Any:
        """Return what comes of a task that is in the queue, and have those that it sends done."""
        testing = import_module("celery.contrib.testing.worker")
        options = {"pool": "solo", "queues": ["celery", "failing"], "loglevel": "CRITICAL"}
        with testing.start_worker(self.app, perform_ping_check=False, shutdown_timeout=_WAIT, **options):
            returned = result.get(timeout=_WAIT)
            for child in result.children or ():
                child.get(timeout=_WAIT)
            return returned


def add(one: int, other: int) -> int:
    return one + other


def total(numbers: list[int]) -> int:
    return sum(numbers)


def fail(text: str) -> None:
    raise ValueError(text)


def again(task: Any) -> int:
    if task.request.retries == 0:
        raise task.retry(countdown=0)
    return int(task.request.retries)


def hand_on(task: Any) -> str:
    task.app.tasks["agent.add"].delay(3, 4)
    return "handed on"


def refuse() -> None:
    raise import_module("celery.exceptions").Reject("not now", requeue=False)


def eager(its: Any) -> Any:
    its.app.conf.task_always_eager = True
    sent = first(its.add, 1, 2)
    failed = its.fail.delay("no city")
    return [sent.get(), failed.state, repr(failed.result)]


def eager_that_raises(its: Any) -> Any:
    its.app.conf.update(task_always_eager=True, task_eager_propagates=True)
    return first(its.fail, "no city")


def not_sent(its: Any) -> Any:
    return its.add.apply_async((1, object()), task_id="first", serializer="json")


def first(task: Any, *arguments: Any) -> Any:
    """Return the result of a task that is sent, with an id that is known."""
    return task.apply_async(arguments, task_id="first")


def told(operation: str, task: str, *, by: str = "send", **more: Any) -> Callable[[Any], dict[str, Any]]:
    """Return what gives the attributes of a span."""

    def attributes(_: Any) -> dict[str, Any]:
        known = {
            "messaging.system": "celery",
            "messaging.operation.name": operation,
            "messaging.operation.type": by,
            "messaging.destination.name": "celery",
            "messaging.destination.template": "celery",
            "messaging.message.id": "first",
            "messaging.client.id": import_module("celery.utils.nodenames").anon_nodename() if by == "process" else None,
            "rpc.method": f"agent.{task}",
            **{name.replace("__", "."): value for name, value in more.items()},
        }
        if "messaging__destination__name" in more:
            known["messaging.destination.template"] = known["messaging.destination.name"]
        return {name: value for name, value in known.items() if value is not None}

    return attributes


def _fresh(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda its: its.call(work)


def _task(name: str, *inside: Node, **about: Any) -> Node:
    work = Node(f"process agent.{name}", *inside, kind="CONSUMER", **about)
    return Node(f"publish agent.{name}", work, kind="PRODUCER")


LIBRARY = Library(
    name="celery",
    instrumentor="obs_instrumentors.celery",
    environments={
        OLDEST: ("celery==5.3.0", "kombu==5.3.0", "redis==5.0.0"),
        NEWEST: ("celery>=5.7,<5.8", "redis>=8.1,<9"),
    },
    driver=Celery,
    kinds=("sync",),
    beside=("obs_instrumentors.redis",),
    more=("more.py",),
    backend="redis-server",
    scenarios=(
        Scenario(
            "task",
            _fresh(lambda its: its.done(first(its.add, 1, 2))),
            "publish agent.add",
            told("publish", "add"),
            {},
            tree=(_task("add"),),
        ),
        Scenario(
            "task that fails",
            _fresh(lambda its: its.done(first(its.fail, "no city"))),
            "process agent.fail",
            told("process", "fail", by="process", messaging__destination__name="failing", error__type="ValueError"),
            tree=(_task("fail", status="ERROR"),),
            error="ValueError",
        ),
        Scenario(
            "task that is run again",
            _fresh(lambda its: its.done(first(its.again))),
            "process agent.again",
            told("process", "again", by="process", error__type="retry"),
            tree=(
                _task(
                    "again",
                    _task("again", status="UNSET", attributes={"obs.messaging.delivery_count": 2}),
                    status="ERROR",
                ),
            ),
            failures=1,
        ),
        Scenario(
            "task of a task",
            _fresh(lambda its: its.done(first(its.hand_on))),
            "process agent.hand_on",
            told("process", "hand_on", by="process"),
            tree=(_task("hand_on", _task("add")),),
        ),
        Scenario(
            "task that cannot be sent",
            _fresh(not_sent),
            "publish agent.add",
            told("publish", "add", error__type="kombu.exceptions.EncodeError"),
            error="EncodeError",
        ),
        Scenario(
            "eager tasks",
            _fresh(eager),
            "process agent.add",
            told("process", "add", by="process", messaging__destination__name=None, messaging__client__id=None),
            tree=(Node("process agent.add"), Node("process agent.fail", status="ERROR")),
            failures=1,
        ),
        Scenario(
            "eager task that raises",
            _fresh(eager_that_raises),
            "process agent.fail",
            told(
                "process",
                "fail",
                by="process",
                messaging__destination__name=None,
                messaging__client__id=None,
                error__type="ValueError",
            ),
            error="ValueError",
        ),
    ),
)
