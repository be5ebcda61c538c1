"""APScheduler: each run of a job, in threads, tasks, greenlets and processes.

Chosen: patches of the functions that executors run jobs by, as events of the scheduler come before and after a run and
from other threads. Process pools find them by their names. What is kept of where a job was added is kept beside the
scheduler: job stores see nothing of it, and a job that was stored by another process has none.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base import payload
from obs_run.base.functions import innermost
from obs_run.base.steps import Step
from obs_run.core import message_carriers, noted_calls, planned_work
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_handlers import followed_work
from obs_run.core.message_steps import wrap_followed_step, wrap_step
from obs_run.core.operations import MessageProcess
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call

_SYSTEM = "apscheduler"
_MISSED = 2**14
"""The code of the event that a job was not run in time."""
_TOO_MANY = "MaxInstancesReachedError"
_MOST_KEPT = 1024

_added_by: WeakKeyDictionary[Any, dict[str, dict[str, str]]] = WeakKeyDictionary()
"""By scheduler and job what carries the trace and the baggage of the code that added it."""
_READER: Reader[Any] = Reader(result=lambda _operation, _returned: None)


def note_added(call: Call, job: Any) -> None:
    """Note where a job was added."""
    jobs = _added_by.setdefault(call.instance, {})
    jobs[job.id] = planned_work.carrier()
    if len(jobs) > _MOST_KEPT:
        jobs.pop(next(iter(jobs)))


class _SubmitStep(planned_work.SubmitStep):
    """A job on its way to where it is run."""

    __slots__ = ("_job",)

    def __init__(self, job: Any) -> None:
        super().__init__(_sender_of(job))
        self._job = job

    def end(self, error: BaseException) -> None:
        """Note that it is not run, as too many of its runs still go on."""
        if type(error).__name__ == _TOO_MANY:
            _note_unrun(self._job, "max_instances", str(error))


def begin_submit(call: Call) -> Step:
    """Begin ``BaseExecutor.submit_job``."""
    return _SubmitStep(call.argument(0, "job"))


def _sender_of(job: Any) -> dict[str, str]:
    """Return what carries the trace of the code that added a job; a worker process has the context that it came in."""
    scheduler = payload.get(job, "_scheduler")
    return {} if scheduler is None else _added_by.get(scheduler, {}).get(job.id, {})


class _RunStep(Step):
    """The run of a job, or the several that are due."""

    __slots__ = ("_job",)

    def __init__(self, job: Any) -> None:
        super().__init__()
        self._job = job

    def read_returned(self, returned: Any) -> Any:
        """Note which of them came too late to be run."""
        for event in payload.as_list(returned):
            if payload.get_int(event, "code") == _MISSED:
                due = f"due at {payload.get(event, 'scheduled_run_time')}"
                _note_unrun(self._job, "missed", f"the job was not run in time: {due}")
        return returned


def begin_run(call: Call) -> Step:
    """Begin ``run_job`` or ``run_coroutine_job``, which run the job's function and catch what it raises."""
    job, due = call.argument(0, "job"), payload.as_list(call.argument(2, "run_times"))
    store = payload.as_text(call.argument(1, "jobstore_alias"))
    begin = partial(_begin_work, job, store, due[0] if len(due) == 1 else None)
    call.replace(0, "job", _with_function(job, followed_work(job.func, begin, planned_work.start)))
    return _RunStep(job)


def _with_function(job: Any, function: Any) -> Any:
    """Return a job that is as the agent's, but for its function; a copy would look it up by its name."""
    followed = object.__new__(type(job))
    names = [name for kind in type(job).__mro__ for name in getattr(kind, "__slots__", ()) if not name.startswith("__")]
    for name in (*names, *getattr(job, "__dict__", ())):
        if hasattr(job, name):
            object.__setattr__(followed, name, getattr(job, name))
    followed.func = function
    return followed


def _begin_work(job: Any, store: str | None, due: Any, _: Call) -> tuple[MessageOperation, Reader, dict[str, str]]:
    operation = _described(job, store)
    if due is not None:
        operation.queue_time = message_carriers.seconds_since(round(due.timestamp() * 1e6))
    return operation, _READER, _sender_of(job)


def _described(job: Any, store: str | None) -> MessageOperation:
    operation = MessageProcess(system=_SYSTEM)
    operation.destination = operation.destination_template = store
    operation.message_id = payload.get_text(job, "id")
    operation.method = _function_of(job)
    return operation


def _function_of(job: Any) -> str | None:
    """Return the name of a job's function; the agent may give each job another name of its own."""
    reference = payload.get_text(job, "func_ref")
    if reference is not None:
        return reference.rpartition(":")[2]
    function = payload.get(job, "func")
    inner = innermost(function)
    return payload.get_text(job, "name") if inner is function else payload.get_text(inner, "__qualname__")


def _note_unrun(job: Any, error_type: str, message: str) -> None:
    operation = _described(job, payload.get_text(job, "_jobstore_alias"))
    operation.error_type, operation.error_message = error_type, message
    recording = planned_work.start(operation, [_sender_of(job)])
    if recording is not None:
        recording.end()


_RUN = wrap_followed_step(begin_run)
_EXECUTORS = "apscheduler.executors"


def _run(module: str, function: str = "run_job", *, optional: bool = False) -> Target:
    return Target(f"{_EXECUTORS}.{module}", function, _RUN, optional=optional)


INSTRUMENTORS = (
    Instrumentor(
        "apscheduler",
        "apscheduler",
        ">=3.9,<4",
        (
            Target("apscheduler.schedulers.base", "BaseScheduler.add_job", noted_calls.wrap_after("job", note_added)),
            Target(f"{_EXECUTORS}.base", "BaseExecutor.submit_job", wrap_step(begin_submit)),
            _run("base"),
            # Older releases have it in a module of its own.
            _run("base", "run_coroutine_job", optional=True),
            _run("base_py3", "run_coroutine_job"),
            # Where they were imported before.
            _run("asyncio"),
            _run("asyncio", "run_coroutine_job", optional=True),
            _run("debug"),
            _run("gevent"),
            _run("pool"),
            _run("tornado"),
            _run("tornado", "run_coroutine_job", optional=True),
            _run("twisted"),
        ),
        ("jobs of APScheduler",),
    ),
)
