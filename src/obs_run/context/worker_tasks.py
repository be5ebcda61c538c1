"""The context on its way with each task that is given to workers begun long before: of pools, and in other processes.

Watched are ``multiprocessing``'s pools, of processes and of threads, and ``ProcessPoolExecutor``. What goes to another
process has our part as an attribute of what is pickled anyway, so that a worker without us does not notice.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.method_stand_ins import PreparedMethod
from obs_run.base.stand_in import is_stand_in, no_frame
from obs_run.context import propagation, threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

_CARRIED = "_obs_run_context"
_TASK_LENGTH = 5
"""Number, place, function, arguments and named arguments."""
_kinds: set[str] = set()
_PROCESSES, _THREADS = "processes", "threads"


def watch_thread_pools(module: Any) -> None:
    """Have each task of a ``multiprocessing.pool.ThreadPool`` run in the context in which it was given."""
    _watch_pools(module, _THREADS)
    threads.before_start(observe_tasks)


def watch_process_pools(module: Any) -> None:
    """Have each task of a ``multiprocessing.Pool`` continue the trace in which it was given."""
    _watch_pools(module, _PROCESSES)


def _watch_pools(module: Any, kind: str) -> None:
    _kinds.add(kind)
    for result in (module.ApplyResult, module.MapResult, module.IMapIterator):
        _note_at_start(result)
    if not isinstance(vars(module.Pool).get("_quick_put"), _Sending):
        module.Pool._quick_put = _Sending()  # noqa: SLF001 (what every task is sent with)


def watch_executors(module: Any) -> None:
    """Have each task of a ``ProcessPoolExecutor`` continue the trace in which it was given."""
    submitted, sent = module._WorkItem, module._CallItem  # noqa: SLF001 (there is no public way)
    _note_at_start(submitted)
    submitted.fn = _SubmittedFunction()
    sent.fn = _SentFunction()


def _note_at_start(kind: Any) -> None:
    """Have objects of a class remember the context in which they were made."""
    if not is_stand_in(vars(kind)["__init__"]):
        kind.__init__ = PreparedMethod(kind.__init__, _note_context)


def _note_context(made: Any) -> None:
    vars(made)[_CARRIED] = threads.own_context()


def observe_tasks(worker: Any) -> None:
    """Have a thread or process that is about to begin adopt the context of each task, if it is a pool's worker."""
    target = getattr(worker, "_target", None)
    if getattr(target, "__module__", "") != "multiprocessing.pool" or getattr(target, "__name__", "") != "worker":
        return
    queue, *rest = worker._args  # noqa: SLF001 (there is no public way)
    if not isinstance(queue, _Tasks):
        worker._args = (_Tasks(queue), *rest)  # noqa: SLF001 (as above)


class _Sending:
    """Stands for what a pool sends its tasks with."""

    def __get__(self, pool: Any, owner: type | None = None) -> Any:
        if pool is None:
            raise AttributeError("_quick_put")
        put = _own(pool, "_quick_put")
        return guard.call("pool", _sending, pool, put, default=put)

    def __set__(self, pool: Any, put: Any) -> None:
        vars(pool)["_quick_put"] = put


def _sending(pool: Any, put: Callable[[Any], None]) -> Callable[[Any], None]:
    cache, queue = pool._cache, pool._inqueue  # noqa: SLF001 (there is no public way)
    kind = _PROCESSES if hasattr(queue, "_writer") else _THREADS
    if kind not in _kinds:
        return put
    carry = propagation.child_environment if kind == _PROCESSES else _as_it_is
    return partial(_send, put, cache, carry)


def _as_it_is(context: Context | None) -> Context | None:
    return context


def _send(put: Callable[[Any], None], cache: Any, carry: Callable[[Any], Any], task: Any) -> None:
    with_context = guard.call("task", _with_context, cache, carry, task, default=task)
    if with_context is not task:
        try:
            put(with_context)
        except OSError:
            raise
        except Exception:  # noqa: BLE001 (what cannot be pickled is told of the task as the agent gave it)
            with_context = task
        else:
            return
    with no_frame:
        put(task)


def _with_context(cache: Any, carry: Callable[[Any], Any], task: Any) -> Any:
    if type(task) is not tuple or len(task) != _TASK_LENGTH or not callable(task[2]):
        return task
    result = cache.get(task[0])
    carried = None if result is None else carry(vars(result).get(_CARRIED))
    if not carried:
        return task
    return (*task[:2], _Carrier(task[2], carried), *task[3:])


class _Carrier:
    """The function of a task and what goes along with it; in another process a partial function with an attribute."""

    def __init__(self, function: Any, carried: Any) -> None:
        self.function = function
        self.carried = carried

    def __reduce__(self) -> Any:
        # Nothing of ours, which the worker may not have.
        return partial, (self.function,), (self.function, (), {}, {_CARRIED: self.carried})


class _Tasks:
    """The queue that a worker takes its tasks from."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._token: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def get(self) -> Any:
        """Wait for the next task, and make its context current."""
        guard.call("task", self._leave)
        with no_frame:
            task = self._queue.get()
        return guard.call("task", self._adopt, task, default=task)

    def _leave(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            _api().detach(token)

    def _adopt(self, task: Any) -> Any:
        if type(task) is not tuple or len(task) != _TASK_LENGTH:
            return task
        function = task[2]
        if isinstance(function, _Carrier):
            self._token = _api().attach(function.carried)
            function = function.function
        elif isinstance(function, partial) and _CARRIED in vars(function):
            propagation.adopt_here(vars(function).pop(_CARRIED))
            function = function.func
        return (*task[:2], function, *task[3:])


def _api() -> Any:
    return sys.modules["opentelemetry.context"]


class _SubmittedFunction:
    """Stands for the function of a submitted task, which is read to be sent: by the same thread, just before."""

    def __get__(self, item: Any, owner: type | None = None) -> Any:
        if item is None:
            raise AttributeError("fn")
        _sent_next[get_ident()] = vars(item).get(_CARRIED)
        return _own(item, "fn")

    def __set__(self, item: Any, function: Any) -> None:
        vars(item)["fn"] = function


class _SentFunction:
    """Stands for the function of a task as it is sent, and as the worker reads it to call it."""

    def __get__(self, item: Any, owner: type | None = None) -> Any:
        if item is None:
            raise AttributeError("fn")
        carried = vars(item).pop(_CARRIED, None)
        if carried:
            guard.call("task", propagation.adopt_here, carried)
        return _own(item, "fn")

    def __set__(self, item: Any, function: Any) -> None:
        vars(item)["fn"] = function
        context = _sent_next.pop(get_ident(), None)
        vars(item)[_CARRIED] = guard.call("task", propagation.child_environment, context)


_sent_next: dict[int, Context | None] = {}
"""The context of the task that a thread is about to send."""


def _own(made: Any, name: str) -> Any:
    try:
        return vars(made)[name]
    except KeyError:
        raise AttributeError(name) from None
