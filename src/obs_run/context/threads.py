"""OpenTelemetry's context on its way into threads and into the work given to thread pools.

A thread gets the context that was current where it was started, a piece of work the one where it was submitted. What
is watched is how ``threading`` and ``concurrent.futures`` begin a thread or a work item inside, so that
``Thread.start``, ``Thread.run`` and ``submit`` stay what they are, also in subclasses, and no traceback shows us.
"""

from __future__ import annotations

import sys
from functools import partial

from obs_run.base import guard, method_stand_ins, observed_calls, stand_in
from obs_run.process import flag, import_hooks, termination

TYPE_CHECKING = False  # the module typing costs more than all that happens here
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from opentelemetry.context import Context

_CARRIED = "_obs_run_context"
# Threads that serve many or outlive who started them: their work brings its own context, or has none.
_SERVING = frozenset(
    [
        "anyio._backends._asyncio",
        "concurrent.futures.process",
        "concurrent.futures.thread",
        "logging.handlers",
        "multiprocessing.managers",
        "multiprocessing.pool",
        "multiprocessing.queues",
        "multiprocessing.resource_sharer",
    ]
)
_OBSERVING = frozenset(["obs_run", "opentelemetry"])
_additions: list[Callable[[Context | None], Context | None]] = []
_preparations: list[Callable[[Any], object]] = []


def carry_along(add: Callable[[Context | None], Context | None]) -> None:
    """Have ``add`` return a context to be carried with what else belongs to it, where a thread or work is begun."""
    _additions[:] = [add]


def before_start(prepare: Callable[[Any], object]) -> None:
    """Have ``prepare`` called with each thread that is about to begin."""
    if prepare not in _preparations:
        _preparations.append(prepare)


def install(_module: ModuleType | None = None) -> None:
    """Carry the context from now on, unless OBS_PROPAGATE_THREADS says no; each call after the first does nothing."""
    if flag("OBS_PROPAGATE_THREADS", default=True):
        import_hooks.when_imported("threading", _watch_threads)
        import_hooks.when_imported("concurrent.futures.thread", _watch_work)


def own_context() -> Context | None:
    """Return the context that was made current here; None where there is none, even if a run span is the default."""
    # A module that another thread is still importing has no such name yet.
    runtime = getattr(sys.modules.get("opentelemetry.context"), "_RUNTIME_CONTEXT", None)
    if runtime is None:
        return None
    get: Callable[[], Context] = getattr(runtime, "get_own", runtime.get_current)
    return get() or None


def _carried_context() -> Context | None:
    context = own_context()
    for add in _additions:
        context = guard.call("thread", add, context, default=context)
    return context


class _Bootstrap:
    """Stands for ``Thread._bootstrap``, which ``start`` looks up in the old thread and the new one calls."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __get__(self, thread: Any, owner: type | None = None) -> Any:
        # What the new thread records is lost if a signal ends this child; only the main thread can handle one.
        if termination.suspended and thread is not None:
            termination.resume()
        begin = self.original.__get__(thread, owner)
        context = None if thread is None else guard.call("thread", _context_for, thread)
        return begin if context is None else stand_in.StandIn(begin, partial(_begin, context, begin))


def _context_for(thread: Any) -> Context | None:
    for prepare in _preparations:
        guard.call("thread", prepare, thread)
    context = _carried_context()
    if context is None:
        return None
    for function in (getattr(thread, "_target", None), type(thread).run):
        module = str(getattr(function, "__module__", ""))
        if module in _SERVING or module.partition(".")[0] in _OBSERVING:
            return None
    return context


def _begin(context: Context, begin: Callable[[], None]) -> Callable[[], None]:
    # Never detached: it ends with the thread.
    guard.call("thread", sys.modules["opentelemetry.context"].attach, context)
    return begin


def _watch_threads(module: ModuleType) -> None:
    thread: Any = module.Thread
    # gevent's class only inherits it.
    original = next(vars(kind)["_bootstrap"] for kind in thread.__mro__ if "_bootstrap" in vars(kind))
    if not isinstance(original, _Bootstrap):
        thread._bootstrap = _Bootstrap(original)  # noqa: SLF001 (there is no public way)


def _watch_work(module: ModuleType) -> None:
    item: Any = module._WorkItem  # noqa: SLF001 (there is no public way)
    initialize, run = item.__init__, item.run
    if stand_in.is_stand_in(vars(item)["run"]):
        return
    observed = observed_calls.observed(run, _begin_work)
    item.__init__ = method_stand_ins.PreparedMethod(initialize, _carry)
    item.run = method_stand_ins.MethodStandIn(run, lambda: observed)


def _carry(item: Any) -> None:
    context = _carried_context()
    if context is not None:
        item.__dict__[_CARRIED] = context


def _begin_work(item: Any) -> observed_calls.End | None:
    context = item.__dict__.pop(_CARRIED, None)
    if context is None:
        return None
    api: Any = sys.modules["opentelemetry.context"]
    token = api.attach(context)

    def end(_has_returned: bool) -> None:  # noqa: FBT001 (see observed_calls.End)
        api.detach(token)

    return end
