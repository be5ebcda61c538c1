"""What is done as the process leaves: open spans end, the run span ends, everything is sent within the budget."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obs_run.process.exit_hooks import Leaving


_prepared = False


def prepare() -> None:
    """Have this process end its spans and flush as it leaves, with OpenTelemetry loaded before the end begins.

    The SDK asks a thread pool for its resource while it is imported, and pools refuse work once that end has begun.
    """
    global _prepared
    if not _prepared:
        _prepared = True
        # Registers itself too, and what is registered later runs earlier.
        import concurrent.futures.thread  # noqa: F401
        import threading

        from obs_run.process import exit_hooks

        exit_hooks.on_leave(finish)
        with suppress(RuntimeError):  # the end has begun
            threading._register_atexit(_load)  # type: ignore[attr-defined]  # noqa: SLF001 (the pools' own way)


def _load() -> None:
    if _has_something_to_say():
        guard.call("set-up", _set_up)


def _has_something_to_say() -> bool:
    """Whether this process recorded anything, or owes its children a run span; a forked child may do neither."""
    from obs_run.pipeline import queue
    from obs_run.process import run

    return run.owned() or queue.in_use()


def _set_up() -> None:
    with _without_threads():
        import obs_run.pipeline.export_pipeline  # noqa: F401 (with it all of OpenTelemetry that is needed)
        from obs_run.sdk import providers

        providers.set_up()


@contextmanager
def _without_threads() -> Iterator[None]:
    """Have work that is given to a new thread pool done at once, on Python 3.12: it starts no thread in the end."""
    if sys.version_info[:2] != (3, 12):
        yield
        return
    from concurrent import futures

    class AtOnce(futures.Executor):
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
            done: futures.Future[Any] = futures.Future()
            try:
                done.set_result(function(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 (as a pool keeps it for whoever asks)
                done.set_exception(error)
            return done

    pool = futures.ThreadPoolExecutor
    futures.ThreadPoolExecutor = AtOnce  # type: ignore[misc]
    try:
        yield
    finally:
        futures.ThreadPoolExecutor = pool  # type: ignore[misc]


def finish(left: Leaving) -> None:
    """End what is open and flush; a second call, as after a failed exec, finds little to do."""
    from obs_run.pipeline.queue import queue
    from obs_run.process import run

    if not _has_something_to_say():
        return
    # Modules of OpenTelemetry are loaded here only if the process has something to say.
    if "obs_run.sdk.spans" in sys.modules:
        from obs_run.sdk import spans

        guard.call("open spans", spans.end_open, left)
    if run.owned():
        from obs_run.sdk import run_span

        guard.call("run span", run_span.end, left)
    queue().close(left.deadline)
    from obs_run.runtime import summary

    guard.call("where to look", summary.point_to_store, left)


def begin_in_child() -> None:
    """After a fork: what is open is the parent's to end, what was counted the parent's to report."""
    # Looked up, not imported: a thread of the parent may have held an import lock.
    spans = sys.modules.get("obs_run.sdk.spans")
    if spans is not None:
        guard.call("fork", spans.forget_open)
    providers = sys.modules.get("obs_run.sdk.providers")
    known = providers.known() if providers is not None else None
    if known is not None:
        guard.call("fork", known.after_fork)
